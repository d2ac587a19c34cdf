"""Orders as they go over HTTP."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema
from webargs.fields import DelimitedList

from evcs.contracts.gun import Goal
from evcs.contracts.states import GoalKind, OrderState, StartSource, StopClass, TariffBand
from webapi.guns.schemas import LiveSchema
from webapi.http.fields import Body, Instant, code, kwh, limit, next_cursor, number, out, whole
from webapi.ledger.models import HoldState
from webapi.orders.models import BillKind, BillRoute, RecordVerdict
from webapi.orders.queries import OrderFilter
from webapi.stations.schemas import PageQuery, SentenceSchema

LONGEST_S = 24 * 3600
MOST_FEN = 1_000_000


@dataclass(frozen=True, slots=True)
class OrderWish:
    """An order to be placed."""

    pile: str
    gun: int
    goal: Goal
    customer_id: int | None = None


@dataclass(frozen=True, slots=True)
class CurveWish:
    """How fine a curve shall be."""

    max_points: int


class GoalBody(Body):
    """充满 full, 定时 time, 定金额 amount, 定电量 energy; exactly the value of the kind is given."""

    kind = fields.Enum(GoalKind, by_value=True, required=True, metadata={"description": "kind of the goal"})
    duration_s = whole("time: seconds from the first charging frame", most=LONGEST_S)
    amount_fen = whole("amount: fen", most=MOST_FEN)
    energy_kwh = kwh("energy: kWh, four decimals at most", most=1000)

    @validates_schema
    def _fits(self, data: dict[str, Any], **_: Any) -> None:
        wanted = {GoalKind.TIME: "duration_s", GoalKind.AMOUNT: "amount_fen", GoalKind.ENERGY: "energy_kwh"}
        given = [name for name in wanted.values() if data.get(name) is not None]
        expected = [wanted[data["kind"]]] if data["kind"] in wanted else []
        if given != expected:
            raise ValidationError(
                f"Exactly the value of its kind must be given: {', '.join(expected) or 'none'}.",
            )

    @post_load
    def _goal(self, data: dict[str, Any], **_: Any) -> Goal:
        energy: Decimal | None = data.get("energy_kwh")
        return Goal(
            kind=data["kind"],
            duration_s=data.get("duration_s"),
            amount_fen=data.get("amount_fen"),
            energy_kwh=None if energy is None else energy.quantize(Decimal("0.0001")),
        )


class OrderBody(Body):
    """An order: who charges where until when."""

    makes = OrderWish
    customer_id = whole("who pays; a customer's own token may leave it out")
    pile = code("pile's number", required=True)
    gun = whole("gun's number, 1…n", most=99, required=True)
    goal = fields.Nested(GoalBody, required=True)


class OrdersQuery(PageQuery):
    """Which orders."""

    makes = OrderFilter
    state = DelimitedList(
        fields.Enum(OrderState, by_value=True),
        metadata={"description": "states, with commas between"},
    )
    station = code("only at this station")
    pile = code("only at this pile")
    gun = number("only at this gun of the pile", most=99)
    customer = number("only of this customer")
    since = Instant(metadata={"description": "placed at or after"})
    until = Instant(metadata={"description": "placed before"})


class CurveQuery(Body):
    """How fine a curve shall be."""

    makes = CurveWish
    max_points = limit(2000, 5000, "at most so many points; more are thinned to the last of equal windows")


class GoalSchema(Schema):
    """When the charge shall end."""

    kind = out(fields.Enum, "kind of the goal", enum=GoalKind, by_value=True)
    duration_s = out(fields.Integer, "s", allow_none=True)
    amount_fen = out(fields.Integer, "fen", allow_none=True)
    energy_kwh = out(fields.Decimal, "kWh", allow_none=True)


class FigureSchema(Schema):
    """A figure of a sentence."""

    name = out(fields.String, "what it is")
    value = out(fields.String, "as it is shown")


class RefusalSchema(Schema):
    """Why it was refused or failed, and what to do."""

    code = out(fields.String, "reason code")
    zh = out(fields.String, "sentence in Chinese")
    en = out(fields.String, "sentence in English")
    figures = fields.List(fields.Nested(FigureSchema))


class OrderCustomerSchema(Schema):
    """Who pays."""

    id = out(fields.Integer, "number")
    name = out(fields.String, "name")
    phone = out(fields.String, "masked for who does not need it", allow_none=True)


class HoldSchema(Schema):
    """冻结, in fen."""

    state = out(fields.Enum, "open, captured, released", enum=HoldState, by_value=True)
    placed_fen = out(fields.Integer, "ever held for the order")
    captured_fen = out(fields.Integer, "taken")
    released_fen = out(fields.Integer, "given back")
    rest_fen = out(fields.Integer, "still held")


class OrderSchema(Schema):
    """充电订单."""

    serial = out(fields.String, "交易流水号, 32 digits")
    state = out(fields.Enum, "state", enum=OrderState, by_value=True)
    state_since = out(Instant, "since when")
    station = out(fields.String, "充电站编号 · station's code")
    station_name = out(fields.String, "充电站名称 · station's name")
    pile = out(fields.String, "pile's number")
    gun = out(fields.Integer, "gun's number")
    customer = fields.Nested(OrderCustomerSchema, allow_none=True)
    source = out(fields.Enum, "启动方式", enum=StartSource, by_value=True)
    goal = fields.Nested(GoalSchema)
    requested_at = out(Instant, "placed")
    started_at = out(Instant, "first charging frame", allow_none=True)
    ended_at = out(Instant, "end of charging", allow_none=True)
    settled_at = out(Instant, "settled", allow_none=True)
    duration_s = out(fields.Integer, "充电时长，秒，结束后才有 · how long it charged, s, once ended", allow_none=True)
    hold = fields.Nested(HoldSchema, allow_none=True)
    hold_fen = out(fields.Integer, "still held, fen")
    covered_energy_kwh = out(fields.Decimal, "energy that the hold pays for, kWh", allow_none=True)
    energy_kwh = out(fields.Decimal, "billed, kWh", allow_none=True)
    electricity_fen = out(fields.Integer, "电费, fen")
    service_fen = out(fields.Integer, "服务费, fen")
    occupancy_fen = out(fields.Integer, "占位费, fen")
    discount_fen = out(fields.Integer, "discount, fen")
    total_fen = out(fields.Integer, "what the customer pays, fen")
    provisional = out(fields.Boolean, "settled by register marks; the record is still missing")
    cap_kw = out(fields.Decimal, "power cap, kW; null: none", allow_none=True)
    stop_reason = out(fields.String, "why we stopped it", allow_none=True)
    refusal = fields.Nested(RefusalSchema, allow_none=True)
    trouble = out(fields.String, "异常或待核的原因代码 · why exception or review", allow_none=True)
    trouble_text = fields.Nested(SentenceSchema, allow_none=True, metadata={"description": "原因与处理 · in words"})


class OrdersSchema(Schema):
    """A page of orders, newest first."""

    items = fields.List(fields.Nested(OrderSchema))
    next = next_cursor()


class BillLineSchema(Schema):
    """One band of a bill; prices in 0.00001 yuan/kWh."""

    band = out(fields.Enum, "尖 sharp, 峰 peak, 平 flat, 谷 valley, 深谷 deep_valley", enum=TariffBand, by_value=True)
    energy_kwh = out(fields.Decimal, "billed")
    metered_kwh = out(fields.Decimal, "without line loss")
    energy_price_e5 = out(fields.Integer, "电价")
    service_price_e5 = out(fields.Integer, "服务费单价")
    electricity_fen = out(fields.Integer, "电费, fen")
    service_fen = out(fields.Integer, "服务费, fen")


class BillSchema(Schema):
    """账单: lines add up to it, to the fen."""

    kind = out(fields.Enum, "which posting", enum=BillKind, by_value=True)
    route = out(fields.Enum, "where the energies came from", enum=BillRoute, by_value=True)
    tariff_version = out(fields.String, "tariff version", allow_none=True)
    energy_kwh = out(fields.Decimal, "kWh")
    electricity_fen = out(fields.Integer, "电费, fen")
    service_fen = out(fields.Integer, "服务费, fen")
    occupancy_fen = out(fields.Integer, "占位费, fen")
    discount_fen = out(fields.Integer, "discount, fen")
    discount_code = out(fields.String, "why a discount", allow_none=True)
    total_fen = out(fields.Integer, "fen")
    pile_total_fen = out(fields.Integer, "what the pile's screen said, fen", allow_none=True)
    made_at = out(Instant, "when it was reckoned")
    lines = fields.List(fields.Nested(BillLineSchema))


class RecordSchema(Schema):
    """充电记录 (0x3B) of the pile and what became of it."""

    verdict = out(fields.Enum, "verdict", enum=RecordVerdict, by_value=True)
    verdict_reason = out(fields.String, "why review", allow_none=True)
    energy_kwh = out(fields.Decimal, "kWh by the pile")
    pile_amount_e4 = out(fields.Integer, "amount by the pile, 0.0001 yuan")
    received_at = out(Instant, "first received")
    stored_at = out(Instant, "stored with its verdict")
    repeats = out(fields.Integer, "how often the same came again")
    confirmed_at = out(Instant, "confirmation published", allow_none=True)
    confirm_sent_at = out(Instant, "0x40 written to the pile", allow_none=True)


class AuditSchema(Schema):
    """Who did what to the order."""

    at = out(Instant, "when")
    actor = out(fields.String, "who")
    action = out(fields.String, "what")
    outcome = out(fields.String, "done, or why not")
    address = out(fields.String, "from where", allow_none=True)


class StopSchema(Schema):
    """Who wanted it to end and how the pile says it ended."""

    reason = out(fields.String, "our reason", allow_none=True)
    zh = out(fields.String, "its sentence", allow_none=True)
    en = out(fields.String, "its sentence", allow_none=True)
    asked_by = out(fields.String, "who asked", allow_none=True)
    requested_at = out(Instant, "when", allow_none=True)
    code = out(fields.Integer, "the pile's code (YKC V1.6 §9)", allow_none=True)
    kind = out(fields.String, f"its meaning: {', '.join(StopClass)}", allow_none=True)


class OrderDetailSchema(OrderSchema):
    """Everything about an order."""

    live = fields.Nested(
        LiveSchema, allow_none=True, metadata={"description": "充电中的最新数据 · newest values while it charges"}
    )
    live_available = out(fields.Boolean, "false：遥测库无应答 · the telemetry store does not answer")
    created_by = out(fields.String, "who placed it")
    tariff_version = out(fields.String, "frozen at the start", allow_none=True)
    pile_balance_fen = out(fields.Integer, "balance that the pile was given (0x34), fen", allow_none=True)
    admitted_at = out(Instant, "admitted by the gate", allow_none=True)
    stop_requested_at = out(Instant, "stop wished", allow_none=True)
    end_observed_at = out(Instant, "end first seen", allow_none=True)
    deadline_at = out(Instant, "when the platform looks again by itself", allow_none=True)
    business_date = out(fields.Date, "Beijing day of the end", allow_none=True)
    pile_total_fen = out(fields.Integer, "what the pile's screen said, fen", allow_none=True)
    stop_code = out(fields.Integer, "the pile's stop code", allow_none=True)
    stop_class = out(fields.String, "its meaning", allow_none=True)
    stop = fields.Nested(StopSchema)
    bills = fields.List(fields.Nested(BillSchema))
    records = fields.List(fields.Nested(RecordSchema))
    audit = fields.List(fields.Nested(AuditSchema), metadata={"description": "empty for who may not see the audit"})


class CurvePointSchema(Schema):
    """One reading; what the pile does not have is null."""

    at = out(Instant, "when the frame came")
    voltage_v = out(fields.Float, "V", allow_none=True)
    current_a = out(fields.Float, "A", allow_none=True)
    power_kw = out(fields.Float, "kW", allow_none=True)
    energy_kwh = out(fields.Float, "kWh so far", allow_none=True)
    soc_pct = out(fields.Float, "SOC, %", allow_none=True)
    cable_temp_c = out(fields.Float, "cable, °C", allow_none=True)
    battery_temp_max_c = out(fields.Float, "hottest cell, °C", allow_none=True)


class CurveSchema(Schema):
    """An order's readings in order of time."""

    serial = out(fields.String, "order")
    start = out(Instant, "looked from")
    end = out(Instant, "looked until")
    points = fields.List(fields.Nested(CurvePointSchema))
