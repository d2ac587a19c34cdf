"""By which index a list of orders is walked: alternatives of equalities that each give the list's order by themselves.

`IN (…)` over stations, states or spellings of a card would make a database sort everything that fits before it gives
the first row. So each alternative is asked for one page, and the pages are merged: the cost is bounded by alternatives
times page, however many orders there are.
"""

from dataclasses import dataclass
from itertools import product

from sqlalchemy import ColumnElement, and_, false, func, or_
from sqlalchemy.orm import Session

from evcs.contracts.states import OrderState
from webapi.access import Driver, Visible
from webapi.cards.models import Vehicle
from webapi.cards.numbers import spell_uid, spellings
from webapi.customers.models import Customer
from webapi.orders.filter import OrderFilter, Sort, conditions
from webapi.orders.models import Order

MOST_WAYS = 64
"""More pages than that are not merged: the rest is a condition."""


@dataclass(frozen=True, slots=True)
class Ways:
    """`leads`: alternatives, one page of each is merged. `rest`: what every row must fulfil too."""

    leads: tuple[ColumnElement[bool], ...]
    rest: tuple[ColumnElement[bool], ...]

    @property
    def whole(self) -> ColumnElement[bool]:
        """Both as one condition, for sums."""
        return and_(or_(false(), *self.leads), *self.rest)


def ways(session: Session, sees: Visible, wish: OrderFilter) -> Ways:
    """Choose: what names few orders leads, else the stations or the operator; visible orders only, either way."""
    rest = conditions(wish)
    of_states = None if wish.states == frozenset(OrderState) else sorted(wish.states)
    narrow = _narrow(session, sees, wish)
    if narrow is not None:
        rest.append(_aside(sees, wish))
        if of_states is not None:
            rest.append(Order.state.in_(of_states))
        if wish.sort is Sort.ENDED:
            rest.append(Order.ended_at.is_not(None))
        return Ways(narrow, tuple(rest))
    if wish.sort is Sort.ENDED:
        rest.append(Order.ended_at.is_not(None))
    leads = _scope(session, sees, wish)
    if len(leads) > MOST_WAYS:
        rest.append(or_(*leads))
        leads = (sees.all_orders(),)
    if isinstance(sees.asker, Driver) and wish.station:
        rest.append(Order.station_code.in_(wish.station))
    if of_states is None:
        return Ways(leads, tuple(rest))
    if wish.sort is Sort.REQUESTED and len(leads) * len(of_states) <= MOST_WAYS:
        pairs = product(leads, of_states)
        return Ways(tuple(and_(lead, Order.state == state) for lead, state in pairs), tuple(rest))
    return Ways(leads, (*rest, Order.state.in_(of_states)))


def _scope(session: Session, sees: Visible, wish: OrderFilter) -> tuple[ColumnElement[bool], ...]:
    if wish.station and not isinstance(sees.asker, Driver):
        return sees.order_ways_at(session, sorted(set(wish.station)))
    return sees.order_ways(session)


def _aside(sees: Visible, wish: OrderFilter) -> ColumnElement[bool]:
    """Whose orders are visible, spelt so that no database walks by it."""
    if isinstance(sees.asker, Driver):
        mine: ColumnElement[bool] = func.coalesce(Order.customer_id, 0) == sees.asker.id
        return and_(mine, Order.station_code.in_(wish.station)) if wish.station else mine
    station = func.coalesce(Order.station_code, "")
    seen = sees.sees_station(station)
    return and_(seen, station.in_(wish.station)) if wish.station else seen


def _narrow(session: Session, sees: Visible, wish: OrderFilter) -> tuple[ColumnElement[bool], ...] | None:
    """What names few orders: the first of car, card, customer, pile, reason that is asked for."""
    if wish.vin is not None:
        return _of_vins((wish.vin.upper(),))
    if wish.card is not None:
        return tuple(Order.card_number == one for one in spellings(spell_uid(wish.card)))
    if wish.plate is not None:
        return _of_plate(session, sees, wish.plate.upper())
    if wish.phone is not None:
        found = session.scalars(sees.customers().where(Customer.phone == wish.phone).with_only_columns(Customer.id))
        return tuple(Order.customer_id == one for one in found)
    if wish.customer is not None:
        return (Order.customer_id == wish.customer,)
    if wish.number is not None and len(wish.number) > 2:
        return (Order.serial.between(wish.number.ljust(32, "0"), wish.number.ljust(32, "9")),)
    if wish.pile is not None:
        return (Order.pile_number == wish.pile,)
    if wish.failure is not None:
        return (Order.refusal_code == wish.failure,)
    return None


def _of_vins(vins: tuple[str, ...]) -> tuple[ColumnElement[bool], ...]:
    return tuple(column == vin for vin in vins for column in (Order.vin, Order.other_vin))


def _of_plate(session: Session, sees: Visible, plate: str) -> tuple[ColumnElement[bool], ...]:
    """Charges of the cars with this plate; where the car said no VIN, those of whoever has it bound."""
    cars = session.execute(
        sees.vehicles().where(Vehicle.plate == plate).with_only_columns(Vehicle.vin, Vehicle.customer_id)
    ).all()
    owners = sorted({owner for _, owner in cars})
    return (
        *_of_vins(tuple(sorted({vin for vin, _ in cars}))),
        *(and_(Order.customer_id == owner, Order.vin.is_(None)) for owner in owners),
    )
