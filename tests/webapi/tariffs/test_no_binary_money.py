"""Modules that reckon money hold no binary float: neither a type, nor a literal, nor a conversion."""

import ast
from pathlib import Path

import pytest

import webapi
from evcs.contracts import money

ROOMS = ("customers", "ledger", "recharges", "reconcile", "refunds", "tariffs")
OF_ORDERS = ("capture", "extend_hold", "marks", "provisional", "reckon", "reckon_anew", "record", "review", "settle")
ROOT = Path(webapi.__file__).parent
MODULES = sorted(
    [Path(money.__file__)]
    + [path for room in ROOMS for path in (ROOT / room).glob("*.py")]
    + [ROOT / "orders" / f"{name}.py" for name in OF_ORDERS]
)


def floats_of(source: str) -> list[int]:
    """The lines with a float literal, the name `float`, or a column or field of floats."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id in ("float", "Float"))
        or (isinstance(node, ast.Attribute) and node.attr in ("Float", "float"))
    ]


@pytest.mark.parametrize("source", ["a = 0.1", "a: float", "float(x)", "fields.Float()", "mapped_column(Float)"])
def test_a_float_is_found(source: str) -> None:
    assert floats_of(source) == [1]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_money_is_never_a_float(path: Path) -> None:
    assert floats_of(path.read_text(encoding="utf-8")) == []
