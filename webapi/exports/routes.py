"""Exports over HTTP: ask for one, watch it, fetch its file, give it up."""

from dataclasses import dataclass
from http import HTTPStatus

from marshmallow import ValidationError

from webapi.audit.record import record
from webapi.exports import schemas
from webapi.exports.asked import (
    MOST_AT_ONCE,
    ExportView,
    ExportWish,
    ask_export,
    cancel,
    export_view,
    find_export,
    own_exports,
)
from webapi.exports.kinds import KINDS
from webapi.exports.models import ExportState
from webapi.exports.write import file_of
from webapi.http.call import Call, adapters
from webapi.http.field_messages import field_errors
from webapi.http.language import language
from webapi.http.problems import Code, invalid, not_found, problem
from webapi.http.serve import Reply, Served, StoredFile
from webapi.http.smorest import API_PREFIX, Endpoints
from webapi.reports.sheet import XLSX

endpoints = Endpoints("导出 Exports", "列表导出为 Excel · lists as Excel files")


@dataclass(frozen=True, slots=True)
class Exports:
    """Some."""

    items: tuple[ExportView, ...]


@endpoints.post(
    "/exports",
    Served(keyed=True, problems=(403, 409)),
    answers=schemas.ExportSchema,
    body=schemas.ExportBody,
    example={"kind": "orders", "filter": {"state": "settled", "since": "2026-11-01T00:00:00+08:00"}},
    status=HTTPStatus.ACCEPTED,
)
def export_create(call: Call, wish: ExportWish) -> Reply:
    """导出列表为 Excel · Export a list

    异步生成：轮询该导出直到 state=done，再取文件。表头语言由 Accept-Language 决定；行与合计和列表一致。

    The file is written beside the API: look at the export until it is `done`, then fetch its file. Its language is
    that of Accept-Language; rows and totals are those of the list under the same query.
    """
    kind = KINDS[wish.kind]
    if kind.right not in call.asker.rights:
        raise problem(HTTPStatus.FORBIDDEN, Code.NOT_ALLOWED)
    given = {name: value for name, value in wish.filter.items() if name not in ("limit", "cursor")}
    try:
        kind.filter_of(given)
    except ValidationError as error:
        raise invalid(*field_errors(error.messages, "filter")) from error
    export = ask_export(call.session, call.asker, ExportWish(wish.kind, given), language(), at=call.at)
    if export is None:
        raise problem(HTTPStatus.CONFLICT, Code.EXPORTS_WAITING, most=MOST_AT_ONCE)
    record(
        call,
        "export_create",
        tenant_id=call.asker.tenant_id,
        object_kind="export",
        object_id=export.id,
        details=wish,
    )
    return Reply(export_view(export), location=f"{API_PREFIX}/exports/{export.id}")


@endpoints.get("/exports", Served(), answers=schemas.ExportsSchema)
def exports(call: Call) -> Exports:
    """我的导出（下载中心）· The own exports, newest first"""
    return Exports(own_exports(call.session, call.asker))


@endpoints.get("/exports/<code:export_id>", Served(), answers=schemas.ExportSchema)
def export(call: Call, export_id: str) -> ExportView:
    """导出进度 · How far an export is"""
    found = find_export(call.session, call.asker, export_id)
    if found is None:
        raise not_found()
    return export_view(found)


@endpoints.get("/exports/<code:export_id>/file", Served(files=(XLSX,), problems=(409,)), answers=schemas.ExportSchema)
def export_file(call: Call, export_id: str) -> StoredFile:
    """下载文件 · The file of an export that is done"""
    found = find_export(call.session, call.asker, export_id)
    if found is None:
        raise not_found()
    path = file_of(adapters().exports, found.id)
    if found.state is not ExportState.DONE or not path.is_file():
        raise problem(HTTPStatus.CONFLICT, Code.EXPORT_NOT_READY)
    return StoredFile(f"{found.kind}-{found.requested_at:%Y%m%d-%H%M%S}.xlsx", XLSX, path)


@endpoints.post("/exports/<code:export_id>/cancel", Served(keyed=True), answers=schemas.ExportSchema)
def export_cancel(call: Call, export_id: str) -> ExportView:
    """取消导出或删除其文件 · Give an export up, or delete its file; again it changes nothing"""
    found = find_export(call.session, call.asker, export_id, lock=True)
    if found is None:
        raise not_found()
    if cancel(found, at=call.at):
        record(call, "export_cancel", tenant_id=call.asker.tenant_id, object_kind="export", object_id=found.id)
    return export_view(found)
