"""Stations, guns and orders as a driver's phone sees them over HTTP."""

from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from evcs.contracts.states import GunState, OrderState, TariffBand
from webapi.http.fields import Body, Instant, limit, out, text
from webapi.mini.nearby import NearbyWish
from webapi.orders.schemas import QueueSchema, RefusalSchema
from webapi.piles.models import CurrentKind


@dataclass(frozen=True, slots=True)
class ScanWish:
    """What the camera read."""

    code: str


class NearbyQuery(Body):
    """Where the driver stands."""

    makes = NearbyWish
    longitude = fields.Decimal(
        validate=validate.Range(-180, 180),
        allow_nan=False,
        metadata={"description": "经度 · WGS-84 degrees, together with latitude"},
    )
    latitude = fields.Decimal(
        validate=validate.Range(-90, 90),
        allow_nan=False,
        metadata={"description": "纬度 · WGS-84 degrees, together with longitude"},
    )
    within_km = fields.Integer(
        load_default=50, validate=validate.Range(1, 500), metadata={"description": "多远以内 · how far is near, km"}
    )
    q = text("站名包含 · the name contains", most=50)
    limit = limit(20, 50)

    @validates_schema
    def _is_a_place(self, data: dict[str, Any], **_: Any) -> None:
        if ("longitude" in data) != ("latitude" in data):
            raise ValidationError("Both or none must be given.", "latitude" if "longitude" in data else "longitude")


class ScanQuery(Body):
    """What the camera read."""

    makes = ScanWish
    code = text(
        "扫到的全部内容 · all that was read: our address, its token, or the pile's own code", most=512, required=True
    )


class PriceNowSchema(Schema):
    """What a kilowatt-hour costs in this half hour, 0.00001 yuan."""

    band = out(fields.Enum, "尖峰平谷 · band", enum=TariffBand, by_value=True)
    energy_price_e5 = out(fields.Integer, "电费单价 · electricity")
    service_price_e5 = out(fields.Integer, "服务费单价 · service")
    total_e5 = out(fields.Integer, "合计单价 · both")
    until = out(Instant, "有效至 · stands until")


class PeriodSchema(Schema):
    """A period of the day with one price; Beijing time."""

    from_min = out(fields.Integer, "起，零点后分钟 · minutes from midnight")
    until_min = out(fields.Integer, "止，零点后分钟 · 1440: midnight")
    band = out(fields.Enum, "尖峰平谷 · band", enum=TariffBand, by_value=True)
    energy_price_e5 = out(fields.Integer, "电费单价 · electricity")
    service_price_e5 = out(fields.Integer, "服务费单价 · service")
    total_e5 = out(fields.Integer, "合计单价 · both")


class NearbyStationSchema(Schema):
    """A station for a driver."""

    code = out(fields.String, "编号 · code")
    name = out(fields.String, "名称 · name")
    address = out(fields.String, "地址 · postal address", allow_none=True)
    longitude = out(fields.Decimal, "经度 · WGS-84 degrees", allow_none=True)
    latitude = out(fields.Decimal, "纬度 · WGS-84 degrees", allow_none=True)
    distance_km = out(fields.Float, "直线距离 · as the crow flies, km; null: unknown", allow_none=True)
    guns = out(fields.Integer, "充电枪总数 · guns")
    free_guns = out(fields.Integer, "空闲枪数 · free guns")
    open = out(fields.Boolean, "可充电（未停用） · not locked out")
    price = fields.Nested(
        PriceNowSchema, allow_none=True, metadata={"description": "当前最低价 · the lowest price now"}
    )


class NearbyStationsSchema(Schema):
    """The nearest stations, nearest first."""

    items = fields.List(fields.Nested(NearbyStationSchema))


class GunChoiceSchema(Schema):
    """A gun of the pile."""

    gun = out(fields.Integer, "枪号 · number")
    state = out(fields.Enum, "状态 · state as shown", enum=GunState, by_value=True)


class ScannedGunSchema(Schema):
    """The scanned gun."""

    pile = out(fields.String, "桩号 · pile")
    gun = out(fields.Integer, "枪号 · gun")
    guns = fields.List(fields.Nested(GunChoiceSchema), metadata={"description": "该桩全部枪 · all guns of the pile"})
    station = out(fields.String, "充电站编号 · code of the station")
    station_name = out(fields.String, "充电站 · its name")
    address = out(fields.String, "地址 · postal address", allow_none=True)
    kind = out(fields.Enum, "直流 dc · 交流 ac", enum=CurrentKind, by_value=True)
    rated_kw = out(fields.Decimal, "额定功率 · rated power, kW")
    state = out(fields.Enum, "状态 · state as shown", enum=GunState, by_value=True)
    is_ours = out(fields.Boolean, "本平台签名的二维码 · the code carries our good signature")
    price = fields.Nested(PriceNowSchema, allow_none=True, metadata={"description": "当前电价 · price now"})
    prices = fields.List(fields.Nested(PeriodSchema), metadata={"description": "全天电价 · prices of the day"})
    available_fen = out(fields.Integer, "可用余额 · balance, fen")
    minimum_fen = out(fields.Integer, "启动最低余额 · least balance for a start, fen")
    hold_fen = out(fields.Integer, "将冻结金额（充满目标） · what a start would hold, fen", allow_none=True)
    hinders = fields.Nested(
        RefusalSchema,
        allow_none=True,
        metadata={"description": "现在为何不能启动；变压器负荷由下单时的闸门判断 · why a start would be refused now"},
    )
    order = out(fields.String, "本人在该枪的进行中订单 · the own open order at this gun", allow_none=True)


class GunCodeSchema(Schema):
    """The content of a gun's QR code."""

    content = out(fields.String, "二维码内容 · what the sticker shows")


class ProgressSchema(Schema):
    """How an own order stands; poll it with If-None-Match."""

    serial = out(fields.String, "订单号 · serial")
    state = out(fields.Enum, "状态 · state", enum=OrderState, by_value=True)
    state_since = out(Instant, "状态起始 · since when")
    is_over = out(fields.Boolean, "不再变化，可停止轮询 · nothing more comes: stop asking")
    started_at = out(Instant, "开始充电 · begin of the charge", allow_none=True)
    ended_at = out(Instant, "充电结束 · its end", allow_none=True)
    at = out(Instant, "实时数据时间 · time of the live figures", allow_none=True)
    power_kw = out(fields.Float, "功率 · kW", allow_none=True)
    voltage_v = out(fields.Float, "电压 · V", allow_none=True)
    current_a = out(fields.Float, "电流 · A", allow_none=True)
    soc_pct = out(fields.Float, "SOC · %", allow_none=True)
    remaining_min = out(fields.Integer, "预计剩余 · the pile's estimate, min", allow_none=True)
    energy_kwh = out(fields.Float, "已充电量 · kWh so far", allow_none=True)
    cost_fen = out(
        fields.Float, "当前费用（结算后为账单总额） · fen so far; the bill's total once settled", allow_none=True
    )
    hold_fen = out(fields.Integer, "仍冻结金额 · still held, fen")
    cap_kw = out(fields.Decimal, "功率上限 · cap, kW", allow_none=True)
    refusal = fields.Nested(RefusalSchema, allow_none=True)
    queue = fields.Nested(QueueSchema, allow_none=True)
