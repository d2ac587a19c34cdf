"""Codes, fault bits and the percent of 0x52."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.protocols.ykc.codes import (
    fault_numbers,
    fault_words,
    start_failure,
    stop_failure,
    stop_reason,
)
from bridge.protocols.ykc.power import allowance_of, percent_of
from evcs.contracts.states import StopClass


@pytest.mark.parametrize(
    ("code", "kind", "en"),
    [
        (0x40, StopClass.NORMAL, "app / remote stop"),
        (0x49, StopClass.NORMAL, "other 0x49"),
        (0x4A, StopClass.START_FAILED, "pile control system fault"),
        (0x69, StopClass.START_FAILED, "other 0x69"),
        (0x6A, StopClass.ABNORMAL, "system locked out"),
        (0x8F, StopClass.ABNORMAL, "other 0x8F"),
        (0x90, StopClass.UNKNOWN, "unknown reason"),
        (0x00, StopClass.UNKNOWN, "unknown 0x00"),
        (0xA7, StopClass.UNKNOWN, "unknown 0xA7"),
    ],
)
def test_stop_reason_has_class_and_words(code: int, kind: StopClass, en: str) -> None:
    reason = stop_reason(code)
    assert (reason.code, reason.kind, reason.en) == (code, kind, en)
    assert reason.zh


def test_failure_reasons_have_words_also_when_unknown() -> None:
    assert start_failure(5).en == "gun not plugged in"
    assert start_failure(0x33).en == "unknown reason 0x33"
    assert stop_failure(2).zh == "枪未处于充电状态"


def test_fault_bits_follow_the_base_of_the_model() -> None:
    recorded = 0x0082  # emergency stop + meter lost on a pile with base 1
    assert [fault_words(number).en for number in fault_numbers(recorded, base=1)] == [
        "emergency stop pressed",
        "energy meter communication lost",
    ]
    assert fault_numbers(0x8001, base=0) == (1, 16)
    assert "Bit16" in fault_words(16).en


@pytest.mark.parametrize(
    ("allowance", "rating", "percent"),
    [
        ("60", "120", 50),
        ("59.99", "120", 49),
        ("10", "120", 30),
        ("0", "120", 30),
        ("500", "120", 100),
        ("7", "0", 100),
    ],
)
def test_percent_rounds_down_between_30_and_100(allowance: str, rating: str, percent: int) -> None:
    assert percent_of(Decimal(allowance), Decimal(rating)) == percent


@given(st.integers(30, 100), st.integers(1, 10_000))
def test_percent_of_an_allowance_gives_it_back(percent: int, rating_tenths: int) -> None:
    rating = Decimal(rating_tenths) / 10
    assert percent_of(allowance_of(percent, rating), rating) == percent
