"""Transformers over HTTP: their load, their configuration, degraded mode by two people."""

from http import HTTPStatus

import msgspec

from webapi.audit.record import record
from webapi.http.call import Call
from webapi.http.paging import Page
from webapi.http.problems import Code, invalid, not_found, problem
from webapi.http.serve import Declined, Reply, Served
from webapi.http.smorest import Endpoints
from webapi.piles.queries import sees_station
from webapi.stations.revision import raise_station
from webapi.transformers import degraded, schemas
from webapi.transformers.changes import Changed, TransformerChange, apply, figures_after, misfits
from webapi.transformers.feeders import lock_transformer
from webapi.transformers.models import Transformer
from webapi.transformers.queries import (
    TransformerDetail,
    TransformerFilter,
    find_transformer,
    list_transformers,
    transformer_view,
)
from webapi.users.roles import Right

endpoints = Endpoints("变压器 Transformers", "负荷、阈值、降级运行、馈线 · load, thresholds, degraded mode, feeders")

ANSWERS = schemas.TransformerDetailSchema


class Degraded(msgspec.Struct, frozen=True, kw_only=True):
    """What the audit keeps of degraded mode."""

    minutes: int | None = None
    reason: str | None = None
    asked_by: str | None = None


@endpoints.get(
    "/transformers",
    Served(Right.SEE_SITES, problems=(404,)),
    answers=schemas.TransformersSchema,
    query=schemas.TransformersQuery,
)
def transformers(call: Call, wish: TransformerFilter) -> Page[TransformerDetail]:
    """变压器列表 · The transformers that you see, with their load"""
    if wish.station is not None and not sees_station(call.session, call.sees, wish.station):
        raise not_found("station")
    return list_transformers(call.session, call.sees, wish, at=call.at)


@endpoints.get("/transformers/<code:code>", Served(Right.SEE_SITES), answers=ANSWERS)
def transformer(call: Call, code: str) -> TransformerDetail:
    """变压器详情：档位、负荷、计划、电表与估算、现行阈值、原因 · A transformer with its load and thresholds"""
    return transformer_view(call.session, visible_transformer(call, code), at=call.at)


@endpoints.patch(
    "/transformers/<code:code>",
    Served(Right.SET_TRANSFORMERS, keyed=True),
    answers=ANSWERS,
    body=schemas.TransformerBody,
    example={"rated_kva": 630, "limited_pct": 50, "blocked_pct": 80},
)
def transformer_change(call: Call, change: TransformerChange, code: str) -> TransformerDetail:
    """修改变压器参数；立即下发给规则引擎，新旧值记入审计 · Change the configuration; the engine has it at once"""
    visible_transformer(call, code)
    row = lock_transformer(call.session, code)
    errors = misfits(figures_after(row, change))
    if errors:
        raise invalid(*errors)
    changed = apply(row, change)
    if changed:
        raise_station(call.session, row.station_code)
        _audit(call, "transformer_change", row, details=Changed(changed))
    return transformer_view(call.session, row, at=call.at)


@endpoints.post(
    "/transformers/<code:code>/degraded",
    Served(Right.RUN_DEGRADED, keyed=True),
    answers=ANSWERS,
    body=schemas.DegradedBody,
    example={"reason": "电表损坏，已报修", "minutes": 60},
)
def degraded_ask(call: Call, wish: schemas.DegradedWish, code: str) -> Reply | Declined:
    """申请降级运行（电表损坏时）· Ask that a transformer runs without its dead meter

    须由同一运营商的另一人在 10 分钟内确认；最长 2 小时，期间按估算与站内最大负荷、较低的阈值运行，电表告警保持。

    Another person of the same operator confirms within 10 minutes; 2 h at most. Then the estimate and the largest
    building load count, against a lower threshold; the alarm of the meter stays.
    """
    visible_transformer(call, code)
    row = lock_transformer(call.session, code)
    details = Degraded(minutes=wish.minutes, reason=wish.reason)
    refused = degraded.refuse_request(row, call.asker, at=call.at)
    if refused is not None:
        return _declined(call, "degraded_ask", row, refused, details)
    degraded.ask(row, by=call.asker.key, reason=wish.reason, minutes=wish.minutes, at=call.at)
    _audit(call, "degraded_ask", row, details=details)
    return Reply(transformer_view(call.session, row, at=call.at))


@endpoints.post("/transformers/<code:code>/degraded/confirm", Served(Right.RUN_DEGRADED, keyed=True), answers=ANSWERS)
def degraded_confirm(call: Call, code: str) -> Reply | Declined:
    """由另一人确认降级运行 · Confirm degraded mode, as the second person"""
    visible_transformer(call, code)
    row = lock_transformer(call.session, code)
    details = Degraded(minutes=row.degraded_minutes, reason=row.degraded_reason, asked_by=row.degraded_asked_by)
    refused = degraded.refuse_confirmation(row, call.asker, at=call.at)
    if refused is not None:
        return _declined(call, "degraded_confirm", row, refused, details)
    degraded.confirm(row, by=call.asker.key, at=call.at)
    raise_station(call.session, row.station_code)
    _audit(call, "degraded_confirm", row, details=details)
    return Reply(transformer_view(call.session, row, at=call.at))


@endpoints.delete("/transformers/<code:code>/degraded", Served(Right.RUN_DEGRADED))
def degraded_end(call: Call, code: str) -> None:
    """结束降级运行，或撤回申请 · End degraded mode, or take the request back"""
    visible_transformer(call, code)
    row = lock_transformer(call.session, code)
    details = Degraded(minutes=row.degraded_minutes, reason=row.degraded_reason, asked_by=row.degraded_asked_by)
    if degraded.end(row, at=call.at):
        raise_station(call.session, row.station_code)
        _audit(call, "degraded_end", row, details=details)


def visible_transformer(call: Call, code: str) -> Transformer:
    """A transformer that the asker sees."""
    found = find_transformer(call.session, call.sees, code)
    if found is None:
        raise not_found()
    return found


def _declined(call: Call, action: str, row: Transformer, code: Code, details: Degraded) -> Declined:
    _audit(call, action, row, outcome=code.value, details=details)
    if code is Code.DEGRADED_EXPIRED:
        minutes = int(degraded.CONFIRM_WITHIN.total_seconds() // 60)
        return Declined(problem(HTTPStatus.CONFLICT, code, minutes=minutes))
    return Declined(problem(HTTPStatus.CONFLICT, code))


def _audit(
    call: Call, action: str, row: Transformer, *, details: Degraded | Changed | None = None, outcome: str = "done"
) -> None:
    record(
        call,
        action,
        outcome=outcome,
        tenant_id=row.station.tenant_id,
        station=row.station_code,
        object_kind="transformer",
        object_id=row.code,
        details=details,
    )
