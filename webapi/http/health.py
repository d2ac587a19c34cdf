"""/healthz and /readyz: what is wrong, not only that something is; /metrics beside them."""

from http import HTTPStatus

from flask import Flask, Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from evcs.contracts.measurements import GUN
from evcs.runtime import metrics
from evcs.runtime.health import OK, Health, degraded, down, worst
from evcs.store.interface import GunSeries, StoreError
from webapi.database import reading
from webapi.http.call import adapters
from webapi.http.render import encode

_NOBODY = GunSeries("none", "none", 1)


def health() -> Health:
    """Without the database nothing works; without the telemetry store only curves and live values are missing."""
    return worst(_database(), _store())


def _database() -> Health:
    try:
        with reading(adapters().engine) as session:
            session.execute(text("SELECT 1 FROM alembic_version"))
    except SQLAlchemyError as error:
        return down(f"database: {type(error).__name__}")
    return OK


def _store() -> Health:
    try:
        adapters().telemetry.latest([_NOBODY])
    except StoreError as error:
        return degraded(f"telemetry store ({GUN.name} curves): {type(error).__name__}")
    return OK


def install(app: Flask) -> None:
    """Serve the three."""

    def healthz() -> Response:
        found = health()
        status = HTTPStatus.SERVICE_UNAVAILABLE if found.level == "down" else HTTPStatus.OK
        body = encode({"status": found.level, "reasons": found.reasons})
        return Response(body, status=status, mimetype="application/json")

    def exposition() -> Response:
        return Response(metrics.exposition(), mimetype="text/plain; version=0.0.4")

    app.add_url_rule("/healthz", "healthz", healthz)
    app.add_url_rule("/readyz", "readyz", healthz)
    app.add_url_rule("/metrics", "metrics", exposition)
