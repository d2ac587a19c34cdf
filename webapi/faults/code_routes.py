"""The fault-code dictionary over HTTP: list, add, change, delete one or many, and what waits for a description."""

from collections.abc import Sequence
from http import HTTPStatus

import msgspec
from sqlalchemy import select

from webapi.audit.record import record
from webapi.faults import code_schemas as schemas
from webapi.faults.code_queries import (
    FaultCodeFilter,
    FaultCodeView,
    UndescribedCode,
    entry_detail,
    entry_view,
    list_entries,
    list_undescribed,
    records_of,
)
from webapi.faults.dictionary import FaultCodeChange, NewFaultCode, add_entry, change_entry, delete_entries, may_change
from webapi.faults.models import FaultCodeEntry
from webapi.http.call import Call
from webapi.http.paging import Page, PageWish
from webapi.http.problems import Code, not_found, problem
from webapi.http.serve import Declined, Reply, Served
from webapi.http.smorest import API_PREFIX, Endpoints
from webapi.stations.schemas import PageQuery
from webapi.users.roles import Right

endpoints = Endpoints("故障码 Fault codes", "故障码字典 · the dictionary of fault codes, one for all operators")

CHANGES = Served(Right.MANAGE_FAULT_CODES, keyed=True, problems=(404, 409))


class Entry(msgspec.Struct, frozen=True):
    """What the audit keeps of an entry."""

    protocol: str
    maker: str
    model: str
    code: str
    text_zh: str
    severity: str
    action: str


class Changed(msgspec.Struct, frozen=True):
    """What the audit keeps of a change."""

    before: Entry
    after: Entry


class DeletedEntries(msgspec.Struct, frozen=True):
    """What the audit keeps of a deletion."""

    entries: tuple[Entry, ...]
    records: int


@endpoints.get("/fault-codes", Served(Right.SEE_SITES), answers=schemas.FaultCodesSchema, query=schemas.FaultCodesQuery)
def fault_codes(call: Call, wish: FaultCodeFilter) -> Page[FaultCodeView]:
    """故障码字典 · The dictionary of fault codes"""
    return list_entries(call.session, wish)


@endpoints.post(
    "/fault-codes",
    CHANGES,
    answers=schemas.FaultCodeSchema,
    body=schemas.FaultCodeBody,
    example={
        "protocol": "ykc",
        "code": "stop_91",
        "text_zh": "枪线过温停止",
        "text_en": "stopped since the cable was too hot",
        "severity": "warning",
    },
    status=HTTPStatus.CREATED,
)
def new_fault_code(call: Call, wish: NewFaultCode) -> Reply | Declined:
    """新增故障码；待描述的记录随之补写文字 · Add a code; records that waited for a description get its text"""
    if not may_change(call.session, call.asker.tenant_id):
        return _declined(call, "fault_code_add")
    made = add_entry(call.session, wish, at=call.at, by=call.asker.key)
    if made is None:
        raise problem(HTTPStatus.CONFLICT, Code.FAULT_CODE_TAKEN)
    entry, described = made
    record(call, "fault_code_add", object_kind="fault_code", object_id=str(entry.id), details=_kept(entry))
    return Reply(entry_view(entry, described=described), location=f"{API_PREFIX}/fault-codes/{entry.id}")


@endpoints.get(
    "/fault-codes/undescribed", Served(Right.SEE_SITES), answers=schemas.UndescribedCodesSchema, query=PageQuery
)
def undescribed_codes(call: Call, wish: PageWish) -> Page[UndescribedCode]:
    """待描述的故障码 · Codes that piles sent and nobody has described"""
    return list_undescribed(call.session, call.sees, wish)


@endpoints.get("/fault-codes/<row:entry_id>", Served(Right.SEE_SITES), answers=schemas.FaultCodeSchema)
def fault_code(call: Call, entry_id: int) -> FaultCodeView:
    """故障码详情，含使用它的记录数 · An entry, and how many records show it"""
    return entry_detail(call.session, _entry(call, entry_id))


@endpoints.patch(
    "/fault-codes/<row:entry_id>",
    Served(Right.MANAGE_FAULT_CODES, problems=(404,)),
    answers=schemas.FaultCodeSchema,
    body=schemas.FaultCodeChangeBody,
    example={"severity": "critical", "advice_zh": "停用该枪并派人检查"},
)
def change_fault_code(call: Call, wish: FaultCodeChange, entry_id: int) -> FaultCodeView | Declined:
    """修改故障码；已有记录保留原文字 · Change an entry; past records keep their text"""
    if not may_change(call.session, call.asker.tenant_id):
        return _declined(call, "fault_code_change")
    entry = _entry(call, entry_id)
    before = _kept(entry)
    change_entry(call.session, entry, wish, at=call.at, by=call.asker.key)
    details = Changed(before, _kept(entry))
    record(call, "fault_code_change", object_kind="fault_code", object_id=str(entry.id), details=details)
    return entry_detail(call.session, entry)


@endpoints.post(
    "/fault-codes/delete",
    CHANGES,
    answers=schemas.DeletedSchema,
    body=schemas.DeletionBody,
    example={"ids": [1], "used_too": False},
)
def delete_fault_codes(call: Call, wish: schemas.Deletion) -> schemas.Deleted | Declined:
    """批量删除故障码；仍有记录使用时先提示 · Delete one or many; warns of records, which keep their text"""
    if not may_change(call.session, call.asker.tenant_id):
        return _declined(call, "fault_code_delete")
    entries = call.session.scalars(select(FaultCodeEntry).where(FaultCodeEntry.id.in_(wish.ids))).all()
    if len(entries) < len(set(wish.ids)):
        raise not_found("ids")
    records = records_of(call.session, entries)
    if records and not wish.used_too:
        raise problem(HTTPStatus.CONFLICT, Code.FAULT_CODES_IN_USE, records=records)
    kept = _all_kept(entries)
    deleted = delete_entries(call.session, wish.ids)
    record(call, "fault_code_delete", object_kind="fault_code", details=DeletedEntries(kept, records))
    return schemas.Deleted(deleted, records)


def _declined(call: Call, action: str) -> Declined:
    record(call, action, outcome=Code.NOT_ALLOWED.value, object_kind="fault_code")
    return Declined(problem(HTTPStatus.FORBIDDEN, Code.NOT_ALLOWED))


def _entry(call: Call, entry_id: int) -> FaultCodeEntry:
    found = call.session.get(FaultCodeEntry, entry_id)
    if found is None:
        raise not_found()
    return found


def _kept(entry: FaultCodeEntry) -> Entry:
    return Entry(
        entry.protocol,
        entry.maker,
        entry.model,
        entry.code,
        entry.text_zh,
        entry.severity.value,
        entry.action.value,
    )


def _all_kept(entries: Sequence[FaultCodeEntry]) -> tuple[Entry, ...]:
    return tuple(_kept(entry) for entry in entries)
