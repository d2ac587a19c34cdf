"""Orders as they go over HTTP."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema

from evcs.contracts.gun import Goal, JointRole
from evcs.contracts.pile import Outcome
from evcs.contracts.states import GoalKind, OrderState, StartSource, StopClass, TariffBand
from webapi.guns.schemas import LiveSchema
from webapi.http.fields import (
    Body,
    Instant,
    code,
    kwh,
    limit,
    next_cursor,
    out,
    whole,
)
from webapi.ledger.models import HoldState
from webapi.orders.course_schemas import CarLimitsSchema, CarSchema, EndingSchema, FoundSchema
from webapi.orders.models import BillKind, BillRoute, RecordVerdict
from webapi.orders.stop_steps import StopStage
from webapi.stations.schemas import SentenceSchema

LONGEST_S = 24 * 3600
MOST_FEN = 1_000_000


@dataclass(frozen=True, slots=True)
class OrderWish:
    """An order to be placed."""

    pile: str
    gun: int
    goal: Goal
    customer_id: int | None = None
    joint_gun: int | None = None
    may_queue: bool = False


@dataclass(frozen=True, slots=True)
class CurveWish:
    """How fine a curve shall be."""

    max_points: int


class GoalBody(Body):
    """充满 full, 定时 time, 定金额 amount, 定电量 energy; exactly the value of the kind is given."""

    kind = fields.Enum(GoalKind, by_value=True, required=True, metadata={"description": "目标类型 · kind of the goal"})
    duration_s = whole("定时 · time: seconds from the first charging frame", most=LONGEST_S)
    amount_fen = whole("定金额 · amount: fen", most=MOST_FEN)
    energy_kwh = kwh("定电量 · energy: kWh, four decimals at most", most=1000)

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
    customer_id = whole("付款用户 · who pays; a customer's own token may leave it out")
    pile = code("桩号 · pile's number", required=True)
    gun = whole("枪号 · gun's number, 1…n", most=99, required=True)
    goal = fields.Nested(GoalBody, required=True)
    joint_gun = whole(
        "并充：同一桩的第二把枪。生成两个订单；金额、电量目标由两枪平分，时间与充满目标各枪适用 · "
        "two guns on one car: the pile's second gun. Two orders; an amount or energy goal is halved between them, "
        "a time or full counts for each",
        most=99,
    )
    may_queue = fields.Boolean(
        load_default=False,
        metadata={"description": "负荷超限时排队而不是拒绝 · wait for the transformer instead of being refused"},
    )

    @validates_schema
    def _is_another(self, data: dict[str, Any], **_: Any) -> None:
        joint, goal = data.get("joint_gun"), data.get("goal")
        if joint is None:
            return
        if joint == data.get("gun"):
            raise ValidationError("Must be another gun of the pile.", "joint_gun")
        if isinstance(goal, Goal) and goal.amount_fen == 1:
            raise ValidationError("Must be greater than or equal to 2.", "goal")


class CurveQuery(Body):
    """How fine a curve shall be."""

    makes = CurveWish
    max_points = limit(2000, 5000, "最多点数 · at most so many points; more are thinned to the last of equal windows")


class GoalSchema(Schema):
    """When the charge shall end."""

    kind = out(fields.Enum, "目标类型 · kind of the goal", enum=GoalKind, by_value=True)
    duration_s = out(fields.Integer, "秒 · s", allow_none=True)
    amount_fen = out(fields.Integer, "金额 · fen", allow_none=True)
    energy_kwh = out(fields.Decimal, "电量 · kWh", allow_none=True)


class FigureSchema(Schema):
    """A figure of a sentence."""

    name = out(fields.String, "名称 · what it is")
    value = out(fields.String, "显示值 · as it is shown")


class RefusalSchema(Schema):
    """Why it was refused or failed, and what to do."""

    code = out(fields.String, "原因代码 · reason code")
    zh = out(fields.String, "中文 · sentence in Chinese")
    en = out(fields.String, "英文 · sentence in English")
    figures = fields.List(fields.Nested(FigureSchema))


class OrderCustomerSchema(Schema):
    """Who pays."""

    id = out(fields.Integer, "编号 · number")
    name = out(fields.String, "名称 · name")
    phone = out(fields.String, "手机号，按权限脱敏 · masked for who does not need it", allow_none=True)


class HoldSchema(Schema):
    """冻结, in fen."""

    state = out(fields.Enum, "冻结状态 · open, captured, released", enum=HoldState, by_value=True)
    placed_fen = out(fields.Integer, "累计冻结 · ever held for the order")
    captured_fen = out(fields.Integer, "已扣款 · taken")
    released_fen = out(fields.Integer, "已解冻 · given back")
    rest_fen = out(fields.Integer, "仍冻结 · still held")


class JointSchema(Schema):
    """并充: the two guns of one car."""

    number = out(fields.String, "并充序号 · shared by both orders")
    role = out(fields.Enum, "主枪 main 或辅枪 auxiliary", enum=JointRole, by_value=True)
    serial = out(fields.String, "另一把枪的订单 · order of the other gun", allow_none=True)


class OrderSchema(Schema):
    """充电订单."""

    serial = out(fields.String, "交易流水号, 32 digits")
    state = out(fields.Enum, "状态 · state", enum=OrderState, by_value=True)
    state_since = out(Instant, "起始时间 · since when")
    station = out(fields.String, "充电站编号 · station's code")
    station_name = out(fields.String, "充电站名称 · station's name")
    pile = out(fields.String, "桩号 · pile's number")
    gun = out(fields.Integer, "枪号 · gun's number")
    customer = fields.Nested(OrderCustomerSchema, allow_none=True)
    source = out(fields.Enum, "启动方式", enum=StartSource, by_value=True)
    goal = fields.Nested(GoalSchema)
    requested_at = out(Instant, "下单时间 · placed")
    started_at = out(Instant, "开始充电 · first charging frame", allow_none=True)
    ended_at = out(Instant, "充电结束 · end of charging", allow_none=True)
    settled_at = out(Instant, "结算时间 · settled", allow_none=True)
    duration_s = out(fields.Integer, "充电时长，秒，结束后才有 · how long it charged, s, once ended", allow_none=True)
    hold = fields.Nested(HoldSchema, allow_none=True)
    hold_fen = out(fields.Integer, "仍冻结 · still held, fen")
    covered_energy_kwh = out(fields.Decimal, "冻结金额可充电量 · energy that the hold pays for, kWh", allow_none=True)
    energy_kwh = out(fields.Decimal, "计费电量 · billed, kWh", allow_none=True)
    electricity_fen = out(fields.Integer, "电费, fen")
    service_fen = out(fields.Integer, "服务费, fen")
    occupancy_fen = out(fields.Integer, "占位费, fen")
    discount_fen = out(fields.Integer, "优惠 · discount, fen")
    total_fen = out(fields.Integer, "用户应付 · what the customer pays, fen")
    provisional = out(
        fields.Boolean, "暂按电表读数结算，充电记录未到 · settled by register marks; the record is still missing"
    )
    cap_kw = out(fields.Decimal, "限功率 · power cap, kW; null: none", allow_none=True)
    stop_reason = out(fields.String, "平台停止原因 · why we stopped it", allow_none=True)
    refusal = fields.Nested(RefusalSchema, allow_none=True)
    trouble = out(fields.String, "异常或待核的原因代码 · why exception or review", allow_none=True)
    trouble_text = fields.Nested(SentenceSchema, allow_none=True, metadata={"description": "原因与处理 · in words"})
    joint = fields.Nested(JointSchema, allow_none=True, metadata={"description": "并充 · of a joint charge"})


class OrdersSchema(Schema):
    """A page of orders, newest first."""

    items = fields.List(fields.Nested(OrderSchema))
    next = next_cursor()


class QueueSchema(Schema):
    """Where a waiting order stands in the queue of its transformer."""

    position = out(fields.Integer, "名次，从 1 起 · place, from 1", allow_none=True)
    since = out(Instant, "开始排队 · since when it waits")
    until = out(Instant, "最迟等到 · until when at the latest; then the hold is released")
    estimate_s = out(fields.Integer, "预计还需等待的秒数；空：无法预计 · guess, s; null: none", allow_none=True)


class BillLineSchema(Schema):
    """One band of a bill; prices in 0.00001 yuan/kWh."""

    band = out(fields.Enum, "尖 sharp, 峰 peak, 平 flat, 谷 valley, 深谷 deep_valley", enum=TariffBand, by_value=True)
    energy_kwh = out(fields.Decimal, "计费电量 · billed")
    metered_kwh = out(fields.Decimal, "不含计损 · without line loss")
    energy_price_e5 = out(fields.Integer, "电价")
    service_price_e5 = out(fields.Integer, "服务费单价")
    electricity_fen = out(fields.Integer, "电费, fen")
    service_fen = out(fields.Integer, "服务费, fen")


class BillSchema(Schema):
    """账单: lines add up to it, to the fen."""

    kind = out(fields.Enum, "账单种类 · which posting", enum=BillKind, by_value=True)
    route = out(fields.Enum, "电量来源 · where the energies came from", enum=BillRoute, by_value=True)
    tariff_version = out(fields.String, "计费版本 · tariff version", allow_none=True)
    energy_kwh = out(fields.Decimal, "电量 · kWh")
    electricity_fen = out(fields.Integer, "电费, fen")
    service_fen = out(fields.Integer, "服务费, fen")
    occupancy_fen = out(fields.Integer, "占位费, fen")
    discount_fen = out(fields.Integer, "优惠 · discount, fen")
    discount_code = out(fields.String, "优惠原因 · why a discount", allow_none=True)
    total_fen = out(fields.Integer, "金额 · fen")
    pile_total_fen = out(fields.Integer, "桩屏显示金额 · what the pile's screen said, fen", allow_none=True)
    made_at = out(Instant, "计费时间 · when it was reckoned")
    lines = fields.List(fields.Nested(BillLineSchema))


class RecordSchema(Schema):
    """充电记录 (0x3B) of the pile and what became of it."""

    verdict = out(fields.Enum, "判定 · verdict", enum=RecordVerdict, by_value=True)
    verdict_reason = out(fields.String, "待核原因 · why review", allow_none=True)
    energy_kwh = out(fields.Decimal, "桩计电量 · kWh by the pile")
    pile_amount_e4 = out(fields.Integer, "桩计金额 · amount by the pile, 0.0001 yuan")
    received_at = out(Instant, "首次收到 · first received")
    stored_at = out(Instant, "入库并判定 · stored with its verdict")
    repeats = out(fields.Integer, "重复上报次数 · how often the same came again")
    confirmed_at = out(Instant, "确认已发布 · confirmation published", allow_none=True)
    confirm_sent_at = out(Instant, "0x40 已写给桩 · 0x40 written to the pile", allow_none=True)
    clock_wrong = out(
        fields.Boolean,
        "桩时钟不可信（偏差超过 60 秒或时间矛盾） · the pile's clock was off by over 60 s, or cannot be right",
    )
    clock_offset_s = out(
        fields.Float, "最近一次校时的时钟偏差，秒 · the clock's error when it was last compared, s", allow_none=True
    )


class AuditSchema(Schema):
    """Who did what to the order."""

    at = out(Instant, "时间 · when")
    actor = out(fields.String, "操作者 · who")
    action = out(fields.String, "操作 · what")
    outcome = out(fields.String, "结果 · done, or why not")
    address = out(fields.String, "来源地址 · from where", allow_none=True)


class StopCommandSchema(Schema):
    """A stop command; the first, and its repetitions."""

    id = out(fields.String, "指令编号 · its id")
    sent_at = out(Instant, "下发 · sent")
    replied_at = out(Instant, "桩应答 · answered", allow_none=True)
    outcome = out(fields.String, f"结果 · what became of it: {', '.join(Outcome)}", allow_none=True)


class StopStepsSchema(Schema):
    """已下发 → 桩已应答 → 电流归零 → 已结算."""

    stage = out(fields.Enum, "进行到 · how far it is", enum=StopStage, by_value=True)
    asked_at = out(Instant, "请求 · asked")
    sent_at = out(Instant, "首次下发 · first sent", allow_none=True)
    acknowledged_at = out(Instant, "桩已应答 · acknowledged by the pile", allow_none=True)
    power_gone_at = out(Instant, "电流归零 · the gun charges no more", allow_none=True)
    settled_at = out(Instant, "已结算 · settled", allow_none=True)
    unanswered_since = out(Instant, "30 秒后仍在充电，已告警 · still charging after 30 s: alarm", allow_none=True)
    lock_offered = out(fields.Boolean, "建议停用该枪 · locking the gun out is what is left to do")
    commands = fields.List(fields.Nested(StopCommandSchema), metadata={"description": "每次下发 · every command"})


class StopSchema(Schema):
    """Who wanted it to end and how the pile says it ended."""

    reason = out(fields.String, "平台的停止原因 · our reason", allow_none=True)
    zh = out(fields.String, "中文说明 · in Chinese", allow_none=True)
    en = out(fields.String, "英文说明 · in English", allow_none=True)
    asked_by = out(fields.String, "谁要求停止 · who asked", allow_none=True)
    requested_at = out(Instant, "时间 · when", allow_none=True)
    code = out(fields.Integer, "桩的停止码 · the pile's code (YKC V1.6 §9)", allow_none=True)
    kind = out(fields.String, f"含义 · its meaning: {', '.join(StopClass)}", allow_none=True)
    steps = fields.Nested(StopStepsSchema, allow_none=True, metadata={"description": "停止的进展 · step by step"})


class OrderDetailSchema(OrderSchema):
    """Everything about an order."""

    card = out(fields.String, "物理卡号，按权限脱敏 · card; masked for who does not need it", allow_none=True)
    printed_card = out(fields.String, "逻辑卡号，按权限脱敏 · its printed number; masked", allow_none=True)
    vin = out(fields.String, "车架号，按权限脱敏 · VIN; masked", allow_none=True)
    other_vin = out(
        fields.String, "车辆或记录报告的另一车架号 · another VIN that car or record said; masked", allow_none=True
    )
    vehicle = fields.Nested(CarSchema, allow_none=True, metadata={"description": "车辆信息 · the car (0x15)"})
    limits = fields.Nested(CarLimitsSchema, allow_none=True, metadata={"description": "充电参数 · limits (0x17)"})
    ending = fields.Nested(EndingSchema, allow_none=True, metadata={"description": "结束统计 · statistics (0x19)"})
    findings = fields.List(
        fields.Nested(FoundSchema), metadata={"description": "BMS 与充电机的异常 · what was not normal"}
    )

    live = fields.Nested(
        LiveSchema, allow_none=True, metadata={"description": "充电中的最新数据 · newest values while it charges"}
    )
    queue = fields.Nested(
        QueueSchema, allow_none=True, metadata={"description": "排队中的名次 · its place while it waits"}
    )
    live_available = out(fields.Boolean, "false：遥测库无应答 · the telemetry store does not answer")
    created_by = out(fields.String, "下单者 · who placed it")
    tariff_version = out(fields.String, "启动时锁定的计费版本 · frozen at the start", allow_none=True)
    pile_balance_fen = out(
        fields.Integer, "下发给桩的余额 · balance that the pile was given (0x34), fen", allow_none=True
    )
    admitted_at = out(Instant, "闸门放行时间 · admitted by the gate", allow_none=True)
    stop_requested_at = out(Instant, "请求停止的时间 · stop wished", allow_none=True)
    end_observed_at = out(Instant, "平台看到结束 · end first seen", allow_none=True)
    deadline_at = out(Instant, "平台下次自动处理时间 · when the platform looks again by itself", allow_none=True)
    business_date = out(fields.Date, "结束的北京日期 · Beijing day of the end", allow_none=True)
    pile_total_fen = out(fields.Integer, "桩屏显示金额 · what the pile's screen said, fen", allow_none=True)
    clock_wrong = out(
        fields.Boolean,
        "桩时钟不可信，按平台收到的电表读数计费 · its pile's clock was wrong: billed by marks in our time",
    )
    stop_code = out(fields.Integer, "桩的停止码 · the pile's stop code", allow_none=True)
    stop_class = out(fields.String, "含义 · its meaning", allow_none=True)
    stop = fields.Nested(StopSchema)
    bills = fields.List(fields.Nested(BillSchema))
    records = fields.List(fields.Nested(RecordSchema))
    audit = fields.List(
        fields.Nested(AuditSchema), metadata={"description": "操作记录 · empty for who may not see the audit"}
    )


class CurvePointSchema(Schema):
    """One reading; what the pile does not have is null."""

    at = out(Instant, "采集时间 · when the frame came")
    voltage_v = out(fields.Float, "电压 · V", allow_none=True)
    current_a = out(fields.Float, "电流 · A", allow_none=True)
    power_kw = out(fields.Float, "功率 · kW", allow_none=True)
    energy_kwh = out(fields.Float, "已充电量 · kWh so far", allow_none=True)
    soc_pct = out(fields.Float, "电池荷电状态 · SOC, %", allow_none=True)
    cable_temp_c = out(fields.Float, "枪线温度 · cable, °C", allow_none=True)
    battery_temp_max_c = out(fields.Float, "电池最高温度 · hottest cell, °C", allow_none=True)


class CurveGapSchema(Schema):
    """A time of the charge without a reading."""

    start = out(Instant, "起 · from")
    end = out(Instant, "止 · until")


class CurveSchema(Schema):
    """An order's readings in order of time."""

    serial = out(fields.String, "订单 · order")
    start = out(Instant, "起 · looked from")
    end = out(Instant, "止 · looked until")
    has_data = out(fields.Boolean, "有数据 · whether there is a single reading; false: no data")
    points = fields.List(fields.Nested(CurvePointSchema))
    gaps = fields.List(
        fields.Nested(CurveGapSchema), metadata={"description": "无数据的时段，不可连线 · draw no line across these"}
    )
