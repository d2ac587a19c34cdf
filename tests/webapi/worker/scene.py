"""A running worker with real broker and database, and a peer that speaks for bridge and rules."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from threading import Event
from time import monotonic, sleep
from typing import TypeVar

import paho.mqtt.client as mqtt
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from evcs.contracts import topics
from evcs.contracts.bridge import ServiceStatus
from evcs.contracts.gun import GunLevel, StartRequest
from evcs.contracts.pile import Outcome
from evcs.contracts.states import GunState, OrderState
from evcs.contracts.topics import Topic
from evcs.runtime.clock import ManualClock
from tests.flows.observer import Observer
from tests.servers import Broker, Brokers
from tests.webapi import said
from tests.webapi.books import BEGIN, PEAK, PILE, STATION, Books, record
from tests.webapi.orders.test_place import wanted
from webapi.customers.models import Customer
from webapi.database import open_database, sessions
from webapi.ledger.invariants import check
from webapi.ledger.models import Wallet
from webapi.orders.models import Order
from webapi.orders.place import place_order
from webapi.tenants.models import Tenant
from webapi.worker.settings import Settings
from webapi.worker.worker import Worker

P = TypeVar("P")
T = TypeVar("T")

WITHIN_S = 15.0
LOOK_EVERY_S = 0.02
GUN = {"station": STATION, "pile": PILE, "gun": 1}


def until(look: Callable[[], T], what: str, within_s: float = WITHIN_S) -> T:
    """Look again and again until there is something; AssertionError when there is not in time."""
    deadline = monotonic() + within_s
    while monotonic() < deadline:
        found = look()
        if found:
            return found
        sleep(LOOK_EVERY_S)
    raise AssertionError(f"not within {within_s} s: {what}")


class Peer:
    """Publishes what bridge and rules would."""

    def __init__(self, port: int) -> None:
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="peer")
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        until(self._client.is_connected, "the peer is connected")

    def say(self, topic: Topic[P], payload: P, **levels: str | int) -> None:
        """Publish with QoS 1 and await the PUBACK."""
        self.send(topic.at(**(levels or GUN)), topic.encode(payload), retain=topic.retained)

    def send(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(WITHIN_S)

    def log_in(self, version: int = 1) -> None:
        """Bridge online, pile logged in with its tariff, gun plugged."""
        self.say(topics.BRIDGE_STATUS, said.bridge(version=version), bridge="b1")
        self.say(topics.PILE_STATUS, said.pile(version=version), station=STATION, pile=PILE)

    def level(self, state: GunState, version: int, serial: str | None = None, seconds: float = 0) -> GunLevel:
        level = said.level(state, version, serial, seconds=seconds)
        self.say(topics.GUN_STATE, level)
        return level

    def rules_ready(self, since_ms: int = 5) -> None:
        """A rules shard that just started."""
        level = ServiceStatus(version=since_ms, name="rules", instance="1-of-1", ready=True, since_ms=since_ms)
        self.say(topics.SERVICE, level, name="rules", instance="1-of-1")

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@dataclass(frozen=True, slots=True)
class Placed:
    """An order as its customer knows it."""

    serial: str
    customer: int


class Scene:
    """The world of one test; the worker may be started, stopped and started again."""

    def __init__(self, engine: Engine, url: str, settings: Settings, brokers: Brokers, broker: Broker) -> None:
        self.engine = engine
        self.url = url
        self.settings = settings
        self.brokers = brokers
        self.broker = broker
        port = broker.port
        self.clock = ManualClock(BEGIN)
        self.peer = Peer(port)
        self.observer = Observer(port)
        self.failed = Event()
        self.worker: Worker | None = None
        with sessions(engine).begin() as session:
            Books(session).build()

    # --- worker

    def start(self, url: str | None = None) -> Worker:
        """Run a worker in this process; its clock is the test's."""
        worker = Worker(self.settings, open_database(url or self.url), self.clock, self.failed)
        worker.start()
        self.worker = worker
        return worker

    def stop(self) -> None:
        worker, self.worker = self.worker, None
        if worker is not None:
            worker.stop()

    def close(self) -> None:
        self.stop()
        self.observer.close()
        self.peer.close()

    def later(self, seconds: float) -> None:
        """Let the time of day go on; waiting stays real."""
        self.clock.set(self.clock.now() + timedelta(seconds=seconds))

    # --- database

    def place(self, recharged_fen: int = 30_000) -> Placed:
        """A customer with money places an order for gun 1."""
        with sessions(self.engine).begin() as session:
            who = _books(session).customer(recharged_fen=recharged_fen)
            order = place_order(session, wanted(who.id), at=self.clock.now())
            assert isinstance(order, Order)
            return Placed(order.serial, who.id)

    def order(self, serial: str) -> Order:
        with sessions(self.engine)() as session:
            return session.get_one(Order, serial)

    def wallet(self, customer: int) -> tuple[int, int, int]:
        with sessions(self.engine)() as session:
            assert check(session) == []
            row = session.get_one(Wallet, customer)
            return row.available_fen, row.held_fen, row.debt_fen

    def reaches(self, serial: str, state: OrderState, within_s: float = WITHIN_S) -> Order:
        """Await an order's state."""

        def look() -> Order | None:
            order = self.order(serial)
            return order if order.state is state else None

        try:
            return until(look, f"{serial} {state.value}", within_s)
        except AssertionError as error:
            raise AssertionError(f"{error}; it is {self.order(serial).state.value}") from None

    # --- a charge

    def request_of(self, serial: str, after: int = 0) -> StartRequest:
        _, request = self.observer.wait(
            topics.REQUEST, lambda one: isinstance(one, StartRequest) and one.serial == serial, after=after
        )
        assert isinstance(request, StartRequest)
        return request

    def charge(self, serial: str) -> None:
        """The gate admits, the pile starts and charges."""
        request = self.request_of(serial)
        self.peer.say(topics.VERDICT, said.verdict(request.id, serial, said.VerdictKind.ADMITTED))
        self.peer.level(GunState.STARTING, 2, serial, 2)
        self.peer.say(topics.GUN_REPLY, said.reply(serial, Outcome.ACCEPTED))
        self.peer.level(GunState.CHARGING, 3, serial, 5)
        self.reaches(serial, OrderState.CHARGING)

    def send_record(self, serial: str, n: int = 1) -> None:
        """The pile's record of 10 kWh for 15.23 yuan."""
        bill = record(serial, ((PEAK, said.ENERGY),), said.AMOUNT_E4, ended_at=said.at(600), n=n)
        self.peer.say(topics.RECORD, bill)


def _books(session: Session) -> Books:
    """The world of the test again, its numbers going on."""
    tenant = session.scalars(select(Tenant.id)).one()
    count = session.scalar(select(func.count()).select_from(Customer)) or 0
    books = Books(session, tenant)
    for _ in range(count):
        next(books._numbers)
    return books
