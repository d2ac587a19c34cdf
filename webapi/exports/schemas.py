"""Exports as they go over HTTP."""

from marshmallow import Schema, fields, validate

from webapi.exports.asked import ExportWish
from webapi.exports.kinds import KINDS
from webapi.exports.models import ExportState
from webapi.http.fields import Body, Instant, out


class ExportBody(Body):
    """A list to be exported."""

    makes = ExportWish
    kind = fields.String(
        required=True, validate=validate.OneOf(sorted(KINDS)), metadata={"description": "哪个列表 · which list"}
    )
    filter = fields.Dict(
        keys=fields.String(validate=validate.Length(1, 40)),
        values=fields.String(validate=validate.Length(0, 4000)),
        load_default=dict,
        validate=validate.Length(0, 60),
        metadata={"description": "与列表查询参数相同 · the list's query parameters, as text; without limit and cursor"},
    )


class ExportSchema(Schema):
    """An export: how far it is."""

    id = out(fields.String, "编号 · its id")
    kind = out(fields.String, "哪个列表 · which list")
    state = out(
        fields.Enum,
        "waiting 排队, running 生成中, done 可下载, failed 失败, cancelled 已取消, expired 已过期",
        enum=ExportState,
        by_value=True,
    )
    filter = out(fields.Dict, "筛选条件 · the query", keys=fields.String(), values=fields.String())
    language = out(fields.String, "表头语言 zh, en · language of the file")
    requested_at = out(Instant, "请求时间 · asked for")
    begun_at = out(Instant, "开始生成 · begun", allow_none=True)
    finished_at = out(Instant, "完成 · finished", allow_none=True)
    expires_at = out(Instant, "文件保留至 · the file is kept until", allow_none=True)
    rows_done = out(fields.Integer, "已写行数 · rows written")
    rows_total = out(fields.Integer, "总行数 · rows altogether", allow_none=True)
    file_bytes = out(fields.Integer, "文件大小，字节 · size of the file, bytes", allow_none=True)
    why = out(fields.String, "失败原因 · why it failed: not_allowed, gave_up", allow_none=True)


class ExportsSchema(Schema):
    """The own exports, newest first."""

    items = fields.List(fields.Nested(ExportSchema))
