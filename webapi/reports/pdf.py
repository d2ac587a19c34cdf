"""A report as PDF pages (A4). The font is one that PDF readers bring along, so no font file is needed."""

from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape

from reportlab.graphics.shapes import Drawing, Line, Rect, String
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import CondPageBreak, LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from evcs.contracts.times import BEIJING
from webapi.reports.tables import NO_FIGURE, Cell, Column, Picture, Report, Table

PDF = "application/pdf"
FONT = "STSong-Light"
MARGIN = 15 * mm
PADDING = 6.0
"""That of the frame in which everything stands."""
WIDE = A4[0] - 2 * MARGIN - 2 * PADDING
PICTURE_HIGH = 52 * mm
ROOM = 30 * mm
MOST_ROWS = 1000
"""Of a table; about a second of CPU time. Nobody reads more than 25 pages of one table: the workbook has all."""
GRID = colors.HexColor("#9AA7B5")
HEADER = colors.HexColor("#DDE6F0")
BAR = colors.HexColor("#4A7FB5")
LINE = colors.HexColor("#C0392B")
GAP = colors.HexColor("#E3E3E3")
UNPRINTABLE = {code: None for code in (*range(32), 127) if code != 10}

_TEXT = ParagraphStyle("text", fontName=FONT, fontSize=8, leading=11, wordWrap="CJK")
_SMALL = ParagraphStyle("small", parent=_TEXT, fontSize=7, leading=9)
_RIGHT = ParagraphStyle("right", parent=_SMALL, alignment=2)
_TITLE = ParagraphStyle("title", parent=_TEXT, fontSize=16, leading=22)
_SECTION = ParagraphStyle("section", parent=_TEXT, fontSize=11, leading=16, spaceBefore=8, spaceAfter=3)


def pages(report: Report) -> bytes:
    """The report as the bytes of a PDF."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    out = BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN,
        title=report.title,
        subject=report.subtitle,
    )
    story: list[Any] = [_said(report.title, _TITLE), _said(report.subtitle, _TEXT), Spacer(0, 3 * mm), _head(report)]
    if report.picture is not None:
        story += [_said(report.picture.title, _SECTION), _drawn(report.picture), Spacer(0, 2 * mm)]
    story += [_said(note, _SMALL) for note in report.notes]
    for table in report.tables:
        # A title stands with some rows; kept together with its table it would leave half a page empty.
        story += [CondPageBreak(ROOM), _said(table.title, _SECTION)]
        story += [_said(table.note, _SMALL)] if table.note else []
        story += [_table(table)] if table.rows else []
        if len(table.rows) > MOST_ROWS:
            story += [_said(report.rest_words.format(number=len(table.rows) - MOST_ROWS), _SMALL)]
    document.build(story, canvasmaker=lambda *given, **named: _Numbered(report.page_words, *given, **named))
    return out.getvalue()


class _Numbered(Canvas):  # type: ignore[misc]  # untyped library
    """Knows how many pages there are when the first one is written."""

    def __init__(self, words: str, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._words = words
        self._kept: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 (reportlab's name)
        """Keep the page until all are there."""
        self._kept.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Write all pages with their number."""
        for page, kept in enumerate(self._kept, start=1):
            self.__dict__.update(kept)
            self.setFont(FONT, 7)
            self.drawRightString(A4[0] - MARGIN, 8 * mm, self._words.format(page=page, pages=len(self._kept)))
            super().showPage()
        super().save()


def _said(text: str, style: ParagraphStyle) -> Any:
    return Paragraph(escape(text.translate(UNPRINTABLE)), style)


def _head(report: Report) -> Any:
    """Two figures in a row."""
    shown = [(_said(one.name, _SMALL), _said(_text(one.value, None, one.unit), _TEXT)) for one in report.head]
    if len(shown) % 2:
        shown.append((_said("", _SMALL), _said("", _TEXT)))
    rows = [[*left, *right] for left, right in zip(shown[::2], shown[1::2], strict=True)]
    made = LongTable(rows, colWidths=[WIDE * share for share in (0.17, 0.33, 0.17, 0.33)])
    made.setStyle(TableStyle([("GRID", (0, 0), (-1, -1), 0.3, GRID), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]))
    return made


def _table(table: Table) -> Any:
    whole = sum(column.width for column in table.columns)
    rows = [[_said(column.title, _SMALL) for column in table.columns]]
    for row in table.rows[:MOST_ROWS]:
        rows.append([_shown(value, column) for value, column in zip(row, table.columns, strict=True)])
    made = LongTable(rows, colWidths=[WIDE * column.width / whole for column in table.columns], repeatRows=1)
    made.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.3, GRID),
                ("BACKGROUND", (0, 0), (-1, 0), HEADER),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ("LEFTPADDING", (0, 0), (-1, -1), 2),
                ("RIGHTPADDING", (0, 0), (-1, -1), 2),
                ("TOPPADDING", (0, 0), (-1, -1), 1),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            ]
        )
    )
    return made


def _shown(value: Cell, column: Column) -> Any:
    is_number = isinstance(value, (int, float, Decimal)) or value is None
    return _said(_text(value, column), _RIGHT if is_number else _SMALL)


def _text(value: Cell, column: Column | None, unit: str = "") -> str:
    if value is None:
        return NO_FIGURE
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return f"{value.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}"
    digits = None if column is None else column.digits
    number = f"{value:g}" if isinstance(value, float) and digits is None else str(value)
    if digits is not None:
        number = f"{value:.{digits}f}"
    return f"{number} {unit}".strip()


def _drawn(picture: Picture) -> Any:
    """Columns from 0 to the highest value or line; days without data are grey from top to bottom."""
    left, low = 9 * mm, 6 * mm
    wide, high = WIDE - left, PICTURE_HIGH - low - 3 * mm
    top = max([bar.value or 0.0 for bar in picture.bars] + list(picture.lines) + [1.0]) * 1.05
    drawing = Drawing(WIDE, PICTURE_HIGH)
    each = wide / max(len(picture.bars), 1)
    for place, bar in enumerate(picture.bars):
        x = left + place * each
        if bar.value is None:
            drawing.add(Rect(x, low, each, high, fillColor=GAP, strokeColor=None))
        else:
            drawing.add(Rect(x + each * 0.15, low, each * 0.7, high * bar.value / top, fillColor=BAR, strokeColor=None))
        drawing.add(String(x + each / 2, 1.5 * mm, bar.label, fontName=FONT, fontSize=6, textAnchor="middle"))
    for value in picture.lines:
        y = low + high * value / top
        drawing.add(Line(left, y, left + wide, y, strokeColor=LINE, strokeWidth=0.5, strokeDashArray=(3, 2)))
        said = f"{value:g}{picture.unit}"
        drawing.add(String(left - 1 * mm, y - 2, said, fontName=FONT, fontSize=6, textAnchor="end"))
    drawing.add(Line(left, low, left + wide, low, strokeColor=GRID, strokeWidth=0.5))
    return drawing
