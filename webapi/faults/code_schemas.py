"""The fault-code dictionary as it goes over HTTP."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema
from webargs.fields import DelimitedList

from evcs.contracts.alarm import AlarmAction, AlarmKind, Severity
from webapi.faults.code_queries import FaultCodeFilter
from webapi.faults.dictionary import FaultCodeChange, NewFaultCode
from webapi.faults.schemas import SEVERITY
from webapi.faults.shipped.themes import FaultCategory
from webapi.http.fields import MAX_INT, Body, Instant, next_cursor, out, text
from webapi.stations.schemas import PageQuery

PROTOCOL = r"[a-z0-9_.-]{0,16}\Z"
CODE = r"[A-Za-z0-9_.-]{1,64}\Z"
MAKER = "厂商；空：任意 · maker; empty: any"
MODEL = "型号；空：任意 · model; empty: any"
ACTION = "随之动作：alarm 仅告警，derate 降功率，stop 停止充电，lock 停用 · what follows besides the alarm"
CATEGORY = "类别 · what it is about"
MOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Deletion:
    """Which entries; `used_too`: also those that records show."""

    ids: Sequence[int]
    used_too: bool = False


@dataclass(frozen=True, slots=True)
class Deleted:
    """What became of it."""

    deleted: int
    records: int


def _protocol() -> fields.String:
    return fields.String(
        validate=validate.Regexp(PROTOCOL), metadata={"description": "协议，如 ykc；空：任意 · protocol; empty: any"}
    )


class FaultCodeBody(Body):
    """A new entry."""

    makes = NewFaultCode
    protocol = _protocol()
    maker = text(MAKER, least=0, most=64)
    model = text(MODEL, least=0, most=64)
    code = fields.String(
        required=True,
        validate=validate.Regexp(CODE),
        metadata={"description": "故障码，如 bit14、stop_91 · code as alarms spell it"},
    )
    text_zh = text("含义（中文）· meaning", required=True)
    text_en = text("含义（英文）· the same in English", required=True)
    severity = fields.Enum(Severity, by_value=True, required=True, metadata={"description": SEVERITY})
    action = fields.Enum(AlarmAction, by_value=True, metadata={"description": ACTION})
    category = fields.Enum(FaultCategory, by_value=True, metadata={"description": CATEGORY})
    advice_zh = text("处理建议（中文）· what to do", least=0, most=300)
    advice_en = text("处理建议（英文）· the same in English", least=0, most=300)

    @validates_schema
    def _model_of_a_maker(self, data: dict[str, Any], **_: object) -> None:
        if data.get("model") and not data.get("maker"):
            raise ValidationError({"maker": ["Missing data for required field."]})


class FaultCodeChangeBody(Body):
    """What shall change."""

    makes = FaultCodeChange
    text_zh = text("含义（中文）· meaning")
    text_en = text("含义（英文）· the same in English")
    severity = fields.Enum(Severity, by_value=True, metadata={"description": SEVERITY})
    action = fields.Enum(AlarmAction, by_value=True, metadata={"description": ACTION})
    category = fields.Enum(FaultCategory, by_value=True, metadata={"description": CATEGORY})
    advice_zh = text("处理建议（中文）· what to do", least=0, most=300)
    advice_en = text("处理建议（英文）· the same in English", least=0, most=300)


class DeletionBody(Body):
    """Which entries."""

    makes = Deletion
    ids = fields.List(
        fields.Integer(strict=True, validate=validate.Range(1, MAX_INT)),
        required=True,
        validate=validate.Length(1, MOST_AT_ONCE),
        metadata={"description": "条目编号 · numbers of the entries"},
    )
    used_too = fields.Boolean(metadata={"description": "true：有记录使用也删除 · also those that records show"})


class FaultCodesQuery(PageQuery):
    """Which entries."""

    makes = FaultCodeFilter
    q = text("在故障码与文字中搜索 · part of code or words", most=64)
    protocol = _protocol()
    maker = text(MAKER, least=0, most=64)
    model = text(MODEL, least=0, most=64)
    severity = DelimitedList(fields.Enum(Severity, by_value=True), metadata={"description": f"{SEVERITY}; commas"})
    category = DelimitedList(fields.Enum(FaultCategory, by_value=True), metadata={"description": f"{CATEGORY}; commas"})
    shipped = fields.Boolean(metadata={"description": "是否随平台提供 · whether it came with the platform"})


class FaultCodeSchema(Schema):
    """故障码。 An entry of the dictionary; the most exact one for a device counts: maker and model, maker, any."""

    id = out(fields.Integer, "编号 · number")
    protocol = out(fields.String, "协议；空：任意 · protocol; empty: any")
    maker = out(fields.String, MAKER)
    model = out(fields.String, MODEL)
    code = out(fields.String, "故障码 · code")
    text_zh = out(fields.String, "含义（中文）· meaning")
    text_en = out(fields.String, "含义（英文）· the same in English")
    severity = out(fields.Enum, SEVERITY, enum=Severity, by_value=True)
    action = out(fields.Enum, ACTION, enum=AlarmAction, by_value=True)
    category = out(fields.Enum, CATEGORY, enum=FaultCategory, by_value=True)
    advice_zh = out(fields.String, "处理建议（中文）· what to do")
    advice_en = out(fields.String, "处理建议（英文）· the same in English")
    shipped = out(fields.Boolean, "随平台提供 · came with the platform")
    changed_at = out(Instant, "最近修改 · last changed")
    changed_by = out(fields.String, "修改人 · by whom")
    records = out(fields.Integer, "使用它的记录数（详情）· records that show it; in the detail only", allow_none=True)
    described = out(
        fields.Integer, "新建时补写了文字的记录数 · records that got its text when it was made", allow_none=True
    )


class FaultCodesSchema(Schema):
    """A page of entries."""

    items = fields.List(fields.Nested(FaultCodeSchema))
    next = next_cursor()


class DeletedSchema(Schema):
    """What was deleted."""

    deleted = out(fields.Integer, "删除的条目数 · entries deleted")
    records = out(fields.Integer, "使用过它们的记录数，文字保留 · records that show them; they keep their text")


class UndescribedSchema(Schema):
    """待描述的故障码。 A code that piles sent and nobody has described."""

    protocol = out(fields.String, "协议 · protocol")
    maker = out(fields.String, "厂商 · maker")
    model = out(fields.String, "型号 · model")
    code = out(fields.String, "故障码 · code")
    kind = out(fields.Enum, "fault 故障，warning 预警 · kind", enum=AlarmKind, by_value=True)
    records = out(fields.Integer, "记录数 · records")
    piles = out(fields.Integer, "涉及桩数 · piles")
    first_at = out(Instant, "首次发生 · first raised")
    last_at = out(Instant, "最近发生 · last raised")
    raw = out(fields.String, "报文原值（其一）· what a pile said, raw")
    last_record = out(fields.Integer, "最近一条记录 · number of the last record")


class UndescribedCodesSchema(Schema):
    """A page of codes that wait for a description."""

    items = fields.List(fields.Nested(UndescribedSchema))
    next = next_cursor()
