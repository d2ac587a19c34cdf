"""When the energy of a session is due as a mark."""

from datetime import UTC, datetime
from decimal import Decimal

from bridge.meter_marks import Mark, MeterMarks
from bridge.moment import Moment
from evcs.contracts.gun import MarkReason
from evcs.contracts.times import to_ms

S1 = "1" * 32
START_MS = to_ms(datetime(2026, 3, 2, 4, 20, tzinfo=UTC))
"""12:20 in Beijing."""


def at(seconds: float) -> Moment:
    """So long after the start."""
    return Moment(START_MS + round(seconds * 1000), 100.0 + seconds)


def kwh(text: str) -> Decimal:
    return Decimal(text)


def test_marks_of_a_session_of_half_an_hour() -> None:
    marks = MeterMarks()
    made = [marks.begin(S1, kwh("0.1"), at(0))]
    polled = []
    for seconds in range(15, 1801, 15):
        if marks.is_poll_due(at(seconds)):
            polled.append(seconds)
        mark = marks.read(kwh("0.1") + Decimal(seconds) / 100, at(seconds))
        if mark is not None:
            made.append(mark)
    if (last := marks.end(None, None, at(1805))) is not None:
        made.append(last)
    assert polled == [600]  # 12:30
    assert [(mark.why, mark.energy_kwh) for mark in made] == [
        (MarkReason.BEGIN, kwh("0.1")),
        (MarkReason.PERIODIC, kwh("3.1")),
        (MarkReason.HALF_HOUR, kwh("6.1")),
        (MarkReason.PERIODIC, kwh("9.1")),
        (MarkReason.PERIODIC, kwh("12.1")),
        (MarkReason.PERIODIC, kwh("15.1")),
        (MarkReason.PERIODIC, kwh("18.1")),
        (MarkReason.END, kwh("18.1")),
    ]


def test_a_half_hour_is_polled_once_and_the_next_reading_bears_it() -> None:
    marks = MeterMarks()
    marks.begin(S1, kwh("1"), at(0))
    assert not marks.is_poll_due(at(599.9))
    assert marks.next_slot_ms == START_MS + 600_000
    assert marks.is_poll_due(at(600))
    assert not marks.is_poll_due(at(600.1))
    assert marks.read(kwh("2"), at(600.2)) == Mark(S1, MarkReason.HALF_HOUR, kwh("2"))
    assert marks.read(kwh("2"), at(601)) is None


def test_a_lost_link_says_what_is_known_and_the_session_goes_on() -> None:
    marks = MeterMarks()
    marks.begin(S1, kwh("1"), at(0))
    marks.read(kwh("2.5"), at(15))
    assert marks.link_lost(at(20)) == Mark(S1, MarkReason.LINK_LOST, kwh("2.5"))
    assert marks.end(kwh("4"), kwh("1004"), at(60)) == Mark(S1, MarkReason.END, kwh("4"), kwh("1004"))


def test_without_a_session_there_are_no_marks() -> None:
    marks = MeterMarks()
    assert marks.next_slot_ms is None
    assert marks.read(kwh("1"), at(0)) is None
    assert marks.link_lost(at(0)) is None
    assert marks.end(None, None, at(0)) is None
    assert not marks.is_poll_due(at(5000))
