"""Stations as they go over HTTP."""

from marshmallow import Schema, fields

from evcs.contracts.states import Band, GunState
from webapi.http.fields import Body, Instant, cursor, limit, next_cursor, out
from webapi.http.paging import PageWish
from webapi.stations.lockout_columns import WhileCharging
from webapi.stations.lockout_views import LockoutState


class PageQuery(Body):
    """Which page."""

    makes = PageWish
    limit = limit()
    cursor = cursor()


class SentenceSchema(Schema):
    """给人看的一句话，中英文。 One sentence for people, in both languages."""

    zh = out(fields.String, "中文")
    en = out(fields.String, "English")


class LockoutSchema(Schema):
    """停用: who, why, since when, until when, and how far it has come."""

    by = out(fields.String, "操作者 · who")
    reason = out(fields.String, "原因 · why", allow_none=True)
    since = out(Instant, "起始时间 · since when")
    until = out(Instant, "截止时间 · until when; null: until it is lifted", allow_none=True)
    while_charging = out(fields.Enum, "stop 先停止充电 · wait 等本次充电结束", enum=WhileCharging, by_value=True)
    state = out(
        fields.Enum,
        "in_force 已生效（桩上报已无电流）· stopping 正在停止 · waiting 等本次充电结束 · unconfirmed 桩离线无法确认",
        enum=LockoutState,
        by_value=True,
    )
    sentence = fields.Nested(
        SentenceSchema, metadata={"description": "给操作人的一句话 · for who is about to touch it"}
    )


class StateCountSchema(Schema):
    """How many guns show a state."""

    state = out(fields.Enum, "显示状态 · state as shown", enum=GunState, by_value=True)
    guns = out(fields.Integer, "数量 · how many")


class StationSchema(Schema):
    """充电站."""

    code = out(fields.String, "编号 · code")
    name = out(fields.String, "名称 · name")
    address = out(fields.String, "地址 · postal address", allow_none=True)
    longitude = out(fields.Decimal, "经纬度 · WGS-84 degrees", allow_none=True)
    latitude = out(fields.Decimal, "经纬度 · WGS-84 degrees", allow_none=True)
    piles = out(fields.Integer, "桩数 · number of piles")
    guns = fields.List(
        fields.Nested(StateCountSchema), metadata={"description": "各状态枪数 · guns by state; absent states: 0"}
    )
    lockout = fields.Nested(LockoutSchema, allow_none=True, metadata={"description": "停用"})
    stopped = fields.Nested(LockoutSchema, allow_none=True, metadata={"description": "全站停止"})


class StationsSchema(Schema):
    """A page of stations, by code."""

    items = fields.List(fields.Nested(StationSchema))
    next = next_cursor()


class LoadSchema(Schema):
    """变压器的负荷与档位，占额定容量的百分比。 Band and load as the engine last told them, % of the rated kVA."""

    band = out(
        fields.Enum,
        "normal 正常 · limited 新充电限半功率 · blocked 暂停新充电 · unknown 电表无读数，暂停新充电",
        enum=Band,
        by_value=True,
    )
    since = out(Instant, "该档位自何时起 · since when this band is in force")
    load_pct = out(fields.Float, "负荷，% · load; null: the meter gives no reading", allow_none=True)
    planned_pct = out(fields.Float, "计划负荷（含已预留），% · load and what admitted charges reserve", allow_none=True)
    load_kva = out(fields.Float, "负荷，kVA · load", allow_none=True)
    guns_kw = out(fields.Float, "各枪输出之和，kW · sum of the guns' output")
    source = out(fields.String, "数值来源：meter 电表，estimate 估算 · which figure counts")
    why = fields.Nested(SentenceSchema, metadata={"description": "原因与解除条件 · why, and when it ends"})
    meter_kva = out(fields.Float, "电表读数（最大相），kVA · what the meter says, worst phase", allow_none=True)
    estimate_kva = out(fields.Float, "估算，kVA · estimate from the guns, beside the meter", allow_none=True)
    meter_at = out(Instant, "电表最近读数时间 · when the meter was last read", allow_none=True)
    limited_pct = out(fields.Float, "现行限功率阈值，% · threshold in force now", allow_none=True)
    blocked_pct = out(
        fields.Float, "现行暂停阈值，%（降级时更低） · in force now, lower in degraded mode", allow_none=True
    )
    degraded_until = out(Instant, "降级运行至 · degraded mode is heeded until", allow_none=True)
    over_since = out(Instant, "过载自何时起 · above the overload threshold since", allow_none=True)
    curtailed = out(fields.Integer, "被压低功率的充电数 · charges held lower because of overload or sharing")
    at = out(Instant, "何时报告 · when the engine told it")
    age_s = out(fields.Float, "距今秒数，超过 30 秒即规则引擎不在线 · age, s; over 30: the engine is away")


class TransformerSchema(Schema):
    """变压器: thresholds in % of its rated apparent power."""

    code = out(fields.String, "编号 · code")
    name = out(fields.String, "名称 · name")
    rated_kva = out(fields.Decimal, "额定容量 · rated apparent power, kVA")
    base_load_kw = out(fields.Decimal, "站内其他负荷 · building load behind it, kW")
    limited_pct = out(fields.Decimal, "超过则新充电限半功率 · over this, starts get half power")
    blocked_pct = out(fields.Decimal, "超过则暂停新充电 · over this, nothing starts")
    has_meter = out(fields.Boolean, "是否装有电表 · whether it has a meter; else the load is estimated from the guns")
    live = fields.Nested(
        LoadSchema, allow_none=True, metadata={"description": "档位与负荷 · null: the engine has not told it yet"}
    )


class StationDetailSchema(StationSchema):
    """A station with its transformers."""

    created_at = out(Instant, "创建时间 · when it was made")
    transformers = fields.List(fields.Nested(TransformerSchema))
