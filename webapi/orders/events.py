"""What orders do on MQTT messages: verdicts, replies, meter marks, charge records, gun events.

Each function takes the session, the topic's levels, the payload and the time, changes rows, and gives back what is to
be published before the message is acknowledged. A message may come again, late, or for an order that nobody knows.
"""

from datetime import datetime
from decimal import Decimal

import msgspec
from sqlalchemy.orm import Session

from evcs.contracts.gun import (
    ChargeRecord,
    GunEvent,
    GunEventKind,
    GunReply,
    MeterMark,
    Verdict,
    VerdictKind,
)
from evcs.contracts.pile import Outcome
from evcs.contracts.reasons import Reason
from evcs.contracts.topics import Address
from evcs.runtime.log import get_logger
from webapi.orders import life
from webapi.orders.advance import lock_order, observe, publish_change
from webapi.orders.card_start import card_request
from webapi.orders.confirm import confirmation, mark_sent
from webapi.orders.course import COURSE, keep_course
from webapi.orders.evidence_keep import keep_card_request, keep_event, keep_reply, keep_verdict
from webapi.orders.extend_hold import hold_low
from webapi.orders.marks import keep_mark
from webapi.orders.models import Order
from webapi.orders.queued import line_of
from webapi.orders.settle import settle_record
from webapi.orders.stop_steps import stop_replied
from webapi.worker.answers import NOTHING, Answers

log = get_logger()


def verdict(session: Session, address: Address, said: Verdict, at: datetime) -> Answers:
    """The gate's decision about the request in force, or what it found out about a running order."""
    order = _order_of(session, address, said.serial)
    if order is None:
        return NOTHING
    keep_verdict(session, order, said)
    match said.kind:
        case VerdictKind.GOAL_REACHED:
            _goal_reached(session, order, said, at)
        case VerdictKind.HOLD_LOW:
            hold_low(session, order, said, at=at)
        case VerdictKind.ADMITTED | VerdictKind.QUEUED | VerdictKind.REFUSED if said.request == order.request_id:
            _answered(session, order, said, at)
    return NOTHING


def _goal_reached(session: Session, order: Order, said: Verdict, at: datetime) -> None:
    wished = order.stop_requested_at is not None
    observe(session, order, life.GoalReached(said.reason or Reason.GOAL_REACHED), at=at)
    if not wished and order.stop_requested_at is not None:
        order.stop_asked_by = "rules"


def _answered(session: Session, order: Order, said: Verdict, at: datetime) -> None:
    if said.kind is VerdictKind.QUEUED and order.state not in life.BEFORE_COMMAND:
        observe(session, order, life.Queued(said.queue_until), at=at)
        return
    line = line_of(order)
    if said.kind is VerdictKind.QUEUED and line is not None and line.since < said.decided_at:
        return  # a gate that started anew meanwhile has put it behind the others: the first place counts
    order.verdict_json = msgspec.json.encode(said).decode()
    if said.kind is VerdictKind.ADMITTED:
        order.cap_kw = None if said.cap_kw is None else Decimal(str(round(said.cap_kw, 3)))
        order.admitted_at = order.admitted_at or said.decided_at
        observe(session, order, life.Admitted(), at=at)
    elif said.kind is VerdictKind.QUEUED:
        observe(session, order, life.Queued(said.queue_until), at=at)
    else:
        order.refusal_figures_json = msgspec.json.encode(said.figures).decode()
        observe(session, order, life.Refused(said.reason or Reason.EXPIRED), at=at)


def reply(session: Session, address: Address, said: GunReply, at: datetime) -> Answers:
    """What became of a start or stop at the pile."""
    order = _order_of(session, address, said.serial)
    if order is None:
        return NOTHING
    keep_reply(session, order, said)
    if said.command == "stop":
        stop_replied(session, order, said.id, said.outcome, at=at)
        observe(session, order, life.StopReplied(said.outcome), at=at)
        return NOTHING
    reason = said.reason
    if reason is None and said.outcome is Outcome.REFUSED:
        reason = Reason.PILE_REFUSED
    if reason is Reason.PILE_REFUSED:
        order.refusal_figures_json = msgspec.json.encode(
            PileRefusal(pile_code=said.pile_code, zh=said.pile_text_zh, en=said.pile_text_en)
        ).decode()
    observe(session, order, life.StartReplied(said.outcome, reason), at=at)
    return NOTHING


class PileRefusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a pile refused a start, in its own words."""

    pile_code: int | None
    zh: str
    en: str


def meter(session: Session, address: Address, mark: MeterMark, at: datetime) -> Answers:
    """Keep a register mark, from which a charge without a record is billed."""
    order = _order_of(session, address, mark.serial)
    if order is not None and keep_mark(session, order, mark):
        observe(session, order, life.MarkSeen(), at=at)
    return NOTHING


def record(session: Session, address: Address, said: ChargeRecord, at: datetime) -> Answers:
    """Settle a charge record; its confirmation goes out before the message is acknowledged, however often it comes."""
    settled = settle_record(session, said, at=at)
    order = settled.order
    if order is not None and settled.outcome is not None:
        before = order.state
        stored = life.RecordStored(settled.outcome, settled.has_energy, order.ended_at)
        observe(session, order, stored, at=at)
        if order.state is before and settled.outcome is not life.RecordOutcome.REPEATED:
            session.flush()
            publish_change(session, order, at=at)
    log.info(
        "record_stored",
        serial=said.serial,
        verdict=settled.row.verdict.value,
        why=settled.row.verdict_reason,
        repeats=settled.row.repeats,
        total_fen=None if order is None else order.total_fen,
    )
    return (confirmation(settled.row, address.station),)


def gun_event(session: Session, address: Address, event: GunEvent, at: datetime) -> Answers:
    """A driver at the pile, a failed start, a confirmation that is written, what car and charger say of the charge.

    What else happens to a gun shows in its level or as an alarm.
    """
    if event.kind is GunEventKind.CONFIRM_SENT and event.serial is not None:
        mark_sent(session, address.pile, event.serial, at=at)
    elif event.kind is GunEventKind.START_FAILED:
        order = _order_of(session, address, event.serial)
        if order is not None:
            keep_event(session, order, event)
            observe(session, order, life.StartFailed(event.reason), at=at)
    elif event.kind is GunEventKind.CARD_REQUEST:
        card_request(session, address, event, at)
        keep_card_request(session, event)
    elif event.kind in COURSE:
        order = _order_of(session, address, event.serial)
        if order is not None:
            keep_course(session, order, event, at=at)
            keep_event(session, order, event)
    return NOTHING


def _order_of(session: Session, address: Address, serial: str | None) -> Order | None:
    """The order of a serial, locked, if it is one of this gun: nobody speaks for another's."""
    if serial is None:
        return None
    order = lock_order(session, serial)
    if order is None or (order.pile_number, order.gun_no) != (address.pile, address.gun):
        return None
    return order
