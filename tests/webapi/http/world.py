"""Two operators side by side, each with a station, a pile, customers and console users, and an app over them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import uuid4

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from evcs.contracts.config import BandPrice
from evcs.contracts.ids import shard_of
from evcs.contracts.states import GunState, TariffBand
from evcs.contracts.times import to_ms
from evcs.runtime.clock import ManualClock
from evcs.store.interface import TelemetryStore
from webapi.app import create_app
from webapi.customers.open import NewCustomer, open_customer
from webapi.database import sessions
from webapi.guns.models import Gun, GunLive
from webapi.http.call import Adapters
from webapi.piles.models import BridgeLive, Pile, PileLive
from webapi.stations.models import Station
from webapi.tariffs.allocate import NewVersion, make_version
from webapi.tariffs.models import Tariff
from webapi.tenants.models import Tenant
from webapi.transformers.models import Transformer
from webapi.users.api_keys import issue_token
from webapi.users.models import Role, User, UserStation
from webapi.users.secrets_of import hash_password

NOW = datetime(2026, 11, 24, 12, 50, tzinfo=UTC)
PASSWORD = "right-horse-battery"


@cache
def password_hash() -> str:
    """Made once: each hash takes a tenth of a second."""
    return hash_password(PASSWORD)


@dataclass(frozen=True, slots=True)
class Operator:
    """What one operator has."""

    tenant: int
    station: str
    other_station: str
    pile: str
    other_pile: str
    customer: int
    second_customer: int
    users: Mapping[Role, int]
    tokens: Mapping[Role, str]
    limited_token: str
    """Of an operator who sees `station` only."""
    driver_token: str
    """Of `customer`."""


@dataclass
class World:
    """The app, its clock, and the two operators."""

    engine: Engine
    clock: ManualClock
    telemetry: TelemetryStore
    app: Flask
    ours: Operator
    theirs: Operator
    _clients: list[FlaskClient] = field(default_factory=list)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """One call with a bearer token (the administrator's unless given; empty: none)."""
        token = self.ours.tokens[Role.TENANT_ADMIN] if token is None else token
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        if method in ("POST", "PUT", "PATCH"):
            sent["Idempotency-Key"] = key or uuid4().hex
        kwargs = {} if body is None else {"json": body}
        return self.app.test_client().open(
            f"/api/v1{path}", method=method, headers={**sent, **(headers or {})}, **kwargs
        )

    def recharge(self, customer: int, amount_fen: int = 50_000) -> None:
        """Put money on a wallet over HTTP."""
        admin = (self.ours if customer in (self.ours.customer, self.ours.second_customer) else self.theirs).tokens
        body = {"amount_fen": amount_fen, "reason": "test"}
        answer = self.call("POST", f"/customers/{customer}/recharges", body, token=admin[Role.TENANT_ADMIN])
        assert answer.status_code == 201, answer.json

    def order(self, operator: Operator, gun: int = 1, goal: Any = None) -> str:
        """Place an order over HTTP; its serial."""
        answer = self.call("POST", "/orders", order_body(operator, gun, goal), token=operator.tokens[Role.TENANT_ADMIN])
        assert answer.status_code == 201, answer.json
        return str(answer.json["serial"])

    def level(self, pile: str, gun: int, state: GunState, serial: str | None = None) -> None:
        """Let bridge, pile and gun say that they are there."""
        started = to_ms(NOW)
        with sessions(self.engine)() as session:
            session.merge(BridgeLive(bridge="b1", online=True, started_ms=started, since=NOW, version=1, address=""))
            session.flush()
            session.merge(
                PileLive(
                    pile_number=pile,
                    online=True,
                    since=NOW,
                    version=1,
                    bridge="b1",
                    bridge_started_ms=started,
                    link="l1",
                    login_at=NOW,
                    protocol="ykc1.6",
                    updated_at=NOW,
                )
            )
            session.merge(
                GunLive(
                    pile_number=pile,
                    gun_no=gun,
                    state=state,
                    serial=serial,
                    plugged=True,
                    fault_bits=0,
                    since=NOW,
                    login_ms=started,
                    version=1,
                    updated_at=NOW,
                )
            )
            session.commit()


def order_body(operator: Operator, gun: int = 1, goal: Any = None) -> dict[str, Any]:
    """An order of the operator's customer."""
    return {
        "customer_id": operator.customer,
        "pile": operator.pile,
        "gun": gun,
        "goal": goal or {"kind": "amount", "amount_fen": 1500},
    }


def make_world(engine: Engine, telemetry: TelemetryStore) -> World:
    """Seed an empty, migrated database."""
    clock = ManualClock(NOW)
    with sessions(engine)() as session:
        ours = _operator(session, "a", 1)
        theirs = _operator(session, "b", 3)
        session.commit()
    app = create_app(Adapters(engine, sessions(engine), telemetry, clock))
    return World(engine, clock, telemetry, app, ours, theirs)


def _operator(session: Session, letter: str, first_pile: int) -> Operator:
    tenant = Tenant(code=f"t-{letter}", name=f"运营商 {letter}", created_at=NOW)
    session.add(tenant)
    session.flush()
    tariff = Tariff(tenant_id=tenant.id, name="分时", created_at=NOW)
    session.add(tariff)
    session.flush()
    price = BandPrice(band=TariffBand.FLAT, energy_price_e5=70_000, service_price_e5=40_000)
    new = NewVersion(f"v-{letter}", tariff.id, (TariffBand.FLAT,) * 48, (price,), valid_from=NOW)
    make_version(session, new, at=NOW, by="test")
    piles = []
    for n, code in enumerate((f"s-{letter}1", f"s-{letter}2")):
        session.add(Station(code=code, shard=shard_of(code), tenant_id=tenant.id, name=f"站 {code}", created_at=NOW))
        session.flush()
        session.add(Transformer(code=f"{code}-t", station_code=code, name="T1", rated_kva=Decimal(630), created_at=NOW))
        session.flush()
        number = f"55031412{first_pile + n:06d}"
        piles.append(number)
        session.add(
            Pile(
                number=number,
                station_code=code,
                transformer_code=f"{code}-t",
                name=number[-2:],
                rated_kw=Decimal(120),
                source_networks=[],
                wanted_tariff_version_id=f"v-{letter}",
                confirmed_tariff_version_id=f"v-{letter}",
                created_at=NOW,
            )
        )
        session.flush()
        session.add_all([Gun(pile_number=number, no=no, rated_kw=Decimal(120)) for no in (1, 2)])
    session.flush()
    first = open_customer(session, NewCustomer(tenant.id, f"王{letter}", "13800000001", f"s-{letter}1"), at=NOW)
    second = open_customer(session, NewCustomer(tenant.id, f"李{letter}", "13800000002", f"s-{letter}2"), at=NOW)
    users: dict[Role, int] = {}
    tokens: dict[Role, str] = {}
    for role in Role:
        user = _user(session, f"{role.value}-{letter}", role, None if role is Role.PLATFORM_ADMIN else tenant.id)
        users[role] = user.id
        tokens[role] = issue_token(session, user_id=user.id, at=NOW).token
    limited = _user(session, f"limited-{letter}", Role.OPERATOR, tenant.id, all_stations=False)
    session.add(UserStation(user_id=limited.id, station_code=f"s-{letter}1"))
    return Operator(
        tenant=tenant.id,
        station=f"s-{letter}1",
        other_station=f"s-{letter}2",
        pile=piles[0],
        other_pile=piles[1],
        customer=first.id,
        second_customer=second.id,
        users=users,
        tokens=tokens,
        limited_token=issue_token(session, user_id=limited.id, at=NOW, life=timedelta(days=1)).token,
        driver_token=issue_token(session, customer_id=first.id, at=NOW).token,
    )


def _user(session: Session, name: str, role: Role, tenant: int | None, *, all_stations: bool = True) -> User:
    user = User(
        tenant_id=tenant,
        username=name,
        name=name,
        password_hash=password_hash(),
        role=role,
        all_stations=all_stations,
        created_at=NOW,
    )
    session.add(user)
    session.flush()
    return user
