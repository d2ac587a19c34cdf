"""The HTTP app: adapters in, Flask app out; opens nothing by itself."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

import webapi.models  # noqa: F401 (all tables must be mapped)
from webapi.cards.routes import endpoints as cards
from webapi.customers.routes import endpoints as customers
from webapi.exports.routes import endpoints as exports
from webapi.faults.code_routes import endpoints as fault_codes
from webapi.faults.routes import endpoints as faults
from webapi.gate.routes import endpoints as asks
from webapi.guns.power_routes import endpoints as power_settings
from webapi.guns.routes import endpoints as guns
from webapi.http import authenticate, docs_page, errors, headers, health, limits
from webapi.http.call import Adapters, install
from webapi.http.converters import CodeConverter, GunConverter, RowConverter, SerialConverter
from webapi.http.render import MsgspecProvider
from webapi.http.smorest import make_api, register
from webapi.ledger.routes import endpoints as ledger
from webapi.mini.place_routes import endpoints as places
from webapi.orders.explain_routes import endpoints as explain
from webapi.orders.orphan_routes import endpoints as orphans
from webapi.orders.review_routes import endpoints as reviews
from webapi.orders.routes import endpoints as orders
from webapi.piles.command_routes import endpoints as commands
from webapi.piles.routes import endpoints as piles
from webapi.recharges.request_routes import endpoints as recharge_requests
from webapi.recharges.routes import endpoints as recharges
from webapi.reconcile.routes import endpoints as daily_bills
from webapi.refunds.routes import endpoints as refunds
from webapi.stations.lockout_routes import endpoints as lockouts
from webapi.stations.routes import endpoints as stations
from webapi.tariffs.change_routes import endpoints as tariff_changes
from webapi.tariffs.routes import endpoints as tariffs
from webapi.transformers.feeder_routes import endpoints as transformers
from webapi.transformers.load_report_routes import endpoints as load_reports
from webapi.users.routes import endpoints as users

ENDPOINTS = (
    users,
    stations,
    lockouts,
    transformers,
    piles,
    commands,
    guns,
    power_settings,
    faults,
    fault_codes,
    load_reports,
    customers,
    cards,
    recharges,
    recharge_requests,
    refunds,
    orders,
    explain,
    reviews,
    orphans,
    exports,
    tariffs,
    tariff_changes,
    places,
    asks,
    daily_bills,
    ledger,
)


def create_app(
    adapters: Adapters, *, body_kib: int = 64, proxies: int = 0, rates: limits.Rates = limits.UNBOUNDED
) -> Flask:
    """Make the app. `proxies`: how many reverse proxies in front are believed about address and scheme."""
    app = Flask("webapi", static_folder=None)
    app.json = MsgspecProvider(app)
    app.config["MAX_CONTENT_LENGTH"] = body_kib * 1024
    app.url_map.strict_slashes = False
    app.url_map.converters.update(code=CodeConverter, serial=SerialConverter, row=RowConverter, gun=GunConverter)
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies)  # type: ignore[method-assign]
    install(app, adapters)
    headers.install(app)
    errors.install(app)
    authenticate.install(app)
    limits.install(app, rates)
    api = make_api(app)
    for endpoints in ENDPOINTS:
        register(api, endpoints)
    health.install(app)
    docs_page.install(app)
    return app
