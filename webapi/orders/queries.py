"""Reading orders: lists by filter, everything about one, and its curves from the telemetry store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session, joinedload, object_session, selectinload

from evcs.contracts.gun import BatteryLimits, ChargeEnding, Goal, JointRole, Vehicle
from evcs.contracts.reasons import Sentence
from evcs.contracts.states import OPEN_ORDER, OrderState, StartSource, TariffBand
from evcs.store.interface import GunSeries, TelemetryReader
from webapi.access import Visible
from webapi.audit.models import AuditEntry
from webapi.cards.numbers import masked_card, masked_printed, masked_vin
from webapi.cards.rights import sees_numbers
from webapi.customers.masks import masked_phone
from webapi.customers.models import Customer
from webapi.guns.readings import LiveView, live_of, newest_of
from webapi.http.paging import Page, PageWish, TimeKey, page_of, read_cursor
from webapi.ledger.models import HoldState
from webapi.orders.course import Found, ending_of, findings_of, limits_of, vehicle_of
from webapi.orders.messages import goal_of
from webapi.orders.models import Bill, BillKind, BillRoute, ChargeRecord, Order, RecordVerdict
from webapi.orders.queued import QueueView, queue_view
from webapi.orders.refusal_view import RefusalView, refusal_of, sentence_of
from webapi.orders.trouble_texts import sentence_of_trouble
from webapi.users.roles import Right

CURVE_FIELDS = (
    "voltage_v",
    "current_a",
    "power_kw",
    "energy_kwh",
    "soc_pct",
    "cable_temp_c",
    "battery_temp_max_c",
)
CURVE_MARGIN = timedelta(minutes=2)
"""Frames may come a little after the end was seen."""


LIVE_STATES = frozenset({OrderState.CHARGING, OrderState.STOPPING})
"""In these an order shows the gun's newest values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCustomer:
    """Who pays."""

    id: int
    name: str
    phone: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldView:
    """冻结, in fen."""

    state: HoldState
    placed_fen: int
    captured_fen: int
    released_fen: int
    rest_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderView:
    """An order as lists show it. Amounts in fen, energies in kWh."""

    serial: str
    state: OrderState
    state_since: datetime
    station: str
    station_name: str
    pile: str
    gun: int
    customer: OrderCustomer | None
    source: StartSource
    goal: Goal
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    settled_at: datetime | None
    duration_s: int | None
    hold: HoldView | None
    hold_fen: int
    covered_energy_kwh: Decimal | None
    energy_kwh: Decimal | None
    electricity_fen: int
    service_fen: int
    occupancy_fen: int
    discount_fen: int
    total_fen: int
    provisional: bool
    cap_kw: Decimal | None
    stop_reason: str | None
    refusal: RefusalView | None
    trouble: str | None
    trouble_text: Sentence | None
    joint: "JointView | None"


@dataclass(frozen=True, slots=True)
class JointView:
    """Which gun of a joint charge; `serial`: the order of the other one."""

    number: str
    role: JointRole
    serial: str | None


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
    stop_code: int | None
    stop_class: str | None
    stop: StopView
    bills: tuple[BillView, ...]
    records: tuple[RecordView, ...]
    audit: tuple[AuditView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter(PageWish):
    """Which orders; the range of `requested_at` is half-open."""

    state: Sequence[OrderState] = ()
    station: str | None = None
    pile: str | None = None
    gun: int | None = None
    customer: int | None = None
    joint: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class CurvePointView:
    """One reading; what the pile does not have is none."""

    at: datetime
    voltage_v: float | None
    current_a: float | None
    power_kw: float | None
    energy_kwh: float | None
    soc_pct: float | None
    cable_temp_c: float | None
    battery_temp_max_c: float | None


@dataclass(frozen=True, slots=True)
class CurveView:
    """An order's readings in order of time."""

    serial: str
    start: datetime
    end: datetime
    points: tuple[CurvePointView, ...]


def list_orders(session: Session, sees: Visible, wish: OrderFilter) -> Page[OrderView]:
    """Orders, newest first."""
    query = sees.orders().options(joinedload(Order.customer), joinedload(Order.station), selectinload(Order.hold))
    if wish.station is not None:
        query = query.where(Order.station_code == wish.station)
    if wish.pile is not None:
        query = query.where(Order.pile_number == wish.pile)
    if wish.gun is not None:
        query = query.where(Order.gun_no == wish.gun)
    if wish.customer is not None:
        query = query.where(Order.customer_id == wish.customer)
    if wish.joint is not None:
        query = query.where(Order.joint_number == wish.joint)
    if wish.since is not None:
        query = query.where(Order.requested_at >= wish.since)
    if wish.until is not None:
        query = query.where(Order.requested_at < wish.until)
    if wish.state:
        query = query.where(Order.state.in_(wish.state))
    after = read_cursor(wish.cursor, TimeKey)
    if after is not None:
        query = query.where(tuple_(Order.requested_at, Order.serial) < tuple_(after.at, after.id))
    found = session.scalars(query.order_by(Order.requested_at.desc(), Order.serial.desc()).limit(wish.limit + 1)).all()
    return page_of(found, wish.limit, lambda order: TimeKey(order.requested_at, order.serial)).map(
        lambda order: order_view(order, sees)
    )


def find_order(session: Session, sees: Visible, serial: str) -> Order | None:
    """One order."""
    return session.scalars(sees.orders().where(Order.serial == serial)).one_or_none()


def order_view(order: Order, sees: Visible) -> OrderView:
    """An order for somebody."""
    return OrderView(
        serial=order.serial,
        state=order.state,
        state_since=order.state_since,
        station=order.station_code,
        station_name=order.station.name,
        pile=order.pile_number,
        gun=order.gun_no,
        customer=_customer(order.customer, sees),
        source=order.source,
        goal=goal_of(order),
        requested_at=order.requested_at,
        started_at=order.started_at,
        ended_at=order.ended_at,
        settled_at=order.settled_at,
        duration_s=_duration_s(order),
        hold=_hold(order),
        hold_fen=0 if order.hold is None else order.hold.rest_fen,
        covered_energy_kwh=order.covered_energy_kwh,
        energy_kwh=order.energy_kwh,
        electricity_fen=order.electricity_fen,
        service_fen=order.service_fen,
        occupancy_fen=order.occupancy_fen,
        discount_fen=order.discount_fen,
        total_fen=order.total_fen,
        provisional=order.provisional,
        cap_kw=order.cap_kw,
        stop_reason=order.stop_reason,
        refusal=refusal_of(order),
        trouble=order.exception_code,
        trouble_text=sentence_of_trouble(order.exception_code),
        joint=_joint(order, sees),
    )


def order_detail(
    session: Session, sees: Visible, serial: str, telemetry: TelemetryReader, *, at: datetime
) -> OrderDetail | None:
    """Everything about one order; while it charges with the newest live values."""
    order = find_order(session, sees, serial)
    if order is None:
        return None
    view = order_view(order, sees)
    in_full = sees_numbers(sees)
    said = sentence_of(order.stop_reason)
    newest = newest_of(telemetry, [_series(order)] if order.state in LIVE_STATES else [])
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
        live=None if newest is None else live_of(newest.get(_series(order)), order.serial, at),
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
        ),
        bills=_bills(session, serial),
        records=_records(session, order),
        audit=_audit(session, sees, serial),
    )


def order_curve(order: Order, telemetry: TelemetryReader, *, most: int, at: datetime) -> CurveView:
    """The readings of an order's charge; raises StoreUnavailable."""
    start = order.requested_at
    # What closed without an end that anybody saw did so when it entered its state: no need to look at what came since.
    closed = at if order.state in OPEN_ORDER else order.state_since
    end = (order.ended_at or order.end_observed_at or closed) + CURVE_MARGIN
    curve = telemetry.curve(_series(order), start, max(end, start), ("serial", *CURVE_FIELDS), most)
    points = tuple(
        CurvePointView(point.at, *(None if value is None else float(value) for value in point.values[1:]))
        for point in curve.points
        if point.values[0] == order.serial
    )
    return CurveView(order.serial, start, end, points)


def _series(order: Order) -> GunSeries:
    return GunSeries(order.station_code, order.pile_number, order.gun_no)


def _joint(order: Order, sees: Visible) -> JointView | None:
    session = object_session(order)
    if order.joint_number is None or order.joint_role is None or session is None:
        return None
    other = session.scalar(
        sees.orders()
        .where(
            Order.pile_number == order.pile_number,
            Order.joint_number == order.joint_number,
            Order.serial != order.serial,
        )
        .with_only_columns(Order.serial)
        .order_by(Order.serial.desc())
        .limit(1)
    )
    return JointView(order.joint_number, JointRole(order.joint_role), other)


def _duration_s(order: Order) -> int | None:
    """How long it charged, once that is over."""
    if order.started_at is None or order.ended_at is None:
        return None
    return max(0, round((order.ended_at - order.started_at).total_seconds()))


def _customer(customer: Customer | None, sees: Visible) -> OrderCustomer | None:
    if customer is None:
        return None
    in_full = Right.SEE_PHONES in sees.asker.rights
    return OrderCustomer(
        id=customer.id, name=customer.name, phone=customer.phone if in_full else masked_phone(customer.phone)
    )


def _hold(order: Order) -> HoldView | None:
    hold = order.hold
    if hold is None:
        return None
    return HoldView(
        state=hold.state,
        placed_fen=hold.placed_fen,
        captured_fen=hold.captured_fen,
        released_fen=hold.released_fen,
        rest_fen=hold.rest_fen,
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
        )
        for row in rows
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
