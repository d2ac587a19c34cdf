"""Guns as they go over HTTP."""

from marshmallow import Schema, fields

from evcs.contracts.states import GunState
from webapi.guns.queries import GunFilter
from webapi.http.fields import Instant, code, next_cursor, out
from webapi.stations.schemas import LockoutSchema, PageQuery


class GunsQuery(PageQuery):
    """Which guns."""

    makes = GunFilter
    station = code("only those of this station")
    pile = code("only those of this pile")


class LiveSchema(Schema):
    """Newest live values; what the pile does not have is null."""

    at = out(Instant, "when the frame came")
    age_s = out(fields.Float, "age, s")
    voltage_v = out(fields.Float, "V", allow_none=True)
    current_a = out(fields.Float, "A", allow_none=True)
    power_kw = out(fields.Float, "kW", allow_none=True)
    energy_kwh = out(fields.Float, "kWh of this charge so far", allow_none=True)
    soc_pct = out(fields.Float, "SOC, %", allow_none=True)
    cable_temp_c = out(fields.Float, "cable, °C", allow_none=True)
    battery_temp_max_c = out(fields.Float, "hottest cell, °C", allow_none=True)
    elapsed_min = out(fields.Integer, "已充时长，分钟 · charging for, min", allow_none=True)
    remaining_min = out(fields.Integer, "预计剩余分钟（车辆给出） · left by the car, min", allow_none=True)
    cost_fen = out(fields.Float, "桩显示金额，分，以账单为准 · as the pile shows it, fen", allow_none=True)


class GunSchema(Schema):
    """充电枪."""

    pile = out(fields.String, "pile's number")
    gun = out(fields.Integer, "number 1…n")
    station = out(fields.String, "station's code")
    rated_kw = out(fields.Decimal, "rated power, kW")
    hand_limit_kw = out(fields.Decimal, "limit set by a person, kW", allow_none=True)
    state = out(fields.Enum, "state to show: offline as soon as pile or bridge is", enum=GunState, by_value=True)
    since = out(Instant, "since when", allow_none=True)
    state_age_s = out(fields.Float, "for how long, s", allow_none=True)
    plugged = out(fields.Boolean, "whether a car is plugged in", allow_none=True)
    serial = out(fields.String, "order that runs or has just ended here", allow_none=True)
    fault_bits = out(fields.Integer, "fault bits as the pile sends them")
    lockout = fields.Nested(LockoutSchema, allow_none=True, metadata={"description": "停用"})
    live = fields.Nested(LiveSchema, allow_none=True, metadata={"description": "only while charging"})
    live_available = out(fields.Boolean, "false: the telemetry store does not answer")


class GunsSchema(Schema):
    """A page of guns, by pile and number."""

    items = fields.List(fields.Nested(GunSchema))
    next = next_cursor()
