"""The monthly load report of a transformer over HTTP: as data, as a workbook, as a document."""

from http import HTTPStatus

from webapi.http.call import Call
from webapi.http.language import say
from webapi.http.problems import Code, not_found, problem
from webapi.http.serve import File, Served
from webapi.http.smorest import Endpoints
from webapi.reports.sheet import XLSX, workbook
from webapi.transformers.load_figures import month_of
from webapi.transformers.load_report import LoadReport, load_report
from webapi.transformers.load_report_schemas import Format, LoadReportSchema, ReportQuery, ReportWish
from webapi.transformers.load_report_tables import as_report
from webapi.transformers.load_report_words import WORDS
from webapi.transformers.models import Transformer
from webapi.users.roles import Right

PDF = "application/pdf"

endpoints = Endpoints("负荷月报 Load reports", "变压器负荷月报 · what a transformer carried in a month")


@endpoints.get(
    "/transformers/<code:transformer_code>/load-report",
    Served(Right.SEE_SITES, files=(XLSX, PDF), problems=(409,)),
    answers=LoadReportSchema,
    query=ReportQuery,
)
def transformer_load_report(call: Call, wish: ReportWish, transformer_code: str) -> LoadReport | File:
    """变压器负荷月报（数据、Excel、PDF）· A transformer's month: load, refused and capped starts, overrides, alarms"""
    transformer = call.session.scalars(
        call.sees.transformers().where(Transformer.code == transformer_code)
    ).one_or_none()
    if transformer is None:
        raise not_found()
    begin, end = month_of(wish.month)
    if begin >= call.at:
        raise problem(HTTPStatus.CONFLICT, Code.MONTH_TO_COME)
    report = load_report(call, transformer, wish.month, begin, end)
    if wish.format is Format.JSON:
        return report
    name = f"load-report-{transformer.code}-{wish.month}.{wish.format.value}"
    written = as_report(report, say)
    if wish.format is Format.PDF:
        from webapi.reports.pdf import pages  # a sixth of the start of the service, for one document a month

        return File(name, PDF, pages(written))
    return File(name, XLSX, workbook(written, say(WORDS["summary"])))
