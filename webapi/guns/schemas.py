"""Guns as they go over HTTP."""

from marshmallow import Schema, fields

from evcs.contracts.states import GunState
from webapi.guns.power_schemas import PowerSchema
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


class GroundLockSchema(Schema):
    """地锁，按其最近一次上报 · a parking lock as it last reported."""

    state = out(fields.String, "raised 升 · lowered 降 · between 未到位，或原始代码 · or the code in hex")
    is_occupied = out(fields.Boolean, "车位是否有车 · whether a car stands in the bay", allow_none=True)
    battery_pct = out(fields.Integer, "地锁电量，% · battery", allow_none=True)
    alarm = out(fields.String, "告警；空为正常 · alarm; empty: none")
    seen_at = out(Instant, "上报时间 · when it reported")
    age_s = out(fields.Float, "距今秒数，正常每 5 分钟上报 · age, s; it reports every 5 min")


class GunVehicleSchema(Schema):
    """最近充电的车，按其握手报文 · the last car, as it introduced itself. What it did not say is null."""

    serial = out(fields.String, "当时的订单 · the charge in which it was said", allow_none=True)
    vin = out(fields.String, "车架号，按权限脱敏 · masked for who does not need it", allow_none=True)
    battery_type = out(fields.String, "电池类型 · battery type", allow_none=True)
    battery_maker = out(fields.String, "电池厂商 · battery maker", allow_none=True)
    bms_version = out(fields.String, "BMS 版本 · BMS version", allow_none=True)
    rated_capacity_ah = out(fields.Float, "额定容量 · Ah", allow_none=True)
    rated_voltage_v = out(fields.Float, "额定电压 · V", allow_none=True)
    charge_count = out(fields.Integer, "充电次数 · charges so far", allow_none=True)
    max_voltage_v = out(fields.Float, "允许最高电压 · V", allow_none=True)
    max_current_a = out(fields.Float, "允许最大电流 · A", allow_none=True)
    max_temperature_c = out(fields.Integer, "允许最高温度 · °C", allow_none=True)
    max_power_kw = out(fields.Float, "允许最大功率 · kW", allow_none=True)
    nominal_energy_kwh = out(fields.Float, "标称总能量 · kWh", allow_none=True)
    soc_pct = out(fields.Float, "开始时 SOC · SOC at the start, %", allow_none=True)
    seen_at = out(Instant, "时间 · when it was said")


class GunDetailSchema(GunSchema):
    """A gun with its bay."""

    ground_lock = fields.Nested(GroundLockSchema, allow_none=True, metadata={"description": "地锁 · null: none heard"})
    power = fields.Nested(PowerSchema, metadata={"description": "功率限制及由谁限制 · its limits and which binds"})
    vehicle = fields.Nested(GunVehicleSchema, allow_none=True, metadata={"description": "最近车辆 · null: none heard"})


class GunsSchema(Schema):
    """A page of guns, by pile and number."""

    items = fields.List(fields.Nested(GunSchema))
    next = next_cursor()
