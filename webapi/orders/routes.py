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
from webapi.orders import list_schemas, schemas
from webapi.orders.curve import CurveView, order_curve
from webapi.orders.detail import OrderDetail, order_detail
from webapi.orders.filter import OrderFilter
from webapi.orders.models import Order
from webapi.orders.place import PlaceOrder, place_order
from webapi.orders.place_joint import place_joint
from webapi.orders.queries import OrderTotals, find_order, list_orders, order_totals
from webapi.orders.stop import stop_order
from webapi.orders.views import OrderView, order_view
from webapi.refusals import Refusal
from webapi.users.roles import Right

endpoints = Endpoints("充电订单 Orders", "下单、停止、账单、曲线 · start, stop, bills, curves")


class Wished(msgspec.Struct, frozen=True):
    """What the audit keeps of an order that was asked for."""

    customer_id: int
    pile: str
    gun: int
    goal: Goal
    joint_gun: int | None = None


@endpoints.post(
    "/orders",
    Served(Right.PLACE_ORDERS, keyed=True, problems=(404,)),
    answers=schemas.OrderSchema,
    body=schemas.OrderBody,
    example={
        "customer_id": 1,
        "pile": "55031412000001",
        "gun": 1,
        "goal": {"kind": "amount", "amount_fen": 2000},
    },
    status=HTTPStatus.CREATED,
)
def place(call: Call, wish: schemas.OrderWish) -> Reply | Declined:
    """下单充电 · Charge a car

    冻结金额并请求变压器负荷闸门；是否放行看订单 state（轮询详情），拒绝原因见 refusal。409 表示根本无法请求：
    余额不足、欠费、枪已有订单、桩未确认电价。

    Holds the money and asks the gate of the transformer; whether the gate admits the start shows in the order's
    state. 409 names why nothing could even be asked: balance, debt, gun taken, no tariff.

    并充（joint_gun）：一次生成两个订单，要么都成，要么都不成；返回主枪订单，joint.serial 是辅枪订单。

    A joint charge makes two orders at once or none; the main gun's is answered, `joint.serial` is the other one.

    排队（may_queue）：变压器负荷超限时不拒绝而是排队（state=queued，详情里 queue 为名次与预计），负荷允许后自动启动；
    拔枪、超时或停止订单即退出并解冻。并充不排队。

    With `may_queue` an order that would be refused over the load waits instead (`queue` in its detail) and starts by
    itself; unplugging, the time or a stop of the order ends the wait and gives the money back. A joint charge does not
    wait.
    """
    customer = _payer(call, wish.customer_id)
    for field, gun in (("gun", wish.gun), ("joint_gun", wish.joint_gun)):
        if gun is not None and not _is_startable(call, wish.pile, gun):
            raise not_found(field)
    source = StartSource.APP if isinstance(call.asker, Driver) else StartSource.PLATFORM
    wanted = PlaceOrder(
        customer_id=customer.id,
        pile=wish.pile,
        gun=wish.gun,
        goal=wish.goal,
        by=call.asker.key,
        source=source,
        may_queue=wish.may_queue,
    )
    try:
        placed = _place(call, wanted, wish.joint_gun)
    except NoResultFound as error:  # customer and gun of two operators, or archived just now
        raise not_found("gun") from error
    details = Wished(customer.id, wish.pile, wish.gun, wish.goal, wish.joint_gun)
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
    for order in placed:
        record(
            call,
            "order_create",
            tenant_id=order.tenant_id,
            station=order.station_code,
            object_kind="order",
            object_id=order.serial,
            details=details,
        )
    first = placed[0]
    return Reply(order_view(_fresh(call, first), call.sees), location=f"{API_PREFIX}/orders/{first.serial}")


@endpoints.get("/orders", Served(Right.SEE_ORDERS), answers=schemas.OrdersSchema, query=list_schemas.OrdersQuery)
def orders(call: Call, wish: OrderFilter) -> Page[OrderView]:
    """订单列表，新的在前 · The orders that you see, newest first

    被拒绝和启动失败的也在列，refusal 为原因。What was refused or failed to start is listed too, `refusal` says why.
    """
    return list_orders(call.session, call.sees, wish)


@endpoints.get(
    "/orders/totals", Served(Right.SEE_ORDERS), answers=list_schemas.OrderTotalsSchema, query=list_schemas.OrdersQuery
)
def orders_totals(call: Call, wish: OrderFilter) -> OrderTotals:
    """筛选结果合计 · Sums of all orders that the same filter lists"""
    return order_totals(call.session, call.sees, wish)


@endpoints.get("/orders/<serial:serial>", Served(Right.SEE_ORDERS), answers=schemas.OrderDetailSchema)
def order(call: Call, serial: str) -> OrderDetail:
    """订单详情：实时数据、金额、分时账单、充电记录、拒绝原因、操作记录 · Everything about an order"""
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
    """充电曲线：电压、电流、功率、电量、SOC、温度 · Curves of an order's charge"""
    found = find_order(call.session, call.sees, serial)
    if found is None:
        raise not_found()
    return order_curve(found, call.telemetry, most=wish.max_points, at=call.at)


@endpoints.post("/orders/<serial:serial>/stop", Served(Right.STOP_ORDERS, keyed=True), answers=schemas.OrderSchema)
def stop(call: Call, serial: str) -> OrderView:
    """停止充电 · Stop a charge

    启动指令发出前立即取消；之后反复下发停止，直到看到结束；结束后再调用不产生任何影响。

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


def _is_startable(call: Call, pile: str, gun: int) -> bool:
    query = call.sees.guns_to_start().where(Gun.pile_number == pile, Gun.no == gun)
    return call.session.scalars(query).one_or_none() is not None


def _place(call: Call, wanted: PlaceOrder, joint_gun: int | None) -> tuple[Order, ...] | Refusal:
    """The order, or the two of a joint charge, the main gun's first."""
    if joint_gun is None:
        placed = place_order(call.session, wanted, at=call.at)
        return placed if isinstance(placed, Refusal) else (placed,)
    both = place_joint(call.session, wanted, joint_gun, at=call.at)
    return both if isinstance(both, Refusal) else (both.main, both.auxiliary)


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
