"""Everything about one order: what was billed by which record, who did what, and what it does now."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from evcs.contracts import topics
from evcs.contracts.gun import BatteryLimits, ChargeEnding, Vehicle
from evcs.contracts.states import OrderState, TariffBand
from evcs.store.interface import TelemetryReader
from webapi.access import Visible
from webapi.audit.models import AuditEntry
from webapi.cards.numbers import masked_card, masked_printed, masked_vin
from webapi.cards.rights import sees_numbers
from webapi.guns.readings import LiveView, live_of, newest_of
from webapi.orders.course import Found, ending_of, findings_of, limits_of, vehicle_of
from webapi.orders.curve import series_of
from webapi.orders.models import Bill, BillKind, BillRoute, ChargeRecord, Order, RecordVerdict
from webapi.orders.queries import find_order
from webapi.orders.queued import QueueView, queue_view
from webapi.orders.record import has_energy, is_clock_right
from webapi.orders.refusal_view import sentence_of
from webapi.orders.stop_steps import StopSteps, stop_steps
from webapi.orders.views import OrderView, order_view
from webapi.users.roles import Right

LIVE_STATES = frozenset({OrderState.CHARGING, OrderState.STOPPING})
"""In these an order shows the gun's newest values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLineView:
    """One band of a bill."""

    band: TariffBand
    energy_kwh: Decimal
    metered_kwh: Decimal
    energy_price_e5: int
    service_price_e5: int
    electricity_fen: int
    service_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BillView:
    """A bill with its lines, which add up to it."""

    kind: BillKind
    route: BillRoute
    tariff_version: str | None
    energy_kwh: Decimal
    electricity_fen: int
    service_fen: int
    occupancy_fen: int
    discount_fen: int
    discount_code: str | None
    total_fen: int
    pile_total_fen: int | None
    made_at: datetime
    lines: tuple[BillLineView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordView:
    """A charge record of the pile and what became of it."""

    verdict: RecordVerdict
    verdict_reason: str | None
    energy_kwh: Decimal
    pile_amount_e4: int
    received_at: datetime
    stored_at: datetime
    repeats: int
    confirmed_at: datetime | None
    confirm_sent_at: datetime | None
    clock_wrong: bool
    clock_offset_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditView:
    """Who did what to the order."""

    at: datetime
    actor: str
    action: str
    outcome: str
    address: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopView:
    """Who wanted it to end and how the pile says it ended."""

    reason: str | None
    zh: str | None
    en: str | None
    asked_by: str | None
    requested_at: datetime | None
    code: int | None
    kind: str | None
    steps: StopSteps | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDetail(OrderView):
    """Everything about an order."""

    card: str | None
    printed_card: str | None
    vin: str | None
    other_vin: str | None
    vehicle: Vehicle | None
    limits: BatteryLimits | None
    ending: ChargeEnding | None
    findings: tuple[Found, ...]
    live: LiveView | None
    queue: QueueView | None
    live_available: bool
    created_by: str
    tariff_version: str | None
    pile_balance_fen: int | None
    admitted_at: datetime | None
    stop_requested_at: datetime | None
    end_observed_at: datetime | None
    deadline_at: datetime | None
    business_date: date | None
    pile_total_fen: int | None
    clock_wrong: bool
    """A record of it was not believed for the pile's clock: it is billed by its marks, in our time."""
    stop_code: int | None
    stop_class: str | None
    stop: StopView
    bills: tuple[BillView, ...]
    records: tuple[RecordView, ...]
    audit: tuple[AuditView, ...]


def order_detail(
    session: Session, sees: Visible, serial: str, telemetry: TelemetryReader, *, at: datetime
) -> OrderDetail | None:
    """Everything about one order; while it charges with the newest live values."""
    order = find_order(session, sees, serial)
    if order is None:
        return None
    view = order_view(order, sees)
    in_full = sees_numbers(sees)
    records = _records(session, order)
    said = sentence_of(order.stop_reason)
    newest = newest_of(telemetry, [series_of(order)] if order.state in LIVE_STATES else [])
    return OrderDetail(
        **{name: getattr(view, name) for name in OrderView.__dataclass_fields__},
        card=order.card_number if in_full else masked_card(order.card_number),
        printed_card=(order.printed_card if in_full else masked_printed(order.printed_card or "")) or None,
        vin=order.vin if in_full else masked_vin(order.vin),
        other_vin=order.other_vin if in_full else masked_vin(order.other_vin),
        vehicle=vehicle_of(order),
        limits=limits_of(order),
        ending=ending_of(order),
        findings=findings_of(order).items,
        live=None if newest is None else live_of(newest.get(series_of(order)), order.serial, at),
        queue=queue_view(order),
        live_available=newest is not None,
        created_by=order.created_by,
        tariff_version=order.tariff_version_id,
        pile_balance_fen=order.pile_balance_fen,
        admitted_at=order.admitted_at,
        stop_requested_at=order.stop_requested_at,
        end_observed_at=order.end_observed_at,
        deadline_at=order.deadline_at,
        business_date=order.business_date,
        pile_total_fen=order.pile_total_fen,
        clock_wrong=any(one.clock_wrong for one in records),
        stop_code=order.stop_code,
        stop_class=order.stop_class,
        stop=StopView(
            reason=order.stop_reason,
            zh=None if said is None else said.zh,
            en=None if said is None else said.en,
            asked_by=order.stop_asked_by,
            requested_at=order.stop_requested_at,
            code=order.stop_code,
            kind=order.stop_class,
            steps=stop_steps(session, order),
        ),
        bills=_bills(session, serial),
        records=records,
        audit=_audit(session, sees, serial),
    )


def _bills(session: Session, serial: str) -> tuple[BillView, ...]:
    bills = session.scalars(
        select(Bill).where(Bill.order_serial == serial).options(selectinload(Bill.lines)).order_by(Bill.id)
    )
    order_of_bands = {band: place for place, band in enumerate(TariffBand)}
    return tuple(
        BillView(
            kind=bill.kind,
            route=bill.route,
            tariff_version=bill.tariff_version_id,
            energy_kwh=bill.energy_kwh,
            electricity_fen=bill.electricity_fen,
            service_fen=bill.service_fen,
            occupancy_fen=bill.occupancy_fen,
            discount_fen=bill.discount_fen,
            discount_code=bill.discount_code,
            total_fen=bill.total_fen,
            pile_total_fen=bill.pile_total_fen,
            made_at=bill.made_at,
            lines=tuple(
                BillLineView(
                    band=line.band,
                    energy_kwh=line.energy_kwh,
                    metered_kwh=line.metered_kwh,
                    energy_price_e5=line.energy_price_e5,
                    service_price_e5=line.service_price_e5,
                    electricity_fen=line.electricity_fen,
                    service_fen=line.service_fen,
                )
                for line in sorted(bill.lines, key=lambda line: order_of_bands[line.band])
            ),
        )
        for bill in bills
    )


def _records(session: Session, order: Order) -> tuple[RecordView, ...]:
    """Records with this serial that came from this order's pile."""
    rows = session.scalars(
        select(ChargeRecord)
        .where(ChargeRecord.serial == order.serial, ChargeRecord.pile_number == order.pile_number)
        .order_by(ChargeRecord.id)
    )
    return tuple(
        RecordView(
            verdict=row.verdict,
            verdict_reason=row.verdict_reason,
            energy_kwh=row.energy_kwh,
            pile_amount_e4=row.pile_amount_e4,
            received_at=row.received_at,
            stored_at=row.stored_at,
            repeats=row.repeats,
            confirmed_at=row.confirmed_at,
            confirm_sent_at=row.confirm_sent_at,
            clock_wrong=has_energy(said) and not is_clock_right(said, order.requested_at),
            clock_offset_s=said.clock_offset_s,
        )
        for row in rows
        for said in (topics.RECORD.decode(row.decoded_json.encode()),)
    )


def _audit(session: Session, sees: Visible, serial: str) -> tuple[AuditView, ...]:
    if Right.SEE_AUDIT not in sees.asker.rights:
        return ()
    rows = session.scalars(
        select(AuditEntry)
        .where(AuditEntry.object_kind == "order", AuditEntry.object_id == serial)
        .order_by(AuditEntry.id)
    )
    return tuple(
        AuditView(at=row.at, actor=row.actor, action=row.action, outcome=row.outcome, address=row.address)
        for row in rows
    )
