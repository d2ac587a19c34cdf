"""Lockouts and station stops as they go over HTTP."""

from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates

from webapi.http.fields import Body, Instant, out, text
from webapi.stations.lockout_columns import WhileCharging
from webapi.stations.lockouts import Wish
from webapi.stations.schemas import LockoutSchema, SentenceSchema
from webapi.stations.stop_models import StopOutcome


@dataclass(frozen=True, slots=True)
class StopWish:
    """Why a station is stopped."""

    reason: str


class LockoutBody(Body):
    """停用."""

    makes = Wish
    reason = text("原因 · why; shown to everybody who sees the equipment", required=True)
    until = Instant(allow_none=True, metadata={"description": "截止时间；缺省为直到解除 · absent: until it is lifted"})
    while_charging = fields.Enum(
        WhileCharging,
        by_value=True,
        load_default=WhileCharging.STOP,
        metadata={"description": "stop 先停止充电（默认）· wait 等本次充电结束后生效; in force after the charge"},
    )


class StopBody(Body):
    """全站停止."""

    makes = StopWish
    reason = text("原因 · why", required=True)
    confirm = fields.Boolean(
        required=True,
        truthy={True},
        falsy={False},
        metadata={"description": "须为 true：将停止本站全部充电 · must be true: every charge of the station ends"},
    )

    @validates("confirm")
    def _is_meant(self, value: bool, data_key: str = "confirm") -> None:
        if value is not True:
            raise ValidationError("Must be confirmed with true.")

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> StopWish:
        return StopWish(data["reason"])


class StoppedGunSchema(Schema):
    """一把枪 · a gun of the station."""

    pile = out(fields.String, "桩号 · pile's number")
    gun = out(fields.Integer, "枪号 · gun's number")
    ran = out(fields.Boolean, "当时（或最后所知）是否在充电 · whether a charge was known there")
    serial = out(fields.String, "充电流水号 · serial of the charge", allow_none=True)
    outcome = out(
        fields.Enum,
        "idle 无充电 · asked 停止中 · stopped 已停止（桩已上报）· not_reached 未能停止，见 reason",
        enum=StopOutcome,
        by_value=True,
    )
    proof = out(
        fields.String, "依据：pile_said 桩上报；null：未证实 · what it rests on; null: not known", allow_none=True
    )
    reason = out(fields.String, "未能停止的原因代码 · why not", allow_none=True)
    sentence = fields.Nested(SentenceSchema, metadata={"description": "结果与处置 · what became of it, what to do"})
    asked_at = out(Instant, "开始停止的时间 · when it was first asked", allow_none=True)
    stopped_at = out(Instant, "桩上报已停止的时间 · since when its pile says so", allow_none=True)
    tries = out(fields.Integer, "无订单充电的停止次数 · stops of its own, without an order")


class StationStopSchema(Schema):
    """全站停止的结果 · what a station stop reached, gun by gun."""

    station = out(fields.String, "充电站编号 · station's code")
    stop = fields.Nested(
        LockoutSchema, allow_none=True, metadata={"description": "现行的全站停止；null：已解除 · null: it was lifted"}
    )
    stopped_at = out(Instant, "停止时间 · when it was stopped", allow_none=True)
    idle = out(fields.Integer, "无充电的枪 · guns where nothing ran")
    stopped = out(fields.Integer, "已停止的枪 · guns that their pile says have stopped")
    asked = out(fields.Integer, "停止中的枪 · guns that are being stopped")
    not_reached = out(fields.Integer, "未能停止的枪，须到现场处置 · guns that were not reached: go there")
    guns = fields.List(fields.Nested(StoppedGunSchema))
