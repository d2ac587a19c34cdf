"""A pile's history and frames as they go over HTTP."""

from marshmallow import Schema, fields

from evcs.contracts.pile import PileEventKind
from webapi.http.fields import Instant, next_cursor, out
from webapi.stations.schemas import SentenceSchema


class PileEventSchema(Schema):
    """Something that happened at a pile; the same again within an hour is one entry, counted."""

    id = out(fields.Integer, "编号 · number")
    kind = out(fields.Enum, "种类 · kind", enum=PileEventKind, by_value=True)
    title = fields.Nested(SentenceSchema, metadata={"description": "名称 · in words"})
    reason = out(fields.String, "原因代码 · reason code", allow_none=True)
    sentence = fields.Nested(SentenceSchema, allow_none=True, metadata={"description": "原因 · reason in words"})
    text = out(fields.String, "接入服务的说明 · what the bridge adds")
    tariff_version = out(fields.String, "计费版本 · tariff version", allow_none=True)
    clock_offset_s = out(fields.Float, "桩时钟偏差 · its clock minus ours, s", allow_none=True)
    first_at = out(Instant, "首次 · first time")
    last_at = out(Instant, "最近一次 · last time")
    times = out(fields.Integer, "次数 · how often")


class PileEventsSchema(Schema):
    """A page of events, newest first."""

    items = fields.List(fields.Nested(PileEventSchema))
    next = next_cursor()


class FrameFieldSchema(Schema):
    """A field of a frame."""

    name = out(fields.String, "字段 · name")
    zh = out(fields.String, "中文名 · title")
    value = out(fields.String, "值，含单位与含义 · value with unit and meaning")


class PileFrameSchema(Schema):
    """一帧报文 · a frame, either way."""

    id = out(fields.Integer, "编号 · number")
    at = out(Instant, "收到或发出时间 · received or sent")
    from_pile = out(fields.Boolean, "是否桩上送 · whether the pile sent it")
    frame_type = out(fields.String, "帧类型 · frame type, 0x13")
    title = fields.Nested(SentenceSchema)
    fields_ = fields.List(
        fields.Nested(FrameFieldSchema),
        attribute="fields",
        data_key="fields",
        metadata={"description": "字段 · fields"},
    )
    problem = out(fields.String, "被丢弃的原因 · why it was dropped; empty: it counted")
    frame_hex = out(fields.String, "原文，敏感内容已隐去 · bytes, secrets redacted")


class PileFramesSchema(Schema):
    """A page of frames, newest first."""

    items = fields.List(fields.Nested(PileFrameSchema))
    next = next_cursor()
