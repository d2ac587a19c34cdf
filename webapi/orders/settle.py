"""Settling a charge record: one transaction stores it as it came, with its verdict, and moves the money."""

from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts import topics
from evcs.contracts.envelope import encode
from evcs.contracts.gun import ChargeRecord
from evcs.contracts.money import fen_of_e4
from evcs.runtime.log import get_logger
from webapi.audit.note import note
from webapi.database import ROW_LOCK
from webapi.guns.models import Gun
from webapi.orders.adopt_offline import adopt_offline
from webapi.orders.capture import Evidence, capture, correct
from webapi.orders.course import compare_vin
from webapi.orders.life import RecordOutcome
from webapi.orders.marks import begin_by_marks, readings_of
from webapi.orders.models import Bill, BillKind, Order, RecordVerdict
from webapi.orders.models import ChargeRecord as RecordRow
from webapi.orders.reckon import Agreed, Disputed, Limit, Observed, Reckoning, Unclear, needs_marks, reckon_record
from webapi.orders.record import CLOCK_TOLERANCE, Meter, fingerprint, is_clock_right
from webapi.piles.models import Pile
from webapi.tariffs.queries import price_table
from webapi.tariffs.slots import PriceTable

log = get_logger()

WORKER = "worker"
MARKS_AWAITED = "marks_awaited"
"""Why a record is in review that only the marks can explain, until they are in."""
ANOTHER_RECORD = "another_record"


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a record. The order's money and figures are written; its state is for `life` to decide.

    `order` and `outcome` are none where the record concerns no order (orphan, or sent by another gun).
    """

    row: RecordRow
    order: Order | None
    outcome: RecordOutcome | None
    has_energy: bool
    ended_at: datetime | None
    """End by the pile's clock, where that was right."""


def settle_record(session: Session, record: ChargeRecord, *, at: datetime, by: str = WORKER) -> Settled:
    """Store a charge record with its verdict and settle its order, once; the caller commits.

    settled: the first record of an order. corrected: the first after a provisional settlement. review: pile and
    platform differ (the lower figure is taken, the difference stays held), nothing to reckon by, another record for
    an order that has one, or one that only the marks explain: these come on another topic, before it or after, so
    nothing is taken until they are in (`reckon_anew`). orphan: no order has the serial, and it is no offline charge
    of a known card, for which an order is made now. The same record again only counts up.
    """
    order = session.get(Order, record.serial, with_for_update=ROW_LOCK, populate_existing=True)
    content = fingerprint(record)
    known = session.scalars(
        select(RecordRow).where(RecordRow.serial == record.serial, RecordRow.content_hash == content)
    ).one_or_none()
    if known is not None:
        known.repeats += 1
        return _done(record, known, order if _is_of(record, order) else None, RecordOutcome.REPEATED)
    if order is None:
        adopted = adopt_offline(session, record, at=at)
        if not isinstance(adopted, Order):
            return _done(record, _orphan(session, record, content, adopted, at), None, None)
        order = adopted
    if not _is_of(record, order):
        return _done(record, _store(session, record, content, RecordVerdict.REVIEW, "other_gun", at), None, None)
    bills = {bill.kind: bill for bill in session.scalars(select(Bill).where(Bill.order_serial == order.serial))}
    if bills.keys() - {BillKind.PROVISIONAL} or _awaits(session, order):
        row = _store(session, record, content, RecordVerdict.REVIEW, ANOTHER_RECORD, at)
        return _done(record, row, order, RecordOutcome.REVIEW)
    provisional = bills.get(BillKind.PROVISIONAL)
    _note_course(session, order, record, at)
    if provisional is None and needs_marks(
        record, table_of(session, order), meter_of(session, order), observed_of(order)
    ):
        row = _store(session, record, content, RecordVerdict.REVIEW, MARKS_AWAITED, at)
        return _done(record, row, order, RecordOutcome.AWAITS_MARKS)
    reckoning = reckon(session, order, record)
    verdict, why = verdict_of(reckoning, is_correction=provisional is not None)
    row = _store(session, record, content, verdict, why, at)
    return _take(session, order, record, row, reckoning, provisional, at=at, by=by)


def settle_orphan(session: Session, row: RecordRow, order: Order, *, at: datetime, by: str) -> Settled:
    """Settle a stored record by the order that a person has made of it; its verdict is no longer orphan."""
    record = topics.RECORD.decode(row.decoded_json.encode())
    _note_course(session, order, record, at)
    return take_up(session, order, row, record, at=at, by=by)


def take_up(
    session: Session, order: Order, row: RecordRow, record: ChargeRecord, *, at: datetime, by: str = WORKER
) -> Settled:
    """Settle an order without a bill by a record that is stored already, whose verdict this gives anew."""
    if order.running_version is None and not _are_times_right(record, order):
        # Nobody saw it begin, and its pile cannot say when: the first mark may have come behind the record.
        order.started_at = begin_by_marks(session, order)
    reckoning = reckon(session, order, record)
    row.verdict, row.verdict_reason = verdict_of(reckoning, is_correction=False)
    return _take(session, order, record, row, reckoning, None, at=at, by=by)


def _awaits(session: Session, order: Order) -> bool:
    """Whether a record of this order waits for its marks already."""
    waiting = select(RecordRow.id).where(
        RecordRow.serial == order.serial, RecordRow.verdict_reason == MARKS_AWAITED, RecordRow.gun_no == order.gun_no
    )
    return session.scalar(waiting.limit(1)) is not None


def _take(
    session: Session,
    order: Order,
    record: ChargeRecord,
    row: RecordRow,
    reckoning: Reckoning,
    provisional: Bill | None,
    *,
    at: datetime,
    by: str,
) -> Settled:
    """Move the money where the figures are clear."""
    if not isinstance(reckoning, Unclear):
        evidence = Evidence(row.id, fen_of_e4(record.amount_e4))
        if provisional is not None:
            correct(session, order, provisional, reckoning.figures, evidence, at=at, by=by)
        else:
            keep = reckoning.difference_fen if isinstance(reckoning, Disputed) else 0
            capture(session, order, reckoning.figures, BillKind.FINAL, evidence, keep_fen=keep, at=at, by=by)
    return _done(record, row, order, _OUTCOMES[row.verdict])


_OUTCOMES = {
    RecordVerdict.SETTLED: RecordOutcome.SETTLED,
    RecordVerdict.CORRECTED: RecordOutcome.CORRECTED,
    RecordVerdict.REVIEW: RecordOutcome.REVIEW,
}


def limit_of(order: Order) -> Limit:
    """How far the order's goal limits what its customer pays."""
    return Limit(order.goal_amount_fen, order.goal_energy_kwh)


def table_of(session: Session, order: Order) -> PriceTable | None:
    """The prices frozen at the order's start; none for a charge that nobody ordered."""
    return None if order.tariff_version_id is None else price_table(session, order.tariff_version_id)


def meter_of(session: Session, order: Order) -> Meter:
    """What is known of the meter of the order's gun."""
    pile = session.get_one(Pile, order.pile_number)
    gun = session.get_one(Gun, (order.pile_number, order.gun_no))
    return Meter.of(pile.meter_step_kwh, gun.rated_kw)


def observed_of(order: Order) -> Observed:
    """What our own clock knows of the charge; an end that only a record has told is not seen."""
    return Observed(order.requested_at, order.ended_at if order.end_observed_at is not None else None)


def reckon(session: Session, order: Order, record: ChargeRecord) -> Reckoning:
    """Both calculations of a record, with all marks that are here."""
    reckoning = reckon_record(
        record,
        table_of(session, order),
        readings_of(session, order),
        meter_of(session, order),
        limit=limit_of(order),
        observed=observed_of(order),
    )
    if order.customer_id is None and not isinstance(reckoning, Unclear) and reckoning.figures.priced.total_fen:
        return Unclear("no_payer")
    return reckoning


def verdict_of(reckoning: Reckoning, *, is_correction: bool) -> tuple[RecordVerdict, str | None]:
    """What a reckoning makes of its record, and why."""
    match reckoning:
        case Agreed():
            return (RecordVerdict.CORRECTED if is_correction else RecordVerdict.SETTLED), None
        case Disputed():
            return RecordVerdict.REVIEW, "amount_differs"
        case Unclear(why):
            return RecordVerdict.REVIEW, why


def _is_of(record: ChargeRecord, order: Order | None) -> bool:
    return order is not None and (record.pile, record.gun) == (order.pile_number, order.gun_no)


def _note_course(session: Session, order: Order, record: ChargeRecord, at: datetime) -> None:
    """Keep when it charged and how it ended: our own time first, then the pile's where its clock was right.

    Begin and end are the pile's also where they lie further back than its clock can be wrong: the link was away then,
    and what was seen is its return. A charge that nobody saw at all has them from here alone. What is settled stays.
    """
    order.stop_code = record.stop_code
    order.stop_class = record.stop_class.value
    # Seventeen bytes from a pile may be anything, also what PostgreSQL takes for no text; the record keeps them.
    compare_vin(session, order, record.vin, at=at)
    is_right = _are_times_right(record, order)
    may_move = is_right and order.settled_at is None
    if order.started_at is None:
        if record.energy_kwh > 0:
            order.started_at = record.started_at if is_right else begin_by_marks(session, order)
    elif may_move and record.started_at < order.started_at - CLOCK_TOLERANCE:
        order.started_at = record.started_at
    if order.ended_at is None:
        order.ended_at = record.ended_at if is_right else record.received_at
    elif may_move and record.ended_at < order.ended_at - CLOCK_TOLERANCE:
        order.ended_at = record.ended_at


def _are_times_right(record: ChargeRecord, order: Order) -> bool:
    return is_clock_right(record, order.requested_at) and record.started_at <= record.ended_at


def _orphan(session: Session, record: ChargeRecord, content: str, why: str, at: datetime) -> RecordRow:
    """Nobody is known who could pay: kept for a person, and said aloud."""
    row = _store(session, record, content, RecordVerdict.ORPHAN, why, at)
    log.warning("record_orphaned", pile=record.pile, gun=record.gun, serial=record.serial, reason=why)
    note(
        session,
        at=at,
        actor=f"pile:{record.pile}",
        action="record_orphaned",
        outcome=why,
        object_kind="charge_record",
        object_id=str(row.id),
    )
    return row


def _store(
    session: Session, record: ChargeRecord, content: str, verdict: RecordVerdict, why: str | None, at: datetime
) -> RecordRow:
    row = RecordRow(
        serial=record.serial,
        content_hash=content,
        pile_number=record.pile,
        gun_no=record.gun,
        frame_hex=record.frame_hex,
        decoded_json=encode(msgspec.structs.replace(record, frame_hex="")).decode(),
        energy_kwh=record.energy_kwh,
        pile_amount_e4=record.amount_e4,
        verdict=verdict,
        verdict_reason=why,
        received_at=record.received_at,
        stored_at=at,
        repeats=0,
    )
    session.add(row)
    session.flush()
    return row


def _done(record: ChargeRecord, row: RecordRow, order: Order | None, outcome: RecordOutcome | None) -> Settled:
    return Settled(
        row,
        order,
        outcome if order is not None else None,
        has_energy=record.energy_kwh > 0,
        ended_at=record.ended_at if is_clock_right(record) else None,
    )
