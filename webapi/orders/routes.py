"""Orders over HTTP: place, list, detail, curve, stop."""

from http import HTTPStatus

import msgspec
from sqlalchemy.exc import NoResultFound

from evcs.contracts.gun import Goal
from evcs.contracts.states import StartSource
from webapi.access import Driver
from webapi.audit.record import record
from webapi.customers.models import Customer
from webapi.customers.queries import find_customer
from webapi.guns.models import Gun
from webapi.http.call import Call
from webapi.http.field_messages import told
from webapi.http.paging import Page
from webapi.http.problems import FieldError, invalid, not_found, refused
from webapi.http.serve import Declined, Reply, Served
from webapi.http.smorest import API_PREFIX, Endpoints
from webapi.orders import schemas
from webapi.orders.models import Order
from webapi.orders.place import PlaceOrder, place_order
from webapi.orders.queries import (
    CurveView,
    OrderDetail,
    OrderFilter,
    OrderView,
    find_order,
    list_orders,
    order_curve,
    order_detail,
    order_view,
)
from webapi.orders.stop import stop_order
from webapi.refusals import Refusal
from webapi.users.roles import Right

endpoints = Endpoints("orders", "充电订单")


class Wished(msgspec.Struct, frozen=True):
    """What the audit keeps of an order that was asked for."""

    customer_id: int
    pile: str
    gun: int
    goal: Goal


@endpoints.post(
    "/orders",
    Served(Right.PLACE_ORDERS, keyed=True, problems=(404,)),
    answers=schemas.OrderSchema,
    body=schemas.OrderBody,
    status=HTTPStatus.CREATED,
)
def place(call: Call, wish: schemas.OrderWish) -> Reply | Declined:
    """Charge a car

    Holds the money and asks the gate of the transformer; whether the gate admits the start shows in the order's
    state. 409 names why nothing could even be asked: balance, debt, gun taken, no tariff.
    """
    customer = _payer(call, wish.customer_id)
    if (
        call.session.scalars(
            call.sees.guns_to_start().where(Gun.pile_number == wish.pile, Gun.no == wish.gun)
        ).one_or_none()
        is None
    ):
        raise not_found("gun")
    source = StartSource.APP if isinstance(call.asker, Driver) else StartSource.PLATFORM
    wanted = PlaceOrder(
        customer_id=customer.id, pile=wish.pile, gun=wish.gun, goal=wish.goal, by=call.asker.key, source=source
    )
    try:
        placed = place_order(call.session, wanted, at=call.at)
    except NoResultFound as error:  # customer and gun of two operators, or archived just now
        raise not_found("gun") from error
    details = Wished(customer.id, wish.pile, wish.gun, wish.goal)
    if isinstance(placed, Refusal):
        record(
            call,
            "order_create",
            outcome=placed.reason.value,
            tenant_id=customer.tenant_id,
            object_kind="customer",
            object_id=str(customer.id),
            details=details,
        )
        return Declined(refused(placed))
    record(
        call,
        "order_create",
        tenant_id=placed.tenant_id,
        station=placed.station_code,
        object_kind="order",
        object_id=placed.serial,
        details=details,
    )
    return Reply(order_view(_fresh(call, placed), call.sees), location=f"{API_PREFIX}/orders/{placed.serial}")


@endpoints.get("/orders", Served(Right.SEE_ORDERS), answers=schemas.OrdersSchema, query=schemas.OrdersQuery)
def orders(call: Call, wish: OrderFilter) -> Page[OrderView]:
    """The orders that you see, newest first"""
    return list_orders(call.session, call.sees, wish)


@endpoints.get("/orders/<serial:serial>", Served(Right.SEE_ORDERS), answers=schemas.OrderDetailSchema)
def order(call: Call, serial: str) -> OrderDetail:
    """Everything about an order: money, bill by band, record, refusal, who did what"""
    found = order_detail(call.session, call.sees, serial, call.telemetry, at=call.at)
    if found is None:
        raise not_found()
    return found


@endpoints.get(
    "/orders/<serial:serial>/curve",
    Served(Right.SEE_ORDERS),
    answers=schemas.CurveSchema,
    query=schemas.CurveQuery,
)
def curve(call: Call, wish: schemas.CurveWish, serial: str) -> CurveView:
    """Voltage, current, power, energy, SOC and temperatures of an order's charge"""
    found = find_order(call.session, call.sees, serial)
    if found is None:
        raise not_found()
    return order_curve(found, call.telemetry, most=wish.max_points, at=call.at)


@endpoints.post("/orders/<serial:serial>/stop", Served(Right.STOP_ORDERS, keyed=True), answers=schemas.OrderSchema)
def stop(call: Call, serial: str) -> OrderView:
    """Stop a charge

    Before the start is commanded the order is cancelled at once; later the stop is repeated until the end is seen.
    After the end it changes nothing.
    """
    if find_order(call.session, call.sees, serial) is None:
        raise not_found()
    stopped = stop_order(call.session, serial, by=call.asker.key, at=call.at)
    record(
        call,
        "order_stop",
        tenant_id=stopped.tenant_id,
        station=stopped.station_code,
        object_kind="order",
        object_id=serial,
    )
    return order_view(_fresh(call, stopped), call.sees)


def _payer(call: Call, customer_id: int | None) -> Customer:
    """Who pays: for a customer's token the customer itself, also where another is named (who is not visible)."""
    if customer_id is None:
        if not isinstance(call.asker, Driver):
            raise invalid(FieldError("customer_id", told("Missing data for required field.")))
        customer_id = call.asker.id
    customer = find_customer(call.session, call.sees, customer_id)
    if customer is None:
        raise not_found("customer_id")
    return customer


def _fresh(call: Call, order: Order) -> Order:
    """The row with what the use case wrote beside it (its hold)."""
    call.session.flush()
    call.session.refresh(order, ["hold", "customer"])
    return order
