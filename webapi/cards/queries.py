"""Reading cards, vehicles and attempts: numbers in full only for who needs them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, joinedload

from evcs.contracts.reasons import Reason, sentence
from evcs.contracts.states import OrderState
from webapi.access import Visible
from webapi.cards.attempt import KeptFigure
from webapi.cards.models import Card, CardAttempt, CardState, Vehicle
from webapi.cards.numbers import (
    UID_DIGITS,
    masked_card,
    masked_plate,
    masked_printed,
    masked_vin,
    spell_uid,
    spellings,
)
from webapi.cards.rights import sees_numbers
from webapi.customers.models import Customer
from webapi.http.paging import NumberKey, Page, PageWish, TimeKey, page_of, read_cursor
from webapi.orders.models import Order
from webapi.orders.refusal_view import RefusalView, refusal_of
from webapi.refusals import Figure

IN_USE = (CardState.BOUND, CardState.BLOCKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardView:
    """A card as it is shown."""

    id: int
    customer_id: int
    customer_name: str
    uid: str | None
    printed_no: str
    state: CardState
    state_since: datetime
    reason: str | None
    has_password: bool
    offline_allowed: bool
    bound_at: datetime
    unbound_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleView:
    """A vehicle as it is shown."""

    id: int
    customer_id: int
    customer_name: str
    vin: str | None
    plate: str
    plug_and_charge: bool
    state: CardState
    state_since: datetime
    reason: str | None
    bound_at: datetime
    unbound_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptView:
    """A driver's request at a pile, and what became of it."""

    id: str
    at: datetime
    station: str
    pile: str
    gun: int
    mode: str
    card: str | None
    vin: str | None
    joint_number: str | None
    customer_id: int | None
    customer_name: str | None
    serial: str | None
    order_state: OrderState | None
    refusal: RefusalView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundFilter(PageWish):
    """Which cards or vehicles: of whom, in which states, by number or customer's name."""

    q: str | None = None
    customer: int | None = None
    state: Sequence[CardState] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFilter(PageWish):
    """Which attempts; the range of `at` is half-open. `refused`: those of which no charge began."""

    station: str | None = None
    pile: str | None = None
    gun: int | None = None
    customer: int | None = None
    card: str | None = None
    refused: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


def card_view(card: Card, sees: Visible) -> CardView:
    """A card for somebody."""
    in_full = sees_numbers(sees)
    return CardView(
        id=card.id,
        customer_id=card.customer_id,
        customer_name=card.customer.name,
        uid=card.uid if in_full else masked_card(card.uid),
        printed_no=card.printed_no if in_full else masked_printed(card.printed_no),
        state=card.state,
        state_since=card.state_since,
        reason=card.reason,
        has_password=card.password_hash is not None,
        offline_allowed=card.offline_allowed,
        bound_at=card.bound_at,
        unbound_at=card.unbound_at,
    )


def vehicle_view(vehicle: Vehicle, sees: Visible) -> VehicleView:
    """A vehicle for somebody."""
    in_full = sees_numbers(sees)
    return VehicleView(
        id=vehicle.id,
        customer_id=vehicle.customer_id,
        customer_name=vehicle.customer.name,
        vin=vehicle.vin if in_full else masked_vin(vehicle.vin),
        plate=vehicle.plate if in_full else masked_plate(vehicle.plate),
        plug_and_charge=vehicle.plug_and_charge,
        state=vehicle.state,
        state_since=vehicle.state_since,
        reason=vehicle.reason,
        bound_at=vehicle.bound_at,
        unbound_at=vehicle.unbound_at,
    )


def list_cards(session: Session, sees: Visible, wish: BoundFilter) -> Page[CardView]:
    """Cards in use (or in the states asked for), newest first."""
    query = sees.cards().options(joinedload(Card.customer)).where(Card.state.in_(wish.state or IN_USE))
    if wish.customer is not None:
        query = query.where(Card.customer_id == wish.customer)
    if wish.q is not None:
        query = query.where(_card_matches(wish.q.strip(), sees))
    after = read_cursor(wish.cursor, NumberKey)
    if after is not None:
        query = query.where(Card.id < after.id)
    found = session.scalars(query.order_by(Card.id.desc()).limit(wish.limit + 1)).all()
    return page_of(found, wish.limit, lambda card: NumberKey(card.id)).map(lambda card: card_view(card, sees))


def list_vehicles(session: Session, sees: Visible, wish: BoundFilter) -> Page[VehicleView]:
    """Vehicles in use (or in the states asked for), newest first."""
    query = sees.vehicles().options(joinedload(Vehicle.customer)).where(Vehicle.state.in_(wish.state or IN_USE))
    if wish.customer is not None:
        query = query.where(Vehicle.customer_id == wish.customer)
    if wish.q is not None:
        query = query.where(_vehicle_matches(wish.q.strip(), sees))
    after = read_cursor(wish.cursor, NumberKey)
    if after is not None:
        query = query.where(Vehicle.id < after.id)
    found = session.scalars(query.order_by(Vehicle.id.desc()).limit(wish.limit + 1)).all()
    return page_of(found, wish.limit, lambda one: NumberKey(one.id)).map(lambda one: vehicle_view(one, sees))


def find_visible_card(session: Session, sees: Visible, card_id: int, *, lock: bool = False) -> Card | None:
    """One card; locked for a change."""
    query = sees.cards().where(Card.id == card_id)
    return session.scalars(query.with_for_update(of=Card) if lock else query).one_or_none()


def find_visible_vehicle(session: Session, sees: Visible, vehicle_id: int, *, lock: bool = False) -> Vehicle | None:
    """One vehicle; locked for a change."""
    query = sees.vehicles().where(Vehicle.id == vehicle_id)
    return session.scalars(query.with_for_update(of=Vehicle) if lock else query).one_or_none()


def list_attempts(session: Session, sees: Visible, wish: AttemptFilter) -> Page[AttemptView]:
    """Attempts at piles, newest first."""
    query = sees.card_attempts().options(joinedload(CardAttempt.customer), joinedload(CardAttempt.order))
    for column, wanted in (
        (CardAttempt.station_code, wish.station),
        (CardAttempt.pile_number, wish.pile),
        (CardAttempt.gun_no, wish.gun),
        (CardAttempt.customer_id, wish.customer),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    if wish.card is not None:
        query = query.where(CardAttempt.card.in_(spellings(spell_uid(wish.card))))
    if wish.refused is not None:
        failed = select(Order.serial).where(Order.serial == CardAttempt.order_serial, Order.refusal_code.is_not(None))
        is_refused = or_(CardAttempt.reason.is_not(None), failed.exists())
        query = query.where(is_refused if wish.refused else ~is_refused)
    if wish.since is not None:
        query = query.where(CardAttempt.at >= wish.since)
    if wish.until is not None:
        query = query.where(CardAttempt.at < wish.until)
    after = read_cursor(wish.cursor, TimeKey)
    if after is not None:
        query = query.where(
            (CardAttempt.at < after.at) | ((CardAttempt.at == after.at) & (CardAttempt.request_id < after.id))
        )
    found = session.scalars(
        query.order_by(CardAttempt.at.desc(), CardAttempt.request_id.desc()).limit(wish.limit + 1)
    ).all()
    return page_of(found, wish.limit, lambda one: TimeKey(one.at, one.request_id)).map(
        lambda one: _attempt_view(one, sees)
    )


def _attempt_view(attempt: CardAttempt, sees: Visible) -> AttemptView:
    in_full = sees_numbers(sees)
    order = attempt.order
    return AttemptView(
        id=attempt.request_id,
        at=attempt.at,
        station=attempt.station_code,
        pile=attempt.pile_number,
        gun=attempt.gun_no,
        mode=attempt.mode,
        card=attempt.card if in_full else masked_card(attempt.card),
        vin=attempt.vin if in_full else masked_vin(attempt.vin),
        joint_number=attempt.joint_number,
        customer_id=attempt.customer_id,
        customer_name=None if attempt.customer is None else attempt.customer.name,
        serial=attempt.order_serial,
        order_state=None if order is None else order.state,
        refusal=_refused_at_once(attempt) or (None if order is None else refusal_of(order)),
    )


def _refused_at_once(attempt: CardAttempt) -> RefusalView | None:
    if attempt.reason is None:
        return None
    kept = msgspec.json.decode(attempt.figures_json or "[]", type=tuple[KeptFigure, ...])
    figures = tuple(Figure(one.name, one.value) for one in kept)
    said = sentence(Reason(attempt.reason), **{one.name: one.value for one in figures})
    return RefusalView(attempt.reason, said.zh, said.en, figures)


def _card_matches(q: str, sees: Visible) -> ColumnElement[bool]:
    """By a whole chip number in any spelling, or the printed one; by part of it for who may read it."""
    in_full = sees_numbers(sees)
    printed = Card.printed_no.contains(q, autoescape=True) if in_full else Card.printed_no == q
    found = [printed, Customer.name.contains(q, autoescape=True)]
    uid = spell_uid(q)
    if len(uid) == UID_DIGITS:
        found.append(Card.uid.in_(spellings(uid)))
    return or_(*found)


def _vehicle_matches(q: str, sees: Visible) -> ColumnElement[bool]:
    """By VIN or plate; by part of them for who may read them."""
    upper = q.upper()
    if sees_numbers(sees):
        numbers = (Vehicle.vin.contains(upper, autoescape=True), Vehicle.plate.contains(upper, autoescape=True))
    else:
        numbers = (Vehicle.vin == upper, Vehicle.plate == upper)
    return or_(*numbers, Customer.name.contains(q, autoescape=True))
