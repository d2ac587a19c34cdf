"""One past order through the use cases that live orders take, each at its time: placed, answered, charged, settled."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy.orm import Session

from evcs.contracts.gun import ChargeRecord
from evcs.contracts.history import PastOrder
from evcs.contracts.states import OPEN_ORDER, GunState, StartSource
from evcs.contracts.times import to_ms
from evcs.contracts.topics import Address
from webapi.audit.note import note
from webapi.orders import events, life
from webapi.orders.advance import lock_order, observe
from webapi.orders.confirm import mark_published, mark_sent
from webapi.orders.models import Order
from webapi.orders.place import Past, PlaceOrder, place_order
from webapi.refusals import Refusal

CONFIRMED_AFTER = timedelta(milliseconds=200)
"""From the stored record to 0x40."""


class CannotHappen(Exception):
    """An order that the platform would not take, or that contradicts itself."""


def fault(told: PastOrder) -> str | None:
    """What contradicts itself in a line; None: nothing."""
    times = [told.requested_at, told.verdict.decided_at]
    if told.reply is not None:
        times.append(told.reply.received_at)
    if told.charging_since is not None:
        times += [told.charging_since, *(mark.received_at for mark in told.marks)]
    if told.ended_at is not None:
        times.append(told.ended_at)
    if told.record is not None:
        times.append(told.record.received_at)
    if times != sorted(times):
        return "its times run backwards"
    named = {told.serial, told.verdict.serial, *(mark.serial for mark in told.marks)}
    named |= {said.serial for said in (told.reply, told.goal_reached, told.record) if said is not None}
    if named != {told.serial}:
        return "it speaks of several serials"
    if told.record is not None and (told.record.pile, told.record.gun) != (told.pile, told.gun):
        return "its record is another gun's"
    return None


def replay(session: Session, told: PastOrder, customer_id: int) -> Order:
    """Let a past order happen; the caller commits, and has silenced the session. Raises CannotHappen."""
    placed = _place(session, told, customer_id)
    address = Address(station=told.station, pile=told.pile, gun=told.gun)
    verdict = msgspec.structs.replace(told.verdict, request=placed.request_id)
    events.verdict(session, address, verdict, told.verdict.decided_at)
    if told.reply is not None:
        events.reply(session, address, told.reply, told.reply.received_at)
    if told.charging_since is not None:
        _charge(session, address, told, told.charging_since)
    if told.record is not None:
        _record(session, address, told.record)
    order = lock_order(session, told.serial)
    if order is None or order.state in OPEN_ORDER:
        raise CannotHappen(f"it never ended: {'gone' if order is None else order.state.value}")
    return order


def _place(session: Session, told: PastOrder, customer_id: int) -> Order:
    by = f"customer:{customer_id}" if told.source is StartSource.APP else f"pile:{told.pile}"
    wish = PlaceOrder(
        customer_id=customer_id,
        pile=told.pile,
        gun=told.gun,
        goal=told.goal,
        by=by,
        source=told.source,
        past=Past(serial=told.serial, tariff_version=told.tariff_version),
    )
    placed = place_order(session, wish, at=told.requested_at)
    if isinstance(placed, Refusal):
        figures = ", ".join(f"{one.name} {one.value}" for one in placed.figures)
        raise CannotHappen(f"the platform refuses it today: {placed.reason.value} {figures}".rstrip())
    if placed.station_code != told.station:
        raise CannotHappen(f"pile {told.pile} stands at {placed.station_code}")
    placed.card_number, placed.vin = told.card, told.vin
    note(
        session,
        at=told.requested_at,
        actor=by,
        action="order_create",
        tenant_id=placed.tenant_id,
        station=placed.station_code,
        object_kind="order",
        object_id=placed.serial,
    )
    return placed


def _charge(session: Session, address: Address, told: PastOrder, since: datetime) -> None:
    """Levels as the worker would have seen them: charging, then not. They are told to the order alone.

    The gun's own level is what it is now, and no past one may stand in its place.
    """
    login_ms = to_ms(since)
    order = session.get_one(Order, told.serial)
    begun = life.LevelSeen(GunState.CHARGING, told.serial, (login_ms, 1), since)
    observe(session, order, begun, at=since)
    for mark in told.marks:
        events.meter(session, address, mark, mark.received_at)
    if told.goal_reached is not None:
        events.verdict(session, address, told.goal_reached, told.goal_reached.decided_at)
    if told.ended_at is not None:
        last = told.marks[-1].received_at if told.marks else told.ended_at
        ended = life.LevelSeen(GunState.FINISHED, told.serial, (login_ms, 2), last)
        observe(session, order, ended, at=told.ended_at)


def _record(session: Session, address: Address, record: ChargeRecord) -> None:
    """Settle by it. Its pile had 0x40 long ago; otherwise the worker would send one at its next start."""
    answers = events.record(session, address, record, record.received_at)
    sent_at = record.received_at + CONFIRMED_AFTER
    mark_published(session, [one.confirms for one in answers if one.confirms is not None], at=sent_at)
    mark_sent(session, record.pile, record.serial, at=sent_at)
