"""Daily bills as they go over HTTP."""

from dataclasses import dataclass

from marshmallow import Schema, fields

from webapi.http.fields import Body, month, out


@dataclass(frozen=True, slots=True)
class MonthWish:
    """Which month."""

    month: str


class MonthQuery(Body):
    """Which month."""

    makes = MonthWish
    month = month()


class LatePartSchema(Schema):
    """补记: posted on this day for an earlier one."""

    business_date = out(fields.Date, "业务日期 · the day it belongs to")
    amount_fen = out(fields.Integer, "金额，冲回为负 · fen; below 0: taken back")


class DailyBillSchema(Schema):
    """One day of a station; amounts in fen."""

    station = out(fields.String, "充电站 · code of the station")
    day = out(fields.Date, "日期（北京） · Beijing day")
    closed = out(fields.Boolean, "已关账（次日 06:00） · closed at 06:00 of the next day")
    orders = out(fields.Integer, "已结算订单数 · settled orders that ended on the day")
    energy_kwh = out(fields.Decimal, "电量 · kWh")
    electricity_fen = out(fields.Integer, "电费 · electricity")
    service_fen = out(fields.Integer, "服务费 · service")
    occupancy_fen = out(fields.Integer, "占位费 · occupancy")
    discount_fen = out(fields.Integer, "优惠 · discount")
    total_fen = out(fields.Integer, "订单合计 · amount of these orders")
    posted_fen = out(fields.Integer, "当日入账 · of it posted on the day")
    later_fen = out(fields.Integer, "次日起补记 · of it posted on later days")
    late = fields.List(
        fields.Nested(LatePartSchema),
        metadata={"description": "当日为以前日期补记 · posted on the day for earlier ones"},
    )
    refunded_fen = out(fields.Integer, "这些订单的退款 · refunded of these orders")
    books_fen = out(fields.Integer, "当日账簿合计（当日入账 + 补记） · what the books of the day say")
    difference_fen = out(fields.Integer, "差异，应为 0 · orders less postings; must be 0")
    agrees = out(fields.Boolean, "账实相符 · orders and books agree")


class DailyBillsSchema(Schema):
    """The days of a month, newest first, and their sums."""

    items = fields.List(fields.Nested(DailyBillSchema))
    orders = out(fields.Integer, "订单数合计 · orders")
    energy_kwh = out(fields.Decimal, "电量合计 · kWh")
    total_fen = out(fields.Integer, "订单合计 · amount of the orders, fen")
    books_fen = out(fields.Integer, "账簿合计 · amount in the books of these days, fen")
    refunded_fen = out(fields.Integer, "退款合计 · refunded, fen")
    difference_fen = out(fields.Integer, "差异合计 · differences, fen")
