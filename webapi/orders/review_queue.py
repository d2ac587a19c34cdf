"""Orders in review that wait for a person, with both calculations side by side."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session, joinedload

from evcs.contracts import topics
from evcs.contracts.gun import BandEnergy
from evcs.contracts.gun import ChargeRecord as Record
from evcs.contracts.reasons import Sentence
from evcs.contracts.states import OrderState, TariffBand
from webapi.access import Visible
from webapi.http.matching import etag_of
from webapi.http.paging import Page, PageWish, TimeKey, page_of, read_cursor
from webapi.orders.life import Trouble
from webapi.orders.marks import readings_of
from webapi.orders.models import Bill, BillKind, BillRoute, ChargeRecord, Order
from webapi.orders.reckon import Figures
from webapi.orders.settle import ANOTHER_RECORD, limit_of, meter_of, observed_of, table_of
from webapi.orders.trouble_texts import sentence_of_trouble
from webapi.orders.two_sides import Sides, two_sides
from webapi.tariffs.price import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class SideView:
    """One calculation in full, as it would be booked. In fen and kWh."""

    route: BillRoute
    energy_kwh: Decimal
    electricity_fen: int
    service_fen: int
    discount_fen: int
    total_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BandView:
    """One band: ours, and what the pile said of it. Prices in 0.00001 yuan/kWh (ours: electricity + service)."""

    band: TariffBand
    energy_kwh: Decimal | None
    price_e5: int | None
    amount_fen: int | None
    pile_energy_kwh: Decimal | None
    pile_price_e5: int | None
    pile_amount_e4: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewView:
    """An order in review. `reason`: why its record is not settled, else the order's trouble."""

    serial: str
    etag: str
    station: str
    station_name: str
    pile: str
    gun: int
    customer_id: int | None
    reason: str | None
    trouble_text: Sentence | None
    since: datetime
    deadline: datetime | None
    billed_fen: int | None
    held_fen: int
    pile_energy_kwh: Decimal | None
    pile_amount_e4: int | None
    platform: SideView
    pile_side: SideView | None
    difference_fen: int | None
    bands: tuple[BandView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFilter(PageWish):
    """Which reviews."""

    station: str | None = None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """An order in review: what is billed until now, the record in question, both calculations."""

    bill: Bill | None
    row: ChargeRecord | None
    record: Record | None
    sides: Sides


def list_reviews(session: Session, sees: Visible, wish: ReviewFilter) -> Page[ReviewView]:
    """Reviews that a person can decide, the one whose time is over first at the head."""
    query = _waiting(sees)
    if wish.station is not None:
        query = query.where(Order.station_code == wish.station)
    after = read_cursor(wish.cursor, TimeKey)
    if after is not None:
        query = query.where(tuple_(Order.deadline_at, Order.serial) > tuple_(after.at, after.id))
    found = session.scalars(query.order_by(Order.deadline_at, Order.serial).limit(wish.limit + 1)).all()
    return page_of(found, wish.limit, lambda one: TimeKey(one.deadline_at or one.state_since, one.serial)).map(
        lambda order: review_view(session, order)
    )


def find_review(session: Session, sees: Visible, serial: str) -> Order | None:
    """One of them."""
    return session.scalars(_waiting(sees).where(Order.serial == serial)).one_or_none()


def reviewed(session: Session, order: Order) -> Reviewed:
    """Both calculations of an order, by the record that its bill rests on, else by the first that it has."""
    bill = session.scalars(
        select(Bill).where(Bill.order_serial == order.serial).order_by(Bill.id.desc()).limit(1)
    ).one_or_none()
    row = _record(session, order, bill)
    record = None if row is None else topics.RECORD.decode(row.decoded_json.encode())
    sides = two_sides(
        record,
        table_of(session, order),
        readings_of(session, order),
        meter_of(session, order),
        limit=limit_of(order),
        observed=observed_of(order),
    )
    return Reviewed(bill, row, record, sides)


def review_view(session: Session, order: Order) -> ReviewView:
    """An order in review as a clerk sees it."""
    found = reviewed(session, order)
    sides, row = found.sides, found.row
    return ReviewView(
        serial=order.serial,
        etag=etag_of(order.version),
        station=order.station_code,
        station_name=order.station.name,
        pile=order.pile_number,
        gun=order.gun_no,
        customer_id=order.customer_id,
        reason=order.exception_code if row is None else row.verdict_reason or order.exception_code,
        trouble_text=sentence_of_trouble(order.exception_code),
        since=order.state_since,
        deadline=order.deadline_at,
        billed_fen=None if found.bill is None else found.bill.total_fen,
        held_fen=0 if order.hold is None else order.hold.rest_fen,
        pile_energy_kwh=None if row is None else row.energy_kwh,
        pile_amount_e4=None if row is None else row.pile_amount_e4,
        platform=_side(sides.platform),
        pile_side=None if sides.pile is None else _side(sides.pile),
        difference_fen=None if sides.pile is None else sides.pile.total_fen - sides.platform.total_fen,
        bands=_bands(sides.platform, found.record),
    )


def is_waiting(order: Order) -> bool:
    """Whether a person can decide it: it is in review, and all its marks are in."""
    return order.state is OrderState.REVIEW and order.exception_code != Trouble.MARKS_AWAITED.value


def _waiting(sees: Visible) -> Select[Order]:
    return (
        sees.orders()
        .where(Order.state == OrderState.REVIEW, Order.exception_code.is_distinct_from(Trouble.MARKS_AWAITED.value))
        .options(joinedload(Order.hold), joinedload(Order.station))
    )


def _record(session: Session, order: Order, bill: Bill | None) -> ChargeRecord | None:
    if bill is not None and bill.kind is not BillKind.PROVISIONAL and bill.record_id is not None:
        return session.get_one(ChargeRecord, bill.record_id)
    return session.scalars(
        select(ChargeRecord)
        .where(
            ChargeRecord.serial == order.serial,
            ChargeRecord.pile_number == order.pile_number,
            ChargeRecord.gun_no == order.gun_no,
            ChargeRecord.verdict_reason.is_distinct_from(ANOTHER_RECORD),
        )
        .order_by(ChargeRecord.id)
        .limit(1)
    ).one_or_none()


def _side(figures: Figures) -> SideView:
    return SideView(
        route=figures.route,
        energy_kwh=figures.priced.energy_kwh,
        electricity_fen=figures.priced.electricity_fen,
        service_fen=figures.priced.service_fen,
        discount_fen=figures.discount_fen,
        total_fen=figures.total_fen,
    )


def _bands(platform: Figures, record: Record | None) -> tuple[BandView, ...]:
    ours: dict[TariffBand, Line] = {line.band: line for line in platform.priced.lines}
    theirs: dict[TariffBand, BandEnergy] = {one.band: one for one in record.bands} if record else {}
    return tuple(_band(band, ours.get(band), theirs.get(band)) for band in TariffBand if band in ours or band in theirs)


def _band(band: TariffBand, ours: Line | None, said: BandEnergy | None) -> BandView:
    return BandView(
        band=band,
        energy_kwh=None if ours is None else ours.billed_kwh,
        price_e5=None if ours is None else ours.energy_price_e5 + ours.service_price_e5,
        amount_fen=None if ours is None else ours.electricity_fen + ours.service_fen,
        pile_energy_kwh=None if said is None else said.loss_energy_kwh or said.energy_kwh,
        pile_price_e5=None if said is None else said.price_e5,
        pile_amount_e4=None if said is None else said.amount_e4,
    )
