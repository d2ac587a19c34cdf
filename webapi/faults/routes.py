"""Faults and warnings over HTTP: the list of alarms, the bell, acknowledging."""

import msgspec

from webapi.audit.record import record
from webapi.faults import schemas
from webapi.faults.queries import (
    AlarmCounts,
    AlarmDetail,
    AlarmFilter,
    AlarmView,
    alarm_detail,
    count_open,
    find_alarm,
    list_alarms,
)
from webapi.http.call import Call
from webapi.http.paging import Page
from webapi.http.problems import not_found
from webapi.http.serve import Served
from webapi.http.smorest import Endpoints
from webapi.users.roles import Right

endpoints = Endpoints("故障 Faults", "故障与预警记录 · faults and early warnings as they were raised")


class Acknowledged(msgspec.Struct, frozen=True):
    """What the audit keeps of an acknowledgement."""

    code: str
    pile: str | None
    gun: int | None
    note: str


@endpoints.get("/alarms", Served(Right.SEE_SITES), answers=schemas.AlarmsSchema, query=schemas.AlarmsQuery)
def alarms(call: Call, wish: AlarmFilter) -> Page[AlarmView]:
    """故障与预警列表：未恢复的在前，其次最新 · Alarms: open ones first, then the newest"""
    return list_alarms(call.session, call.sees, wish, at=call.at)


@endpoints.get("/alarms/counts", Served(Right.SEE_SITES), answers=schemas.AlarmCountsSchema, query=schemas.CountsQuery)
def alarm_counts(call: Call, wish: schemas.CountsWish) -> AlarmCounts:
    """未恢复故障的数量 · How many alarms are open, for the bell"""
    return count_open(call.session, call.sees, wish.station)


@endpoints.get("/alarms/<row:alarm_id>", Served(Right.SEE_SITES), answers=schemas.AlarmDetailSchema)
def alarm(call: Call, alarm_id: int) -> AlarmDetail:
    """故障详情与处理建议 · An alarm with its meaning, advice and history"""
    found = find_alarm(call.session, call.sees, alarm_id)
    if found is None:
        raise not_found()
    return alarm_detail(call.session, found, at=call.at)


@endpoints.post(
    "/alarms/<row:alarm_id>/acknowledge",
    Served(Right.HANDLE_ALARMS, keyed=True, problems=(404,)),
    answers=schemas.AlarmDetailSchema,
    body=schemas.AcknowledgeBody,
    example={"note": "已派人到场检查"},
)
def acknowledge_alarm(call: Call, wish: schemas.Acknowledgement, alarm_id: int) -> AlarmDetail:
    """确认故障；再次确认以最近一次为准 · Acknowledge an alarm; the last one counts, all are audited"""
    found = find_alarm(call.session, call.sees, alarm_id, lock=True)
    if found is None:
        raise not_found()
    found.acknowledged_at = call.at
    found.acknowledged_by = call.asker.key
    found.acknowledged_name = call.asker.name[:64]
    found.acknowledge_note = wish.note
    call.session.flush()
    record(
        call,
        "alarm_acknowledge",
        tenant_id=found.station.tenant_id,
        station=found.station_code,
        object_kind="alarm",
        object_id=str(found.id),
        details=Acknowledged(found.code, found.pile_number, found.gun_no, wish.note),
    )
    return alarm_detail(call.session, found, at=call.at)
