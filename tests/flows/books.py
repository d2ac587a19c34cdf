"""Reads, beside the platform, what its stores hold: the ledger's proof, and the points of a charge."""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from evcs.store.interface import GunSeries
from evcs.store.open import open_reader
from tests.flows.platform import Platform
from tests.flows.town import STATION
from webapi import models as _tables  # noqa: F401 (all tables must be mapped)
from webapi.database import open_database, sessions
from webapi.ledger.invariants import check
from webapi.ledger.models import Transaction, TransactionKind, Wallet


@dataclass(frozen=True, slots=True)
class Books:
    """A wallet, and how often each order was settled."""

    available_fen: int
    held_fen: int
    settlements: dict[str, int]

    def settlements_of(self, serial: str) -> int:
        return self.settlements.get(serial, 0)


def proved(database_url: str, customer: int) -> Books:
    """The books, after the proof that every invariant of the ledger holds."""
    engine = open_database(database_url)
    try:
        with sessions(engine)() as session:
            assert check(session) == []
            wallet = session.get_one(Wallet, customer)
            counted = session.execute(
                select(Transaction.order_serial, func.count())
                .where(Transaction.kind == TransactionKind.SETTLEMENT)
                .group_by(Transaction.order_serial)
            )
            settlements = {serial: count for serial, count in counted if serial is not None}
            return Books(wallet.available_fen, wallet.held_fen, settlements)
    finally:
        engine.dispose()


@dataclass(frozen=True, slots=True)
class Reading:
    """A point of a charge in the store."""

    at: datetime
    energy_kwh: float


async def telemetry_of(platform: Platform, pile: str, gun: int, serial: str, *, at_least: int) -> list[Reading]:
    """The charging points of an order, read once there are enough or after 20 s."""
    series = GunSeries(STATION, pile, gun)
    deadline = time.monotonic() + 20
    while True:
        store = open_reader(platform.store_url)
        try:
            now = datetime.now(UTC)
            curve = store.curve(
                series, now - timedelta(days=1), now + timedelta(days=1), ("serial", "state", "energy_kwh")
            )
        finally:
            store.close()
        found = [
            Reading(point.at, float(point.values[2] or 0))
            for point in curve.points
            if point.values[0] == serial and point.values[1] == "charging"
        ]
        if len(found) >= at_least or time.monotonic() > deadline:
            return found
        await asyncio.sleep(0.2)
