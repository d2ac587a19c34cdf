"""Time is aware UTC in whole milliseconds; a test may move it for several processes by a file."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from evcs.runtime import clock as clock_module
from evcs.runtime.clock import ManualClock, SystemClock, from_ms


@pytest.fixture
def always_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_module, "LOOK_EVERY_S", 0.0)


def test_now_is_utc_in_whole_milliseconds() -> None:
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert now.microsecond % 1000 == 0


@pytest.mark.parametrize("ms", [0, 1, 999, 1_795_527_118_123, 4_102_444_799_999])
def test_milliseconds_become_exact_times(ms: int) -> None:
    assert round((from_ms(ms) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1)) == ms


@pytest.mark.usefixtures("always_looks")
def test_offset_file_moves_the_time_of_day_and_not_waiting(tmp_path: Path) -> None:
    file = tmp_path / "offset"
    real, moved = SystemClock(), SystemClock(file)
    assert abs(moved.now_ms() - real.now_ms()) < 1000
    file.write_text("3600.5")
    assert 3_600_000 < moved.now_ms() - real.now_ms() < 3_601_500
    file.write_text("-86400")
    assert -86_400_500 < moved.now_ms() - real.now_ms() < -86_399_000
    assert abs(moved.monotonic() - real.monotonic()) < 1
    file.unlink()
    assert abs(moved.now_ms() - real.now_ms()) < 1000


@pytest.mark.usefixtures("always_looks")
def test_half_written_offset_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "offset"
    moved = SystemClock(file)
    file.write_text("-")
    moved.now()
    file.write_text("9")
    os.utime(file, ns=(1, 1))
    moved.now()
    assert 8_000 < moved.now_ms() - SystemClock().now_ms() < 10_000


def test_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock()
    before, waited = clock.now(), clock.monotonic()
    assert clock.now() == before
    clock.advance(1.5)
    assert clock.now() - before == timedelta(seconds=1.5)
    assert clock.monotonic() - waited == 1.5
    clock.set(before)
    assert clock.now() == before
    assert clock.monotonic() - waited == 1.5
