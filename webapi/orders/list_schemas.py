"""How the order list is narrowed over HTTP, and its totals."""

from marshmallow import Schema, fields, validate
from webargs.fields import DelimitedList

from evcs.contracts.states import GoalKind, OrderState, StartSource, StopClass
from webapi.cards.numbers import TYPED_UID
from webapi.http.fields import Instant, code, day, figure, number, out, text, whole_in_query
from webapi.orders.filter import OrderFilter, Sort, Tab
from webapi.stations.schemas import PageQuery


class OrdersQuery(PageQuery):
    """Which orders."""

    makes = OrderFilter
    tab = fields.Enum(
        Tab,
        by_value=True,
        metadata={
            "description": "页签 · charging 充电中, exception 异常, review 待核, failed 启动失败与被拒, all 全部"
        },
    )
    sort = fields.Enum(
        Sort,
        by_value=True,
        metadata={"description": "排序，新的或大的在前 · requested (usual), ended (only what has ended), amount"},
    )
    state = DelimitedList(
        fields.Enum(OrderState, by_value=True),
        metadata={"description": "状态，逗号分隔 · states, with commas between"},
    )
    station = DelimitedList(
        code("一个站 · one station"),
        validate=validate.Length(1, 200),
        metadata={"description": "只看这些站，逗号分隔 · only at these stations, with commas between"},
    )
    pile = code("只看该桩 · only at this pile")
    gun = number("只看该枪 · only at this gun of the pile", most=99)
    customer = number("只看该用户 · only of this customer")
    phone = text("用户手机号，完整 · customer's phone number, whole", most=20)
    card = fields.String(
        validate=validate.Regexp(TYPED_UID),
        metadata={"description": "物理卡号，完整，任何厂商的写法 · chip number, whole, as any maker spells it"},
    )
    plate = text("车牌，完整 · plate, whole", most=16)
    vin = fields.String(
        validate=validate.Regexp(r"[A-Za-z0-9]{17}\Z"), metadata={"description": "车架号，完整 · VIN, whole"}
    )
    number = fields.String(
        validate=validate.Regexp(r"[0-9]{1,32}\Z"),
        metadata={"description": "交易流水号的前几位 · the first digits of the serial"},
    )
    joint = fields.String(
        validate=validate.Regexp(r"[0-9]{12}\Z"), metadata={"description": "只看该并充 · only of this joint charge"}
    )
    source = DelimitedList(
        fields.Enum(StartSource, by_value=True), metadata={"description": "启动方式，逗号分隔 · how it was started"}
    )
    goal = DelimitedList(
        fields.Enum(GoalKind, by_value=True), metadata={"description": "目标类型，逗号分隔 · kinds of goals"}
    )
    since = Instant(metadata={"description": "下单不早于 · placed at or after"})
    until = Instant(metadata={"description": "下单早于 · placed before"})
    begun_since = Instant(metadata={"description": "开始充电不早于 · began to charge at or after"})
    begun_until = Instant(metadata={"description": "开始充电早于 · began to charge before"})
    ended_since = Instant(metadata={"description": "结束不早于 · ended at or after"})
    ended_until = Instant(metadata={"description": "结束早于 · ended before"})
    settled_since = Instant(metadata={"description": "结算不早于 · settled at or after"})
    settled_until = Instant(metadata={"description": "结算早于 · settled before"})
    day_since = day("营业日不早于（北京日期）· business day, this or later")
    day_until = day("营业日不晚于（北京日期）· business day, this or before")
    amount_least_fen = whole_in_query("实付不少于，分 · paid at least, fen")
    amount_most_fen = whole_in_query("实付不多于，分 · paid at most, fen")
    energy_least_kwh = figure("电量不少于 · at least, kWh", least="0", most="100000", places=4)
    energy_most_kwh = figure("电量不多于 · at most, kWh", least="0", most="100000", places=4)
    stop_reason = code("平台停止原因 · why we stopped it (reason code)")
    stop_class = fields.Enum(
        StopClass, by_value=True, metadata={"description": "桩的停止码含义 · what the pile's stop code means"}
    )
    failure = code("拒绝或启动失败的原因代码 · why refused or failed (reason code)")
    trouble = code("异常或待核的原因代码 · why exception or review")


class OrderTotalsSchema(Schema):
    """Sums of all orders that a filter finds."""

    complete = out(
        fields.Boolean, "false：超过 10 万条，请缩小范围或导出 · false: more than 100,000; narrow it down, or export"
    )
    count = out(fields.Integer, "订单数 · orders")
    energy_kwh = out(fields.Decimal, "电量 · kWh", allow_none=True)
    electricity_fen = out(fields.Integer, "电费, fen", allow_none=True)
    service_fen = out(fields.Integer, "服务费, fen", allow_none=True)
    occupancy_fen = out(fields.Integer, "占位费, fen", allow_none=True)
    discount_fen = out(fields.Integer, "优惠 · discount, fen", allow_none=True)
    total_fen = out(fields.Integer, "实付 · paid, fen", allow_none=True)
