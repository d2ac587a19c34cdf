"""Limits by hand as they go over HTTP."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from evcs.contracts.states import CapState
from webapi.guns.power_models import LimitKind, SettingState
from webapi.guns.power_queries import SettingFilter
from webapi.guns.power_settings import Limit, Wish
from webapi.http.fields import Body, Instant, code, figure, next_cursor, out, text, whole
from webapi.stations.schemas import PageQuery, SentenceSchema

MOST_GUNS = 500


@dataclass(frozen=True, slots=True)
class Named:
    """A gun by its name."""

    pile: str
    gun: int


class NamedBody(Body):
    """A gun."""

    makes = Named
    pile = code("桩号 · pile's number", required=True)
    gun = whole("枪号 · gun's number", most=99, required=True)


class LimitBody(Body):
    """How high: in kW, or in % of each gun's rating."""

    makes = Limit
    kw = figure("功率上限，kW · kW", above="0", most="10000", places=3)
    pct = figure("额定功率的百分比 · % of the gun's rating", above="0", most="100", places=1)

    @validates_schema(skip_on_field_errors=True)
    def _fits(self, data: dict[str, Decimal], **_: Any) -> None:
        if len(data) != 1:
            raise ValidationError("Exactly one of kw and pct must be given.")


class PowerBody(Body):
    """功率设置."""

    guns = fields.List(
        fields.Nested(NamedBody),
        required=True,
        validate=validate.Length(1, MOST_GUNS),
        metadata={"description": "一把或多把枪，最多 500 · one or many guns"},
    )
    limit = fields.Nested(
        LimitBody, required=True, allow_none=True, metadata={"description": "上限；null 不限 · null: no limit"}
    )
    reason = text("原因 · why", required=True)

    @validates_schema(skip_on_field_errors=True)
    def _once(self, data: dict[str, Any], **_: Any) -> None:
        if len(set(data["guns"])) != len(data["guns"]):
            raise ValidationError("A gun is named twice.")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Wish:
        names = tuple((one.pile, one.gun) for one in data["guns"])
        return Wish(names, data["limit"] or Limit(), data["reason"])


class SettingsQuery(PageQuery):
    """Which limits."""

    makes = SettingFilter
    station = code("只看涉及该站的 · only those that concern this station")
    pile = code("只看涉及该桩的 · only those that concern this pile")


class PowerCountSchema(Schema):
    """How many guns have come so far."""

    state = out(fields.Enum, "状态 · state", enum=SettingState, by_value=True)
    guns = out(fields.Integer, "枪数 · how many")


class GunResultSchema(Schema):
    """一把枪的结果 · what became of a limit at one gun."""

    pile = out(fields.String, "桩号 · pile's number")
    gun = out(fields.Integer, "枪号 · gun's number")
    station = out(fields.String, "充电站编号 · station's code")
    rated_kw = out(fields.Decimal, "额定功率 · rated power, kW")
    limit_kw = out(fields.Decimal, "设置的上限，kW；null 不限 · as set; null: no limit", allow_none=True)
    limit_pct = out(fields.Decimal, "设置的上限，额定功率的 % · as set, % of the rating", allow_none=True)
    effective_kw = out(fields.Decimal, "协议能执行的上限（本桩无其他充电时），kW · what the protocol can say of it")
    effective_pct = out(fields.Decimal, "同上，额定功率的 % · the same in %")
    floor = fields.Nested(
        SentenceSchema, allow_none=True, metadata={"description": "低于协议下限时的说明 · null: not below the floor"}
    )
    state = out(
        fields.Enum,
        "asked 已设置 · standing 下次启动生效 · sent 已下发 · confirmed 桩已确认 · applied 已生效 · failed 失败"
        " · superseded 已取代",
        enum=SettingState,
        by_value=True,
    )
    reason = out(fields.String, "失败原因代码 · why it failed", allow_none=True)
    sentence = fields.Nested(SentenceSchema, metadata={"description": "结果与建议 · what became of it, what to do"})
    serial = out(fields.String, "当时的充电 · the charge that it was set for", allow_none=True)
    bound_by = out(fields.String, "实际由谁限制 · who binds the cap, as the engine last said", allow_none=True)
    state_at = out(Instant, "状态时间 · since when")
    tries = out(fields.Integer, "次数（含重试） · how often it was asked for")


class SettingSummarySchema(Schema):
    """功率设置，不含逐枪结果 · a limit without its guns."""

    id = out(fields.Integer, "编号 · id")
    kind = out(fields.Enum, "kw 按千瓦 · pct 按额定功率百分比 · none 不限", enum=LimitKind, by_value=True)
    value = out(fields.Decimal, "给出的数值 · as given", allow_none=True)
    reason = out(fields.String, "原因 · why")
    by = out(fields.String, "操作者 · who")
    at = out(Instant, "时间 · when")
    counts = fields.List(fields.Nested(PowerCountSchema), metadata={"description": "各状态枪数 · guns by state"})


class SettingSchema(SettingSummarySchema):
    """功率设置及逐枪结果 · a limit with what became of it at each gun."""

    guns = fields.List(fields.Nested(GunResultSchema))


class SettingsSchema(Schema):
    """A page of limits, newest first."""

    items = fields.List(fields.Nested(SettingSummarySchema))
    next = next_cursor()


class CapSchema(Schema):
    """One cap of a charge."""

    source = out(fields.String, "来源 · transformer, hand, overload, sharing, feeder, protection")
    cap_kw = out(fields.Float, "上限 · kW")


class PowerSchema(Schema):
    """功率限制：min(额定, 人工, 变压器, 车辆)，及由谁限制 · what a gun may draw and who binds it."""

    rated_kw = out(fields.Decimal, "额定功率 · rated power, kW")
    hand_limit_kw = out(fields.Decimal, "人工限功率 · limit set by a person, kW", allow_none=True)
    hand_heeded_kw = out(
        fields.Decimal, "规则引擎已采用的人工限功率 · what of it the engine heeds, kW", allow_none=True
    )
    cap_kw = out(fields.Decimal, "本次充电的上限 · cap of the charge, kW", allow_none=True)
    caps = fields.List(fields.Nested(CapSchema), metadata={"description": "全部上限，低的在前 · every cap"})
    vehicle_kw = out(fields.Decimal, "车辆最大功率 · the car's stated maximum, kW", allow_none=True)
    floor_kw = out(fields.Decimal, "协议下限 · the protocol's floor, kW")
    effective_kw = out(fields.Decimal, "有效上限 · the lowest of them, kW")
    effective_pct = out(fields.Decimal, "有效上限，额定功率的 % · the same in %")
    bound_by = out(fields.String, "由谁限制 · rated, hand, pile_floor, vehicle, transformer, overload, sharing …")
    cap_state = out(fields.Enum, "上限的状态 · how far the cap has come", enum=CapState, by_value=True)
    allowance_sent_kw = out(fields.Decimal, "整桩：最近下发 · of the whole pile, last sent, kW", allow_none=True)
    allowance_confirmed_kw = out(fields.Decimal, "整桩：最近确认 · last confirmed, kW", allow_none=True)
    allowance_refused = out(fields.String, "整桩：未接受的原因 · why it was not taken", allow_none=True)
    setting = out(fields.Integer, "最近的功率设置编号 · id of the newest limit by hand", allow_none=True)
    setting_state = out(fields.Enum, "其状态 · its state", enum=SettingState, by_value=True, allow_none=True)
