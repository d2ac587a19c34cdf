"""Reports as files: any text of a pile or person is only text, long tables end, gaps are dashes."""

from datetime import UTC, date, datetime
from decimal import Decimal
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from webapi.reports.pdf import MOST_ROWS, pages
from webapi.reports.sheet import workbook
from webapi.reports.tables import Bar, Cell, Column, Figure, Picture, Report, Table

COLUMNS = (Column("文字", 20), Column("数", 8, 1))


def report(*rows: tuple[Cell, ...], picture: Picture | None = None) -> Report:
    return Report(
        title="题",
        subtitle="副题",
        head=(Figure("容量", 630.0, "kVA"), Figure("峰值", None, "%")),
        notes=("注",),
        picture=picture,
        tables=(Table("表", COLUMNS, rows),),
        page_words="{page}/{pages}",
        rest_words="{number} more",
    )


def cells(made: bytes, sheet: str) -> list[tuple[object, str]]:
    book = load_workbook(BytesIO(made))
    return [(cell.value, cell.data_type) for line in book[sheet].iter_rows() for cell in line]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "=cmd|' /C calc'!A0", "a\x00b", "<b>&amp;", ""]
)
def test_text_stays_text_in_both_files(text: str) -> None:
    made = cells(workbook(report((text, 1.0)), "概要"), "表")
    assert all(kind != "f" for _, kind in made)
    shown = text.replace("\x00", "")
    assert (shown or None) in [value for value, _ in made]
    assert pages(report((text, 1.0))).startswith(b"%PDF-")


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=60))
def test_any_text_makes_both_files(text: str) -> None:
    clean = text.encode("utf-8", "ignore").decode()
    assert workbook(report((clean, 1.0)), "概要")
    assert pages(report((clean, 1.0)))


def test_cells_have_the_type_of_their_figure() -> None:
    at = datetime(2026, 11, 24, 16, 30, 15, tzinfo=UTC)
    made = cells(workbook(report((at, Decimal("1.25")), (date(2026, 11, 24), None)), "概要"), "表")
    beijing = datetime(2026, 11, 25, 0, 30, 15)  # noqa: DTZ001 (a cell has no zone)
    assert (beijing, "d") in made
    assert (1.25, "n") in made
    assert ("—", "s") in made


def test_a_sheet_s_name_has_nothing_that_excel_refuses() -> None:
    book = load_workbook(BytesIO(workbook(report(), "a/b:c*d?[e]" + "长" * 40)))
    assert book.sheetnames[0].startswith("a-b-c-d--e-长")
    assert len(book.sheetnames[0]) == 31


def test_a_long_table_goes_on_in_the_workbook() -> None:
    rows = [("x", 1.0)] * (MOST_ROWS + 5)
    assert len(cells(workbook(report(*rows), "概要"), "表")) == (MOST_ROWS + 5 + 1) * 2
    short, long = pages(report(*rows[:MOST_ROWS])), pages(report(*rows))
    assert abs(len(long) - len(short)) < 1000


def test_a_picture_without_any_figure_is_drawn() -> None:
    picture = Picture("图", "%", (Bar("1", None), Bar("2", None)), (50.0, 80.0))
    assert pages(report(picture=picture)).startswith(b"%PDF-")
