"""A workbook written row by row: typed cells, a row of sums at the end, no text that Excel would run as a formula.

The cells of a column are one object used again for each row, since the writer spells a row out as soon as it has it:
memory does not grow with the rows.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from evcs.contracts.reasons import Sentence
from evcs.contracts.times import BEIJING
from webapi.exports.declare import Column, Say, Shape
from webapi.reports.sheet import FORMULA, SHEET_NAME_MOST
from webapi.reports.tables import Cell

ROWS_OF_A_SHEET = 1_000_000
"""Excel takes 1,048,576 rows; what is more goes on another sheet."""

FORMATS: dict[Shape, str] = {
    Shape.TEXT: "@",
    Shape.FEN: '#,##0.00"元"',
    Shape.KWH: "#,##0.0000",
    Shape.TIME: "yyyy-mm-dd hh:mm:ss",
    Shape.DAY: "yyyy-mm-dd",
    Shape.WHOLE: "0",
}
TOTAL = Sentence("合计", "Total")

_BOLD = Font(bold=True)
_HEADER = PatternFill("solid", fgColor="DDE6F0")


class Sheet:
    """A workbook on its way into a file."""

    def __init__(self, title: Sentence, columns: tuple[Column, ...], say: Say) -> None:
        self._title, self._columns, self._say = say(title), columns, say
        self._book = Workbook(write_only=True)
        self._rows = 0
        self._sums: list[int | Decimal] = [0] * len(columns)
        self._open()

    @property
    def sums(self) -> tuple[int | Decimal, ...]:
        """Sums of the columns so far, as they came (fen, kWh); 0 where a column is not summed."""
        return tuple(self._sums)

    def add(self, row: Sequence[Cell]) -> None:
        """Write a row."""
        if self._rows and self._rows % ROWS_OF_A_SHEET == 0:
            self._open()
        cells = []
        for n, (value, column) in enumerate(zip(row, self._columns, strict=True)):
            is_like_formula = isinstance(value, str) and value.startswith(FORMULA)
            cell = (self._prefixed if is_like_formula else self._cells)[n]
            _set(cell, value, column.shape)
            cells.append(cell)
            if column.summed and isinstance(value, int | Decimal):
                self._sums[n] += value
        self._sheet.append(cells)
        self._rows += 1

    def save(self, path: Path) -> None:
        """Add the row of sums and put everything into the file."""
        cells = []
        for n, column in enumerate(self._columns):
            cell = WriteOnlyCell(self._sheet)
            if column.summed:
                _set(cell, self._sums[n], column.shape)
                cell.number_format = FORMATS[column.shape]
            else:
                _set(cell, self._say(TOTAL) if n == 0 else "", Shape.TEXT)
            cell.font = _BOLD
            cells.append(cell)
        self._sheet.append(cells)
        self._book.save(path)

    def abandon(self) -> None:
        """Drop what was written so far: it lies in temporary files."""
        for sheet in self._book.worksheets:
            sheet.close()
            sheet._writer.cleanup()

    def _open(self) -> None:
        number = len(self._book.worksheets) + 1
        name = self._title if number == 1 else f"{self._title} {number}"
        self._sheet: Any = self._book.create_sheet(name[:SHEET_NAME_MOST])
        for place, column in enumerate(self._columns, start=1):
            self._sheet.column_dimensions[get_column_letter(place)].width = column.width
        self._sheet.freeze_panes = "A2"
        header = []
        for column in self._columns:
            cell = WriteOnlyCell(self._sheet, value=self._say(column.title))
            cell.font, cell.fill = _BOLD, _HEADER
            header.append(cell)
        self._sheet.append(header)
        # A cell's style is the workbook's own from its first row on, so what needs another is another cell.
        self._cells, self._prefixed = self._row_of_cells(), self._row_of_cells()
        for cell in self._prefixed:
            cell.quotePrefix = True

    def _row_of_cells(self) -> list[Any]:
        cells = [WriteOnlyCell(self._sheet) for _ in self._columns]
        for cell, column in zip(cells, self._columns, strict=True):
            cell.number_format = FORMATS[column.shape]
        return cells


def _set(cell: Any, value: Cell, shape: Shape) -> None:
    if shape is Shape.TEXT:
        text = "" if value is None else ILLEGAL_CHARACTERS_RE.sub("", str(value))
        cell.value = text
        # Text stays text, whatever it begins with; the prefix keeps it so when somebody edits the cell.
        cell.data_type = "s"
    elif value is None:
        cell.value = None
    elif shape is Shape.FEN and isinstance(value, int):
        cell.value = Decimal(value).scaleb(-2)
    elif isinstance(value, datetime):
        cell.value = value.astimezone(BEIJING).replace(tzinfo=None, microsecond=0)
    elif isinstance(value, date | int | float | Decimal):
        cell.value = value
    else:
        raise TypeError(f"{value!r} is no {shape.value}")
