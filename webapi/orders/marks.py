"""Register marks of an order: keeping them, and what they say where no charge record can be believed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evcs.contracts.gun import MeterMark
from webapi.orders.models import Order, OrderMark
from webapi.tariffs.slots import BandKwh, PriceTable, Reading, cut_at_slots

_INSTANT = timedelta(milliseconds=1)
"""Resolution of the marks' times."""


def keep_mark(session: Session, order: Order, mark: MeterMark) -> bool:
    """Keep a mark of an order; the same mark again changes nothing and gives back False."""
    if session.get(OrderMark, (order.serial, mark.received_at)) is not None:
        return False
    session.add(
        OrderMark(
            order_serial=order.serial,
            at=mark.received_at,
            energy_kwh=mark.energy_kwh,
            register_kwh=mark.register_kwh,
            why=mark.why,
        )
    )
    if order.last_mark_at is None or mark.received_at > order.last_mark_at:
        order.last_mark_at = mark.received_at
        order.last_mark_energy_kwh = mark.energy_kwh
    session.flush()
    return True


def readings_of(session: Session, order: Order) -> tuple[Reading, ...]:
    """The marks of an order in order of time, behind a reading of 0 at its begin.

    The first mark may have energy already, also where it comes with the first level that showed the charge (the link
    was away when it began): what was drawn before it was drawn after the newest of the moments that lie before it.
    """
    marks = session.scalars(select(OrderMark).where(OrderMark.order_serial == order.serial).order_by(OrderMark.at))
    readings = [Reading(mark.at, mark.energy_kwh) for mark in marks]
    if not readings or readings[0].energy_kwh <= 0:
        return tuple(readings)
    first = readings[0].at
    known = (order.started_at, order.admitted_at, order.requested_at)
    begin = next((moment for moment in known if moment is not None and moment < first), first - _INSTANT)
    return (Reading(begin, Decimal(0)), *readings)


def begin_by_marks(session: Session, order: Order) -> datetime:
    """When an order whose begin nobody saw began to charge: at its first mark, else after its admission."""
    first = session.scalar(select(func.min(OrderMark.at)).where(OrderMark.order_serial == order.serial))
    return first or order.admitted_at or order.requested_at


def energies(
    table: PriceTable, readings: Sequence[Reading], *, total_kwh: Decimal | None = None, end: datetime | None = None
) -> tuple[BandKwh, ...] | None:
    """Energies per band by marks; none where there are no marks or they run backwards.

    A total that is sure (the record's own, where only its bands are in doubt) closes them at the session's end;
    marks that read higher by the meter's tolerance are cut down to it.
    """
    if not readings:
        return None
    closed = list(readings)
    if total_kwh is not None:
        closed = [Reading(reading.at, min(reading.energy_kwh, total_kwh)) for reading in closed]
        last = closed[-1]
        if last.energy_kwh < total_kwh:
            if end is not None and end > last.at:
                closed.append(Reading(end, total_kwh))
            else:
                closed[-1] = Reading(last.at, total_kwh)
    if len(closed) == 1 and closed[0].energy_kwh:
        # A single reading without a begin before it: all of it was drawn up to that moment, in the band it shows.
        drawn = closed[0].energy_kwh
        return (BandKwh(table.band_at(closed[0].at), drawn, drawn),)
    try:
        return cut_at_slots(table, closed)
    except ValueError:
        return None
