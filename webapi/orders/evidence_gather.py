"""Gathering the facts of a bundle from the rows."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from evcs.contracts import topics
from webapi.faults.models import AlarmRecord
from webapi.guns.models import Gun
from webapi.ledger.models import Account, Entry, Hold, Transaction, Wallet
from webapi.orders.evidence import (
    FORMAT,
    BillFacts,
    Bundle,
    EntryFacts,
    FaultFacts,
    FrameFacts,
    HoldFacts,
    LineFacts,
    MarkFacts,
    MeterFacts,
    OrderFacts,
    PostingFacts,
    RecordFacts,
    TariffFacts,
    WalletFacts,
)
from webapi.orders.evidence_models import OrderFrame
from webapi.orders.marks import readings_of
from webapi.orders.models import Bill, ChargeRecord, Order, OrderMark
from webapi.piles.models import Pile
from webapi.tariffs.models import TariffVersion
from webapi.tariffs.queries import price_table


def gather(session: Session, order: Order, bill: Bill, *, at: datetime) -> Bundle:
    """Everything that a bill just written rests on; the money is posted and the hold closed already."""
    before = session.scalars(
        select(Bill).where(Bill.order_serial == order.serial, Bill.id < bill.id).order_by(Bill.id.desc()).limit(1)
    ).one_or_none()
    pile = session.get_one(Pile, order.pile_number)
    gun = session.get_one(Gun, (order.pile_number, order.gun_no))
    return Bundle(
        format=FORMAT,
        made_at=at,
        order=_order(order),
        tariff=None if order.tariff_version_id is None else tariff_facts(session, order.tariff_version_id),
        meter=MeterFacts(step_kwh=pile.meter_step_kwh, rated_kw=gun.rated_kw),
        marks=mark_facts(session, order),
        records=tuple(record_facts(row) for row in _records(session, order)),
        bill=bill_facts(bill),
        before=None if before is None else bill_facts(before),
        hold=_hold(session, order),
        wallet_after=_wallet(session, order),
        postings=posting_facts(session, order.serial),
        frames=frame_facts(session, order.serial),
        faults=tuple(
            FaultFacts(
                id=row.alarm_id,
                kind=row.kind.value,
                code=row.code,
                severity=row.severity.value,
                raised_at=row.raised_at,
            )
            for row in faults_of(session, order, at)
        ),
    )


def tariff_facts(session: Session, version_id: str) -> TariffFacts:
    """A tariff version."""
    table = price_table(session, version_id)
    model = session.get_one(TariffVersion, version_id).model_digits
    return TariffFacts(version=version_id, model=model, slots=table.slots, prices=table.prices)


def mark_facts(session: Session, order: Order) -> tuple[MarkFacts, ...]:
    """The marks of an order behind the begin that the reckoning puts before them."""
    whys = {
        mark.at: mark.why.value
        for mark in session.scalars(select(OrderMark).where(OrderMark.order_serial == order.serial))
    }
    return tuple(
        MarkFacts(at=one.at, energy_kwh=one.energy_kwh, why=whys.get(one.at, "begin"))
        for one in readings_of(session, order)
    )


def record_facts(row: ChargeRecord) -> RecordFacts:
    """A stored charge record."""
    return RecordFacts(
        id=row.id,
        content_hash=row.content_hash,
        frame_hex=row.frame_hex,
        verdict=row.verdict.value,
        why=row.verdict_reason,
        said=topics.RECORD.decode(row.decoded_json.encode()),
    )


def bill_facts(bill: Bill) -> BillFacts:
    """A bill, its lines in the order of the bands."""
    lines = {line.band: line for line in bill.lines}
    return BillFacts(
        id=bill.id,
        kind=bill.kind.value,
        route=bill.route.value,
        record=bill.record_id,
        energy_kwh=bill.energy_kwh,
        electricity_fen=bill.electricity_fen,
        service_fen=bill.service_fen,
        discount_fen=bill.discount_fen,
        total_fen=bill.total_fen,
        pile_total_fen=bill.pile_total_fen,
        made_at=bill.made_at,
        lines=tuple(
            LineFacts(
                band=band,
                energy_kwh=lines[band].energy_kwh,
                metered_kwh=lines[band].metered_kwh,
                energy_price_e5=lines[band].energy_price_e5,
                service_price_e5=lines[band].service_price_e5,
                electricity_fen=lines[band].electricity_fen,
                service_fen=lines[band].service_fen,
            )
            for band in sorted(lines)
        ),
    )


def posting_facts(session: Session, serial: str) -> tuple[PostingFacts, ...]:
    """What the ledger has of an order, oldest first."""
    entries: dict[int, list[EntryFacts]] = {}
    rows = session.execute(
        select(Entry.transaction_id, Account.code, Entry.amount_fen)
        .join(Account, Account.id == Entry.account_id)
        .join(Transaction, Transaction.id == Entry.transaction_id)
        .where(Transaction.order_serial == serial)
        .order_by(Account.code)
    )
    for transaction, code, amount in rows:
        entries.setdefault(transaction, []).append(EntryFacts(account=code, amount_fen=amount))
    found = session.scalars(select(Transaction).where(Transaction.order_serial == serial).order_by(Transaction.id))
    return tuple(
        PostingFacts(
            id=one.id,
            key=one.key,
            kind=one.kind.value,
            posting_date=one.posting_date,
            at=one.created_at,
            by=one.created_by,
            entries=tuple(entries.get(one.id, ())),
        )
        for one in found
    )


def frame_facts(session: Session, serial: str) -> tuple[FrameFacts, ...]:
    """The messages about an order as they came."""
    rows = session.scalars(select(OrderFrame).where(OrderFrame.order_serial == serial).order_by(OrderFrame.id))
    return tuple(
        FrameFacts(kind=row.kind.value, id=row.message_id, at=row.at, frame_hex=row.frame_hex, said=row.said_json)
        for row in rows
    )


def faults_of(session: Session, order: Order, at: datetime) -> Sequence[AlarmRecord]:
    """Faults and warnings of the gun, its pile and its transformer that stood in the order's time."""
    transformer = session.get_one(Pile, order.pile_number).transformer_code
    return session.scalars(
        select(AlarmRecord)
        .where(
            AlarmRecord.station_code == order.station_code,
            AlarmRecord.raised_at <= (order.ended_at or at),
            or_(AlarmRecord.cleared_at.is_(None), AlarmRecord.cleared_at >= order.requested_at),
            or_(AlarmRecord.pile_number == order.pile_number, AlarmRecord.pile_number.is_(None)),
            or_(AlarmRecord.gun_no == order.gun_no, AlarmRecord.gun_no.is_(None)),
            or_(AlarmRecord.transformer_code == transformer, AlarmRecord.transformer_code.is_(None)),
        )
        .order_by(AlarmRecord.raised_at, AlarmRecord.id)
        .limit(200)
    ).all()


def _order(order: Order) -> OrderFacts:
    return OrderFacts(
        serial=order.serial,
        station=order.station_code,
        pile=order.pile_number,
        gun=order.gun_no,
        customer=order.customer_id,
        source=order.source.value,
        goal=order.goal_kind.value,
        goal_amount_fen=order.goal_amount_fen,
        goal_energy_kwh=order.goal_energy_kwh,
        goal_duration_s=order.goal_duration_s,
        requested_at=order.requested_at,
        admitted_at=order.admitted_at,
        started_at=order.started_at,
        ended_at=order.ended_at,
        end_observed_at=order.end_observed_at,
        stop_asked_by=order.stop_asked_by,
        stop_reason=order.stop_reason,
        stop_code=order.stop_code,
        verdict=order.verdict_json,
    )


def _records(session: Session, order: Order) -> Sequence[ChargeRecord]:
    return session.scalars(
        select(ChargeRecord)
        .where(
            ChargeRecord.serial == order.serial,
            ChargeRecord.pile_number == order.pile_number,
            ChargeRecord.gun_no == order.gun_no,
        )
        .order_by(ChargeRecord.id)
    ).all()


def _hold(session: Session, order: Order) -> HoldFacts | None:
    hold = session.get(Hold, order.serial)
    if hold is None:
        return None
    return HoldFacts(
        state=hold.state.value,
        placed_fen=hold.placed_fen,
        captured_fen=hold.captured_fen,
        released_fen=hold.released_fen,
        extensions=hold.extensions,
        placed_at=hold.placed_at,
        closed_at=hold.closed_at,
    )


def _wallet(session: Session, order: Order) -> WalletFacts | None:
    """Read by columns: the trigger moved the balances behind the session's back."""
    row = session.execute(
        select(Wallet.available_fen, Wallet.held_fen, Wallet.gift_fen, Wallet.debt_fen).where(
            Wallet.customer_id == order.customer_id
        )
    ).one_or_none()
    if row is None:
        return None
    return WalletFacts(available_fen=row[0], held_fen=row[1], gift_fen=row[2], debt_fen=row[3])


def bill_of(session: Session, bill_id: int) -> Bill | None:
    """A bill with its lines as the database has them."""
    return session.get(Bill, bill_id, options=[selectinload(Bill.lines)], populate_existing=True)
