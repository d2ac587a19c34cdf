"""New tariffs, comparisons and cancelled changes as they go over HTTP."""

from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, fields, post_load, validate
from webargs.fields import DelimitedList

from evcs.contracts.states import TariffBand
from webapi.http.fields import Body, code, out, text, whole
from webapi.tariffs.schemas import VersionBody, VersionWish


@dataclass(frozen=True, slots=True)
class TariffWish:
    """A tariff and its first version; `tenant` is named by who belongs to none."""

    name: str
    version: VersionWish
    tenant: int | None = None


@dataclass(frozen=True, slots=True)
class CompareWish:
    """Which two versions."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class CancelWish:
    """At which piles a change is cancelled; none named: wherever it is scheduled."""

    pile: tuple[str, ...] = ()


class TariffBody(Body):
    """A new tariff."""

    makes = TariffWish
    name = text("名称 · name", most=100, required=True)
    version = fields.Nested(VersionBody, required=True, metadata={"description": "首个版本 · its first version"})
    tenant = whole("运营商，仅平台管理员填写 · operator, by the platform's administrators only")


class CompareQuery(Body):
    """Two versions of a tariff."""

    makes = CompareWish
    before = code("原版本 · version before", required=True)
    after = code("新版本 · version after", required=True)


class CancelQuery(Body):
    """At which piles."""

    pile = DelimitedList(
        code("一个桩 · one pile"),
        validate=validate.Length(1, 200),
        metadata={"description": "桩号，逗号分隔；缺省为全部 · piles, with commas between; absent: all"},
    )

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> CancelWish:
        return CancelWish(tuple(dict.fromkeys(data.get("pile", ()))))


class SlotPriceSchema(Schema):
    """What half an hour costs."""

    band = out(fields.Enum, "时段 · band", enum=TariffBand, by_value=True)
    energy_price_e5 = out(fields.Integer, "电价，0.00001 元/kWh · energy")
    service_price_e5 = out(fields.Integer, "服务费，0.00001 元/kWh · service")


class IntervalSchema(Schema):
    """Half hours in a row that change alike, Beijing time."""

    start = out(fields.String, "起 · from, e.g. 08:00")
    end = out(fields.String, "止 · until, e.g. 24:00")
    before = fields.Nested(SlotPriceSchema, metadata={"description": "原价 · before"})
    after = fields.Nested(SlotPriceSchema, metadata={"description": "新价 · after"})
    difference_e5 = out(fields.Integer, "每度涨跌（电费+服务费），0.00001 元 · dearer by, per kWh")
    changed = out(fields.Boolean, "有变化 · whether anything changes")


class ComparedSchema(Schema):
    """A day before and after."""

    before = out(fields.String, "原版本 · version before")
    after = out(fields.String, "新版本 · version after")
    changed_slots = out(fields.Integer, "有变化的半小时数 · half hours that change")
    intervals = fields.List(
        fields.Nested(IntervalSchema), metadata={"description": "00:00–24:00，相邻且变化相同的合并 · the whole day"}
    )
