"""A report as an Excel workbook: typed cells, row by row, and no text of a pile or person that Excel would run."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from evcs.contracts.times import BEIJING
from webapi.reports.tables import NO_FIGURE, Cell, Column, Report, Table

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
SHEET_NAME_MOST = 31
HEAD_WIDTHS = (30, 26, 12)

_BOLD = Font(bold=True)
_TITLE = Font(bold=True, size=14)
_HEADER = PatternFill("solid", fgColor="DDE6F0")
_WRAP = Alignment(wrap_text=True, vertical="top")


def workbook(report: Report, head_title: str) -> bytes:
    """The head on the first sheet, each table on one of its own."""
    book = Workbook(write_only=True)
    _head(book.create_sheet(_name(head_title)), report)
    for table in report.tables:
        _table(book.create_sheet(_name(table.title)), table)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _head(sheet: Any, report: Report) -> None:
    _widths(sheet, HEAD_WIDTHS)
    sheet.append([_cell(sheet, report.title, font=_TITLE)])
    sheet.append([_cell(sheet, report.subtitle)])
    sheet.append([])
    for figure in report.head:
        cells = (_cell(sheet, figure.name, font=_BOLD), _cell(sheet, figure.value), _cell(sheet, figure.unit))
        sheet.append(list(cells))
    sheet.append([])
    for note in report.notes:
        sheet.append([_cell(sheet, note)])


def _table(sheet: Any, table: Table) -> None:
    _widths(sheet, (column.width for column in table.columns))
    if table.note:
        sheet.append([_cell(sheet, table.note)])
    first = 2 if table.note else 1
    sheet.freeze_panes = f"A{first + 1}"
    last = f"{get_column_letter(len(table.columns))}{first + len(table.rows)}"
    sheet.auto_filter.ref = f"A{first}:{last}"
    sheet.append([_cell(sheet, column.title, font=_BOLD, fill=_HEADER) for column in table.columns])
    for row in table.rows:
        sheet.append([_cell(sheet, value, column) for value, column in zip(row, table.columns, strict=True)])


def _widths(sheet: Any, widths: Iterable[int]) -> None:
    for place, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = width


def _cell(
    sheet: Any, value: Cell, column: Column | None = None, font: Font | None = None, fill: PatternFill | None = None
) -> Any:
    made = WriteOnlyCell(sheet, value=_plain(value))
    if isinstance(value, str) or value is None:
        # Text stays text, whatever it begins with; the prefix keeps it so when somebody edits the cell.
        made.data_type = "s"
        made.quotePrefix = isinstance(value, str) and value.startswith(FORMULA)
        made.alignment = _WRAP
    elif isinstance(value, datetime):
        made.number_format = "yyyy-mm-dd hh:mm:ss"
    elif isinstance(value, date):
        made.number_format = "yyyy-mm-dd"
    elif column is not None and column.digits is not None:
        made.number_format = "0" if not column.digits else f"0.{'0' * column.digits}"
    if font is not None:
        made.font = font
    if fill is not None:
        made.fill = fill
    return made


def _plain(value: Cell) -> Any:
    if value is None:
        return NO_FIGURE
    if isinstance(value, str):
        return ILLEGAL_CHARACTERS_RE.sub("", value)
    if isinstance(value, datetime):
        return value.astimezone(BEIJING).replace(tzinfo=None, microsecond=0)
    return float(value) if isinstance(value, Decimal) else value


def _name(title: str) -> str:
    """A sheet's name may not have these characters and no more than 31."""
    return "".join("-" if letter in r"\/*?:[]" else letter for letter in title)[:SHEET_NAME_MOST]
