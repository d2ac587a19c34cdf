"""Guns as they go over HTTP."""

from marshmallow import Schema, fields

from evcs.contracts.states import GunState
from webapi.guns.queries import GunFilter
from webapi.http.fields import Instant, code, next_cursor, out
from webapi.stations.schemas import LockoutSchema, PageQuery


class GunsQuery(PageQuery):
    """Which guns."""

    makes = GunFilter
    station = code("只看该站 · only those of this station")
    pile = code("只看该桩 · only those of this pile")


class LiveSchema(Schema):
    """Newest live values; what the pile does not have is null."""

    at = out(Instant, "采集时间 · when the frame came")
    age_s = out(fields.Float, "距今秒数 · age, s")
    voltage_v = out(fields.Float, "电压 · V", allow_none=True)
    current_a = out(fields.Float, "电流 · A", allow_none=True)
    power_kw = out(fields.Float, "功率 · kW", allow_none=True)
    energy_kwh = out(fields.Float, "本次已充电量 · kWh of this charge so far", allow_none=True)
    soc_pct = out(fields.Float, "电池荷电状态 · SOC, %", allow_none=True)
    cable_temp_c = out(fields.Float, "枪线温度 · cable, °C", allow_none=True)
    battery_temp_max_c = out(fields.Float, "电池最高温度 · hottest cell, °C", allow_none=True)
    elapsed_min = out(fields.Integer, "已充时长，分钟 · charging for, min", allow_none=True)
    remaining_min = out(fields.Integer, "预计剩余分钟（车辆给出） · left by the car, min", allow_none=True)
    cost_fen = out(fields.Float, "桩显示金额，分，以账单为准 · as the pile shows it, fen", allow_none=True)


class GunSchema(Schema):
    """充电枪."""

    pile = out(fields.String, "桩号 · pile's number")
    gun = out(fields.Integer, "枪号 · number 1…n")
    station = out(fields.String, "充电站编号 · station's code")
    rated_kw = out(fields.Decimal, "额定功率 · rated power, kW")
    hand_limit_kw = out(fields.Decimal, "人工限功率 · limit set by a person, kW", allow_none=True)
    state = out(
        fields.Enum, "显示状态 · state to show: offline as soon as pile or bridge is", enum=GunState, by_value=True
    )
    since = out(Instant, "起始时间 · since when", allow_none=True)
    state_age_s = out(fields.Float, "持续秒数 · for how long, s", allow_none=True)
    plugged = out(fields.Boolean, "是否插枪 · whether a car is plugged in", allow_none=True)
    serial = out(fields.String, "进行中或刚结束的订单 · order that runs or has just ended here", allow_none=True)
    fault_bits = out(fields.Integer, "桩上报的故障位 · fault bits as the pile sends them")
    lockout = fields.Nested(LockoutSchema, allow_none=True, metadata={"description": "停用"})
    live = fields.Nested(LiveSchema, allow_none=True, metadata={"description": "仅充电中有值 · only while charging"})
    live_available = out(fields.Boolean, "false：遥测库无应答 · false: the telemetry store does not answer")


class GunsSchema(Schema):
    """A page of guns, by pile and number."""

    items = fields.List(fields.Nested(GunSchema))
    next = next_cursor()
