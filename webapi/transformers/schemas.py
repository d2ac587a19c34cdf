"""Transformers and feeders as they go over HTTP."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema
from msgspec import UNSET, UnsetType

from webapi.http.fields import Body, Instant, code, figure, next_cursor, out, text, whole
from webapi.stations.schemas import LoadSchema, PageQuery
from webapi.transformers.changes import TransformerChange
from webapi.transformers.degraded import LONGEST_MIN, DegradedState
from webapi.transformers.queries import TransformerFilter

DAY_S = 86_400
LARGEST = "100000"
"""kVA and kW: no transformer of a charging station is larger."""


@dataclass(frozen=True, slots=True)
class DegradedWish:
    """Why, and for how long."""

    reason: str
    minutes: int = LONGEST_MIN


@dataclass(frozen=True, slots=True)
class FeederWish:
    """A new feeder."""

    name: str
    limit_kw: Decimal
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class FeederChange:
    """What of a feeder shall be different; what is unset stays."""

    name: str | UnsetType = UNSET
    limit_kw: Decimal | UnsetType = UNSET
    parent: str | UnsetType | None = UNSET


@dataclass(frozen=True, slots=True)
class PlaceWish:
    """The feeder that a pile is to hang on; none: directly on its transformer."""

    feeder: str | None


class TransformersQuery(PageQuery):
    """Which transformers."""

    makes = TransformerFilter
    station = code("只看该站 · only those of this station")


def _pct(description: str, most: str = "100") -> fields.Decimal:
    return figure(description, above="0", most=most, places=4)


def _kw(description: str, **options: Any) -> fields.Decimal:
    return figure(description, least="0", most=LARGEST, places=3, **options)


def _flag(description: str) -> fields.Boolean:
    return fields.Boolean(truthy={True}, falsy={False}, metadata={"description": description})


def _seconds(description: str, least: int = 0) -> fields.Integer:
    return whole(description, least=least, most=DAY_S)


class TransformerBody(Body):
    """变压器参数: what is absent stays as it is. Percentages of the rated kVA; "over" is strictly greater."""

    name = text("名称 · name", most=100)
    rated_kva = figure("额定容量 · rated apparent power, kVA", above="0", most=LARGEST, places=3)
    has_meter = _flag("是否装有电表 · whether it has a meter; a configured meter that is not read blocks new starts")
    base_load_kw = _kw("站内其他负荷 · building load behind it, kW")
    max_base_load_kw = _kw("站内其他负荷最大值，降级时使用 · its largest, used in degraded mode, kW", nullable=True)
    power_factor = figure("功率因数 · agreed power factor", above="0", most="1", places=4)
    limited_pct = _pct("超过则新充电限功率，% · over this, starts are limited")
    limited_release_pct = _pct("低于则解除限功率，% · below this, limits end")
    limited_release_s = _seconds("且须持续秒数 · and for so long, s")
    blocked_pct = _pct("超过则暂停新充电，% · over this, nothing starts")
    blocked_release_pct = _pct("低于则恢复，% · below this, starts go on")
    blocked_release_s = _seconds("且须持续秒数 · and for so long, s")
    overload_pct = _pct("过载阈值，% · overload, running charges are held lower", most="200")
    overload_s = _seconds("过载持续多久后压低，秒 · after so long above it, s")
    overload_stop_after_s = _seconds("压到最低仍过载，多久后逐个停止，秒 · still over it at the floor: stops after, s")
    overload_stop_apart_s = _seconds("逐个停止的间隔，秒 · stops are so far apart, s", least=1)
    cap_share = figure("限功率时给额定功率的比例 · share of a gun's rating, if limited", above="0", most="1", places=4)
    releases_caps = _flag("负荷降低后是否解除限功率 · whether limits end when the load falls; false: with the charge")
    release_apart_s = _seconds("逐个解除的间隔，秒 · releases are so far apart, s")
    shown_after_s = _seconds("预留功率最长保留，秒 · power stays reserved so long at most, s")
    is_shared = _flag("是否在充电中各枪间分配功率 · share power among running charges")
    share_target_pct = _pct("分配的总量，% · what sharing divides")
    queue_most = whole("最多排队数；0 不排队 · places in the queue; 0: none", least=0, most=200)
    queue_s = _seconds("排队最长秒数 · longest wait in the queue, s", least=60)
    degraded_blocked_pct = _pct("降级运行的暂停阈值，% · threshold in degraded mode")

    @validates_schema(skip_on_field_errors=True)
    def _fits(self, data: dict[str, Any], **_: Any) -> None:
        if not data:
            raise ValidationError("Nothing is set.")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> TransformerChange:
        return TransformerChange(**data)


class DegradedBody(Body):
    """降级申请."""

    makes = DegradedWish
    reason = text("原因 · why", required=True)
    minutes = whole("持续分钟数，最长 120 · for how many minutes, 120 at most", most=LONGEST_MIN, missing=LONGEST_MIN)


def _feeder(description: str) -> fields.String:
    return fields.String(allow_none=True, metadata={"description": description})


class FeederBody(Body):
    """馈线."""

    makes = FeederWish
    name = text("名称 · name", most=100, required=True)
    limit_kw = figure(
        "其下全部桩的输入功率上限 · what all behind it may draw together, kW",
        above="0",
        most=LARGEST,
        places=3,
        required=True,
    )
    parent = _feeder("上级馈线；null 直接接在变压器 · the feeder above; null: the transformer")


class FeederChangeBody(Body):
    """馈线修改: what is absent stays as it is."""

    makes = FeederChange
    name = text("名称 · name", most=100)
    limit_kw = figure("输入功率上限 · what all behind it may draw, kW", above="0", most=LARGEST, places=3)
    parent = _feeder("上级馈线；null 直接接在变压器 · the feeder above; null: the transformer")

    @validates_schema(skip_on_field_errors=True)
    def _fits(self, data: dict[str, Any], **_: Any) -> None:
        if not data:
            raise ValidationError("Nothing is set.")


class PlaceBody(Body):
    """桩所接的馈线."""

    makes = PlaceWish
    feeder = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "同一变压器的馈线；null 直接接在变压器 · of its transformer; null: none"},
    )


class FeederSchema(Schema):
    """馈线."""

    code = out(fields.String, "编号 · code")
    transformer = out(fields.String, "变压器 · transformer")
    name = out(fields.String, "名称 · name")
    limit_kw = out(fields.Decimal, "输入功率上限 · what all behind it may draw together, kW")
    parent = out(fields.String, "上级馈线 · the feeder above; null: the transformer", allow_none=True)
    piles = fields.List(fields.String(), metadata={"description": "直接接在其下的桩 · piles directly behind it"})


class DegradedSchema(Schema):
    """降级运行."""

    state = out(
        fields.Enum,
        "off 未启用 · asked 待另一人确认 · on 降级运行中",
        enum=DegradedState,
        by_value=True,
    )
    asked_by = out(fields.String, "申请人 · who asked", allow_none=True)
    asked_at = out(Instant, "申请时间 · when", allow_none=True)
    confirm_by = out(Instant, "须在此之前确认 · to be confirmed before", allow_none=True)
    minutes = out(fields.Integer, "申请时长，分钟 · for how long, min", allow_none=True)
    reason = out(fields.String, "原因 · why", allow_none=True)
    confirmed_by = out(fields.String, "确认人 · who confirmed", allow_none=True)
    until = out(Instant, "降级至 · in force until", allow_none=True)


class TransformerDetailSchema(Schema):
    """变压器: configuration, load, degraded mode, feeders. Percentages of its rated apparent power."""

    code = out(fields.String, "编号 · code")
    station = out(fields.String, "充电站编号 · station's code")
    name = out(fields.String, "名称 · name")
    rated_kva = out(fields.Decimal, "额定容量 · rated apparent power, kVA")
    has_meter = out(fields.Boolean, "是否装有电表 · whether it has a meter")
    base_load_kw = out(fields.Decimal, "站内其他负荷 · building load, kW")
    max_base_load_kw = out(fields.Decimal, "其最大值，降级时使用 · its largest, kW", allow_none=True)
    power_factor = out(fields.Decimal, "功率因数 · power factor")
    limited_pct = out(fields.Decimal, "超过则新充电限功率 · over this, starts are limited")
    limited_release_pct = out(fields.Decimal, "低于则解除限功率 · below this, limits end")
    limited_release_s = out(fields.Integer, "且须持续秒数 · for so long, s")
    blocked_pct = out(fields.Decimal, "超过则暂停新充电 · over this, nothing starts")
    blocked_release_pct = out(fields.Decimal, "低于则恢复 · below this, starts go on")
    blocked_release_s = out(fields.Integer, "且须持续秒数 · for so long, s")
    overload_pct = out(fields.Decimal, "过载阈值 · overload")
    overload_s = out(fields.Integer, "过载多久后压低 · held lower after, s")
    overload_stop_after_s = out(fields.Integer, "压到最低仍过载多久后停止 · stops after, s")
    overload_stop_apart_s = out(fields.Integer, "逐个停止的间隔 · stops so far apart, s")
    cap_share = out(fields.Decimal, "限功率时给额定功率的比例 · share of a gun's rating, if limited")
    releases_caps = out(fields.Boolean, "负荷降低后是否解除 · whether limits end when the load falls")
    release_apart_s = out(fields.Integer, "逐个解除的间隔 · releases so far apart, s")
    shown_after_s = out(fields.Integer, "预留功率最长保留 · reserved so long at most, s")
    is_shared = out(fields.Boolean, "是否分配功率 · load sharing")
    share_target_pct = out(fields.Decimal, "分配的总量 · what sharing divides")
    queue_most = out(fields.Integer, "最多排队数 · places in the queue")
    queue_s = out(fields.Integer, "排队最长秒数 · longest wait, s")
    degraded_blocked_pct = out(fields.Decimal, "降级运行的暂停阈值 · threshold in degraded mode")
    degraded = fields.Nested(DegradedSchema, metadata={"description": "降级运行 · degraded mode"})
    feeders = fields.List(fields.Nested(FeederSchema), metadata={"description": "馈线 · feeders"})
    live = fields.Nested(
        LoadSchema, allow_none=True, metadata={"description": "档位与负荷 · null: the engine has not told it yet"}
    )


class TransformersSchema(Schema):
    """A page of transformers, by code."""

    items = fields.List(fields.Nested(TransformerDetailSchema))
    next = next_cursor()
