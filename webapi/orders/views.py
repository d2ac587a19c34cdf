"""An order as lists show it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import object_session

from evcs.contracts.gun import Goal, JointRole
from evcs.contracts.reasons import Sentence
from evcs.contracts.states import OrderState, StartSource
from webapi.access import Visible
from webapi.customers.masks import masked_phone
from webapi.customers.models import Customer
from webapi.ledger.models import HoldState
from webapi.orders.messages import goal_of
from webapi.orders.models import Order
from webapi.orders.refusal_view import RefusalView, refusal_of
from webapi.orders.trouble_texts import sentence_of_trouble
from webapi.users.roles import Right


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
