"""InfluxQL: answers that are none, or not whole, are a store that is away and never a short curve."""

import pytest

from evcs.contracts.measurements import GUN
from evcs.store import influxql
from evcs.store.interface import GunSeries, StoreUnavailable

ONE = b'{"results":[{"statement_id":0,"series":[{"name":"gun","columns":["time","a"],"values":[[1,2]]}]}]}'


@pytest.mark.parametrize(
    ("lines", "statements", "why"),
    [
        ([], 1, "answered 0 of 1"),
        ([ONE], 2, "answered 1 of 2"),
        ([ONE.replace(b'"series"', b'"partial":true,"series"')], 1, "answered"),
        ([b'{"error":"timeout"}'], 1, "timeout"),
        ([ONE, b'{"results":[{"statement_id":1,"error":"shard unavailable"}]}'], 2, "shard unavailable"),
        ([ONE, b"<html>"], 1, "no InfluxQL answer"),
        ([b"[" * 100_000], 1, "no InfluxQL answer"),
        ([b'{"results":[{"series":[{"values":[[1,{}]]}]}]}'], 1, "no InfluxQL answer"),
    ],
)
def test_an_answer_that_is_not_whole_is_no_answer(lines: list[bytes], statements: int, why: str) -> None:
    with pytest.raises(StoreUnavailable, match=why):
        list(influxql.rows(lines, statements, "store"))


def test_a_whole_answer_gives_its_rows() -> None:
    more = ONE.replace(b'"series"', b'"partial":true,"series"')
    assert list(influxql.rows([more, ONE], 1, "store")) == [(0, [1, 2]), (0, [1, 2])]


@pytest.mark.parametrize(
    ("fields", "cells"),
    [(["state"], [3]), (["power_kw"], ["x"]), (["power_kw"], [True]), (["elapsed_min"], [1.5]), (["state"], [])],
)
def test_a_cell_of_another_type_is_no_value(fields: list[str], cells: list[influxql.Cell]) -> None:
    with pytest.raises(StoreUnavailable):
        influxql.typed(GUN, fields)(cells, "store")


def test_cells_get_their_declared_types_back() -> None:
    values = influxql.typed(GUN, ["power_kw", "receipt_n", "state", "soc_pct"])([60, 2**62, "a", None], "store")
    assert values == (60.0, 2**62, "a", None)
    assert [type(value) for value in values[:2]] == [float, int]


def test_names_and_texts_are_quoted() -> None:
    bucket = influxql.Bucket('ev"cs', "raw")
    asked = influxql.latest(bucket, GunSeries("s'1", "p\\", 1))
    assert 'FROM "ev\\"cs"."raw"."gun"' in asked
    assert "\"station\" = 's\\'1' AND \"pile\" = 'p\\\\'" in asked
