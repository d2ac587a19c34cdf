"""Tariffs and their roll-out as they go over HTTP."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from evcs.contracts.config import BandPrice
from evcs.contracts.states import TariffBand
from webapi.http.fields import Body, Instant, code, next_cursor, out, whole
from webapi.stations.schemas import PageQuery, SentenceSchema
from webapi.tariffs.models import SLOTS
from webapi.tariffs.rollout import RolloutState
from webapi.tariffs.rollout_queries import RolloutFilter

DEAREST_E5 = 10_000_000
"""100 yuan/kWh: no price that anybody means is higher."""
MOST_PILES = 5_000


@dataclass(frozen=True, slots=True)
class VersionWish:
    """A version as somebody wrote it."""

    slots: tuple[TariffBand, ...]
    prices: tuple[BandPrice, ...]
    valid_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class AssignWish:
    """Which piles shall have a version: these, or all of a station."""

    version: str
    piles: tuple[str, ...] = ()
    station: str | None = None


@dataclass(frozen=True, slots=True)
class PushWish:
    """Which piles shall be tried again; none named: all that are behind."""

    piles: tuple[str, ...] = ()


def _band(description: str) -> fields.Enum[Any]:
    return fields.Enum(TariffBand, by_value=True, required=True, metadata={"description": description})


class PriceBody(Body):
    """Prices of a band, in 0.00001 yuan/kWh."""

    makes = BandPrice
    band = _band("尖 sharp, 峰 peak, 平 flat, 谷 valley, 深谷 deep_valley")
    energy_price_e5 = whole("电价，0.00001 元/kWh · energy", least=0, most=DEAREST_E5, required=True)
    service_price_e5 = whole("服务费，0.00001 元/kWh · service", least=0, most=DEAREST_E5, required=True)


class VersionBody(Body):
    """A new version: the band of each half hour from 00:00 Beijing time, and a price for each band used."""

    slots = fields.List(
        _band("该半小时的费率 · band of the half hour"),
        required=True,
        validate=validate.Length(equal=SLOTS),
        metadata={"description": "48 个半小时，自 00:00 · 48 half hours from 00:00"},
    )
    prices = fields.List(
        fields.Nested(PriceBody),
        required=True,
        validate=validate.Length(1, len(TariffBand)),
        metadata={"description": "各费率的价格 · prices by band"},
    )
    valid_from = Instant(
        metadata={"description": "何时起下发；缺省为立即 · from when piles shall be given it; absent: at once"}
    )

    @validates_schema(skip_on_field_errors=True)
    def _fits(self, data: dict[str, Any], **_: Any) -> None:
        bands = [price.band for price in data["prices"]]
        if len(set(bands)) != len(bands) or set(data["slots"]) - set(bands):
            raise ValidationError("Each band that is used needs exactly one price.")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> VersionWish:
        return VersionWish(tuple(data["slots"]), tuple(data["prices"]), data.get("valid_from"))


class AssignBody(Body):
    """Piles, or a station, and the version that they shall have."""

    version = code("计费版本 · version's id", required=True)
    piles = fields.List(
        code("桩号 · pile's number"),
        load_default=list,
        validate=validate.Length(max=MOST_PILES),
        metadata={"description": "桩 · piles"},
    )
    station = code("整站 · all piles of a station")

    @validates_schema(skip_on_field_errors=True)
    def _fits(self, data: dict[str, Any], **_: Any) -> None:
        if bool(data["piles"]) == ("station" in data):
            raise ValidationError("Either piles or a station must be given.")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> AssignWish:
        return AssignWish(data["version"], tuple(dict.fromkeys(data["piles"])), data.get("station"))


class PushBody(Body):
    """Which piles shall be tried at once."""

    piles = fields.List(
        code("桩号 · pile's number"),
        load_default=list,
        validate=validate.Length(max=MOST_PILES),
        metadata={"description": "缺省为全部未确认的桩 · absent: all that are behind"},
    )

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> PushWish:
        return PushWish(tuple(dict.fromkeys(data["piles"])))


class RolloutQuery(PageQuery):
    """Which piles of a roll-out."""

    makes = RolloutFilter
    state = fields.Enum(RolloutState, by_value=True, metadata={"description": "只看该状态 · only in this state"})


class PriceSchema(Schema):
    """Prices of a band."""

    band = out(fields.Enum, "尖 sharp, 峰 peak, 平 flat, 谷 valley, 深谷 deep_valley", enum=TariffBand, by_value=True)
    energy_price_e5 = out(fields.Integer, "电价，0.00001 元/kWh · energy")
    service_price_e5 = out(fields.Integer, "服务费，0.00001 元/kWh · service")


class VersionSchema(Schema):
    """An immutable version of a tariff."""

    id = out(fields.String, "版本 · id")
    model_no = out(fields.String, "计费模型编号 · 4-digit number on the wire")
    slots = fields.List(
        fields.Enum(TariffBand, by_value=True), metadata={"description": "48 个半小时 · band of each half hour"}
    )
    prices = fields.List(fields.Nested(PriceSchema))
    valid_from = out(Instant, "何时起下发 · from when piles shall be given it")
    created_at = out(Instant, "创建时间 · made")
    created_by = out(fields.String, "创建者 · by whom")
    wanted_piles = out(fields.Integer, "应使用的桩数 · piles that shall have it")
    confirmed_piles = out(fields.Integer, "已确认的桩数 · piles that confirmed it")


class TariffSchema(Schema):
    """计费模型."""

    id = out(fields.Integer, "编号 · number")
    name = out(fields.String, "名称 · name")
    created_at = out(Instant, "创建时间 · made")
    versions = fields.List(fields.Nested(VersionSchema), metadata={"description": "新的在前 · newest first"})


class TariffsSchema(Schema):
    """A page of tariffs."""

    items = fields.List(fields.Nested(TariffSchema))
    next = next_cursor()


class AssignedSchema(Schema):
    """What became of one pile."""

    pile = out(fields.String, "桩号 · pile's number")
    assigned = out(fields.Boolean, "是否已指派 · whether it shall have the version")
    from_at = out(Instant, "何时起 · from when; null: at once", allow_none=True)
    reason = out(fields.String, "不能指派的原因代码 · why not", allow_none=True)
    sentence = fields.Nested(SentenceSchema, allow_none=True, metadata={"description": "原因 · in words"})


class AssignmentsSchema(Schema):
    """What became of each pile."""

    items = fields.List(fields.Nested(AssignedSchema))


class PushedSchema(Schema):
    """Which piles are tried next."""

    piles = fields.List(fields.String(), metadata={"description": "即将重试的桩 · piles that are tried next"})


class ScheduledSchema(Schema):
    """A version whose day has not come."""

    version = out(fields.String, "版本 · version")
    at = out(Instant, "生效时间 · from when")


class PileRolloutSchema(Schema):
    """Where a pile stands on its way to the version that it shall have."""

    pile = out(fields.String, "桩号 · pile's number")
    station = out(fields.String, "充电站编号 · station's code")
    state = out(
        fields.Enum,
        "confirmed 已确认 · pushing 下发中 · offline 离线 · charging 充电中 · refused 被拒 · no_answer 无应答 · "
        "not_expressible 协议不支持 · not_tried 未下发 · scheduled 未到生效时间",
        enum=RolloutState,
        by_value=True,
    )
    sentence = fields.Nested(SentenceSchema, metadata={"description": "说明 · in words"})
    wanted = out(fields.String, "应使用的版本 · wanted", allow_none=True)
    confirmed = out(fields.String, "已确认的版本 · confirmed", allow_none=True)
    delivered_at = out(Instant, "该版本首次被桩确认 · when the pile first confirmed this version", allow_none=True)
    tries = out(fields.Integer, "下发次数 · pushes so far")
    last_tried_at = out(Instant, "上次下发 · last push", allow_none=True)
    next_try_at = out(Instant, "不早于此时再试 · not tried before it", allow_none=True)
    command = out(fields.String, "上次下发的指令 · the last push, see /commands/{id}", allow_none=True)
    scheduled = fields.Nested(ScheduledSchema, allow_none=True, metadata={"description": "待生效版本 · to come"})


class RolloutCountSchema(Schema):
    """How many piles stand so."""

    state = out(fields.Enum, "状态 · state", enum=RolloutState, by_value=True)
    piles = out(fields.Integer, "桩数 · how many")


class RolloutSchema(Schema):
    """The roll-out of a tariff at the piles that you see."""

    tariff = out(fields.Integer, "编号 · tariff's number")
    counts = fields.List(fields.Nested(RolloutCountSchema), metadata={"description": "全部桩 · over all piles"})
    items = fields.List(fields.Nested(PileRolloutSchema))
    next = next_cursor()
