"""Questions to the gate as they go over HTTP."""

from dataclasses import dataclass

from marshmallow import Schema, fields

from webapi.gate.ask import AskState
from webapi.http.fields import Body, Instant, code, out, whole
from webapi.stations.schemas import SentenceSchema


@dataclass(frozen=True, slots=True)
class AskWish:
    """Which gun is asked about."""

    pile: str
    gun: int


class AskBody(Body):
    """Which gun is asked about."""

    makes = AskWish
    pile = code("桩号 · pile's number", required=True)
    gun = whole("枪号 · gun's number, 1…n", most=99, required=True)


class AskSchema(Schema):
    """A question and what the gate says."""

    id = out(fields.String, "编号 · id")
    pile = out(fields.String, "桩号 · pile")
    gun = out(fields.Integer, "枪号 · gun")
    state = out(
        fields.Enum,
        "asked 等待答复 · admitted 现在可启动 · refused 现在会被拒绝 · no_answer 规则引擎未答复",
        enum=AskState,
        by_value=True,
    )
    reason = out(fields.String, "原因代码 · reason code", allow_none=True)
    text = fields.Nested(SentenceSchema, allow_none=True, metadata={"description": "依据与数值 · why, with figures"})
    cap_kw = out(fields.Decimal, "启动时的功率上限 · cap that a start would carry, kW; null: none", allow_none=True)
    asked_at = out(Instant, "提问时间 · asked at")
    answered_at = out(Instant, "答复时间 · answered at", allow_none=True)
