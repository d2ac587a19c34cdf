"""Export of the order list (订单管理)."""

from collections.abc import Iterator, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evcs.contracts.reasons import Sentence
from evcs.contracts.states import GoalKind
from webapi.access import Visible
from webapi.cards.numbers import masked_card, masked_vin
from webapi.cards.rights import sees_numbers
from webapi.exports.declare import Column, ExportKind, Say, Shape
from webapi.exports.words import GOALS, SOURCES, STATES
from webapi.orders.filter import OrderFilter
from webapi.orders.list_schemas import OrdersQuery
from webapi.orders.models import Order
from webapi.orders.queries import every_order
from webapi.orders.refusal_view import sentence_of
from webapi.orders.views import order_view
from webapi.orders.ways import ways
from webapi.reports.tables import Cell
from webapi.users.roles import Right

AT_ONCE = 1000

COLUMNS = (
    Column(Sentence("交易流水号", "Order"), Shape.TEXT, 34),
    Column(Sentence("状态", "State"), Shape.TEXT, 12),
    Column(Sentence("充电站", "Station"), Shape.TEXT, 20),
    Column(Sentence("桩号", "Pile"), Shape.TEXT, 18),
    Column(Sentence("枪号", "Gun"), Shape.WHOLE, 6),
    Column(Sentence("用户", "Customer"), Shape.TEXT, 14),
    Column(Sentence("手机号", "Phone"), Shape.TEXT, 14),
    Column(Sentence("启动方式", "Source"), Shape.TEXT, 12),
    Column(Sentence("目标", "Goal"), Shape.TEXT, 16),
    Column(Sentence("物理卡号", "Card"), Shape.TEXT, 18),
    Column(Sentence("车架号", "VIN"), Shape.TEXT, 20),
    Column(Sentence("下单时间", "Placed"), Shape.TIME, 20),
    Column(Sentence("开始充电", "Began"), Shape.TIME, 20),
    Column(Sentence("充电结束", "Ended"), Shape.TIME, 20),
    Column(Sentence("结算时间", "Settled"), Shape.TIME, 20),
    Column(Sentence("营业日", "Business day"), Shape.DAY, 12),
    Column(Sentence("时长（秒）", "Duration (s)"), Shape.WHOLE, 12),
    Column(Sentence("电量（kWh）", "Energy (kWh)"), Shape.KWH, 14, summed=True),
    Column(Sentence("电费", "Electricity"), Shape.FEN, 14, summed=True),
    Column(Sentence("服务费", "Service"), Shape.FEN, 14, summed=True),
    Column(Sentence("占位费", "Occupancy"), Shape.FEN, 14, summed=True),
    Column(Sentence("优惠", "Discount"), Shape.FEN, 14, summed=True),
    Column(Sentence("实付", "Paid"), Shape.FEN, 14, summed=True),
    Column(Sentence("停止原因", "Stopped because"), Shape.TEXT, 24),
    Column(Sentence("未能充电或异常的原因", "Refusal, failure or trouble"), Shape.TEXT, 40),
)


def _count(session: Session, sees: Visible, wish: OrderFilter) -> int:
    return session.scalar(select(func.count()).select_from(Order).where(ways(session, sees, wish).whole)) or 0


def _rows(session: Session, sees: Visible, wish: OrderFilter, say: Say) -> Iterator[Sequence[tuple[Cell, ...]]]:
    in_full = sees_numbers(sees)
    for orders in every_order(session, sees, wish, at_once=AT_ONCE):
        yield [_row(order, sees, say, in_full=in_full) for order in orders]


def _row(order: Order, sees: Visible, say: Say, *, in_full: bool) -> tuple[Cell, ...]:
    view = order_view(order, sees)
    stopped = sentence_of(order.stop_reason)
    why = view.refusal or view.trouble_text
    return (
        order.serial,
        say(STATES[order.state]),
        view.station_name,
        order.pile_number,
        order.gun_no,
        None if view.customer is None else view.customer.name,
        None if view.customer is None else view.customer.phone,
        say(SOURCES[order.source]),
        _goal(order, say),
        order.card_number if in_full else masked_card(order.card_number),
        order.vin if in_full else masked_vin(order.vin),
        order.requested_at,
        order.started_at,
        order.ended_at,
        order.settled_at,
        order.business_date,
        view.duration_s,
        order.energy_kwh,
        order.electricity_fen,
        order.service_fen,
        order.occupancy_fen,
        order.discount_fen,
        order.total_fen,
        None if stopped is None else say(stopped),
        None if why is None else say(Sentence(why.zh, why.en)),
    )


def _goal(order: Order, say: Say) -> str:
    word = say(GOALS[order.goal_kind])
    match order.goal_kind:
        case GoalKind.TIME:
            return f"{word} {(order.goal_duration_s or 0) // 60} min"
        case GoalKind.AMOUNT:
            return f"{word} {(order.goal_amount_fen or 0) / 100:.2f} 元"
        case GoalKind.ENERGY:
            return f"{word} {order.goal_energy_kwh} kWh"
    return word


ORDERS = ExportKind(
    "orders", Sentence("充电订单", "Charging orders"), Right.SEE_ORDERS, OrdersQuery, COLUMNS, _count, _rows
)
