"""Posting a past: every line through the normal use cases at its own time, once, however often it is loaded."""

import time
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlalchemy import Engine, select
from sqlalchemy.exc import IntegrityError, NoResultFound
from sqlalchemy.orm import Session

from evcs.contracts.history import ORDERS, Driver, Past, PastDriver, PastRecharge
from evcs.runtime.clock import Clock
from evcs.runtime.progress import progress
from webapi.audit.note import note
from webapi.cards.bind import NewCard, NewVehicle, bind_card, bind_vehicle
from webapi.customers.models import Customer
from webapi.customers.open import NewCustomer, open_customer
from webapi.database import reading, sessions
from webapi.demo import town
from webapi.demo.past_lines import BadHistory, Line, lines_of, read_manifest
from webapi.demo.past_order import CannotHappen, fault, replay
from webapi.ledger.errors import KeyTaken, LedgerError
from webapi.ledger.invariants import check
from webapi.orders.models import Order
from webapi.recharges.models import Recharge
from webapi.recharges.place import RechargeOrder, place_recharge
from webapi.stations.models import Station
from webapi.tenants.models import Tenant
from webapi.worker.enqueue import silence

LINES_A_COMMIT = 10
"""Few enough that a running platform, which writes the same SQLite file, waits well under a second."""
TURN_S = 0.1
"""A writer that waits for SQLite looks every 100 ms at the latest: a load that paused for less would starve it."""
CHANNEL = "manual"
BY = "demo"
REASON = "示范充值"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did; `known` stood in the books before."""

    orders: int
    recharges: int
    drivers: int
    known: int

    def __str__(self) -> str:
        return (
            f"{self.orders} orders, {self.recharges} recharges and {self.drivers} customers posted,"
            f" {self.known} lines were known; the books are right"
        )


def load(engine: Engine, folder: Path, clock: Clock, *, turn_s: float = 0.0) -> Loaded:
    """Post all lines of a folder, leaving others the database for `turn_s` after each batch.

    Raises BadHistory at the first line that cannot be posted, with its number; what stands before it is posted and
    stays, and a further load goes on from there.
    """
    manifest = read_manifest(folder)
    work = _Work(clock.now())
    lines = lines_of(folder)
    with progress("orders", manifest.orders, "lines") as moved:
        while batch := list(islice(lines, LINES_A_COMMIT)):
            _post(engine, work, batch)
            moved(len(batch), f"{work.orders} orders posted")
            time.sleep(turn_s)
    with reading(engine) as session:
        if broken := check(session):
            raise BadHistory(f"the books are wrong in {len(broken)} places, first: {broken[0]}")
    return Loaded(work.orders, work.recharges, work.drivers, work.known)


def _post(engine: Engine, work: "_Work", batch: list[Line]) -> None:
    """A batch in one transaction; where a line is bad, those before it in another."""
    with sessions(engine)() as session, silence(session):
        done = 0
        try:
            for line in batch:
                work.post(session, line)
                done += 1
            session.commit()
            work.committed()
            return
        except (CannotHappen, KeyTaken, LedgerError, NoResultFound, IntegrityError, ValueError) as error:
            session.rollback()
            work.forget()
            why = str(error.orig) if isinstance(error, IntegrityError) else str(error)
    if done:
        _post(engine, work, batch[:done])
    raise BadHistory(f"{ORDERS} line {batch[done].number}: {why}")


class _Work:
    """What is known of the books while lines are posted, and what was done."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._customers: dict[str, Customer] = {}
        self.orders = self.recharges = self.drivers = self.known = 0
        self._before = (0, 0, 0, 0)

    def committed(self) -> None:
        """What was counted counts."""
        self._before = (self.orders, self.recharges, self.drivers, self.known)

    def forget(self) -> None:
        """Nothing of the batch stands."""
        self._customers.clear()
        self.orders, self.recharges, self.drivers, self.known = self._before

    def post(self, session: Session, line: Line) -> None:
        """One line; raises what its use case raises."""
        said: Past = line.said
        if not self._customers and session.scalar(select(Tenant.id).where(Tenant.code == town.TENANT)) is None:
            raise CannotHappen(f"there is no operator {town.TENANT} yet: python -m webapi.demo seed")
        if (last := _last_moment(said)) > self._now:
            raise CannotHappen(f"{last.isoformat()} is not past")
        if isinstance(said, PastDriver):
            self._driver(session, said)
        elif isinstance(said, PastRecharge):
            self._recharge(session, said)
        elif session.get(Order, said.serial) is not None:
            self.known += 1
        else:
            if (why := fault(said)) is not None:
                raise CannotHappen(f"{said.serial}: {why}")
            replay(session, said, self._customer(session, said.phone).id)
            self.orders += 1

    def _driver(self, session: Session, said: PastDriver) -> None:
        tenant = session.scalars(select(Tenant).where(Tenant.code == town.TENANT)).one()
        if _by_phone(session, said.driver.phone) is not None:
            self.known += 1
            return
        station = session.get(Station, said.station)
        if station is None or station.tenant_id != tenant.id:
            raise CannotHappen(f"no station {said.station} of {town.TENANT}")
        new = NewCustomer(tenant.id, said.driver.name, said.driver.phone, said.station)
        customer = open_customer(session, new, at=said.at)
        _bind(session, customer, said.driver, said.at)
        self.drivers += 1

    def _recharge(self, session: Session, said: PastRecharge) -> None:
        customer = self._customer(session, said.phone)
        known = session.scalar(
            select(Recharge.id).where(
                Recharge.tenant_id == customer.tenant_id, Recharge.channel == CHANNEL, Recharge.number == said.number
            )
        )
        order = RechargeOrder(customer.id, said.amount_fen, said.number, REASON, CHANNEL)
        place_recharge(session, order, at=said.at, by=BY)
        if known is not None:
            self.known += 1
            return
        self.recharges += 1
        note(
            session,
            at=said.at,
            actor=BY,
            action="recharge",
            tenant_id=customer.tenant_id,
            object_kind="customer",
            object_id=str(customer.id),
        )

    def _customer(self, session: Session, phone: str) -> Customer:
        found = self._customers.get(phone)
        if found is None:
            found = _by_phone(session, phone)
            if found is None:
                raise CannotHappen(f"no customer has the phone {phone[:3]}****{phone[-4:]}")
            self._customers[phone] = found
        return found


def _by_phone(session: Session, phone: str) -> Customer | None:
    return session.scalars(
        select(Customer).join(Tenant).where(Tenant.code == town.TENANT, Customer.phone == phone)
    ).one_or_none()


def _bind(session: Session, customer: Customer, driver: Driver, at: datetime) -> None:
    """Card and car; a number that is somebody's already stays theirs."""
    if driver.card is not None:
        bind_card(session, customer, NewCard(uid=driver.card, printed_no=driver.printed_card), at=at)
    if driver.vin is not None:
        bind_vehicle(session, customer, NewVehicle(vin=driver.vin, plate=driver.plate), at=at)


def _last_moment(said: Past) -> datetime:
    if isinstance(said, PastDriver | PastRecharge):
        return said.at
    moments = [said.requested_at, said.verdict.decided_at, *(mark.received_at for mark in said.marks)]
    if said.reply is not None:
        moments.append(said.reply.received_at)
    if said.record is not None:
        moments += [said.record.received_at, said.record.ended_at]
    moments += [moment for moment in (said.charging_since, said.ended_at) if moment is not None]
    return max(moments)
