"""The what-if: a recorded day comes again as it was, is another under other figures, and bad input is named."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from rules.codec import LineError
from rules.simulation.cars import Recorded
from rules.simulation.record import record_day
from rules.whatif.__main__ import main
from rules.whatif.compare import recorded, run
from rules.whatif.demand import add_piles, crowd
from rules.whatif.recording import NoRecording, Recording, read

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four hours of four guns that many want."""
    path = tmp_path_factory.mktemp("whatif") / "day.jsonl"
    record_day(path, seed=3, guns=4, per_hour=30.0, hours=4)
    return path


@pytest.fixture(scope="module")
def recording(day: Path) -> Recording:
    with day.open("rb") as lines:
        return read(lines)


def test_a_recorded_day_comes_again_as_it_was(recording: Recording) -> None:
    was = recorded(recording)
    again = run(crowd(recording), recording.transformer, recording.piles)
    assert was.asked == again.asked > 20
    assert was.refused > 5
    assert again.admitted == pytest.approx(was.admitted, rel=0.25)
    assert again.energy_kwh == pytest.approx(was.energy_kwh, rel=0.25)
    assert again.peak_pct == pytest.approx(was.peak_pct, abs=8)
    assert was.peak_pct <= recording.transformer.blocked_pct + 8


def test_other_thresholds_let_more_in(recording: Recording) -> None:
    before = run(crowd(recording), recording.transformer, recording.piles)
    wide = msgspec.structs.replace(
        recording.transformer,
        limited_pct=90.0,
        limited_release_pct=85.0,
        blocked_pct=120.0,
        blocked_release_pct=115.0,
        overload_s=1e9,
    )
    after = run(crowd(recording), wide, recording.piles)
    assert after.refused < before.refused
    assert after.energy_kwh > before.energy_kwh
    assert after.peak_pct > before.peak_pct
    assert after.over_80_min > before.over_80_min


def test_added_piles_bring_copies_of_others(recording: Recording) -> None:
    found = crowd(recording, added=2)
    new = add_piles(recording, 2)
    assert found.added > 0
    assert {pile for _, _, pile, _ in found.visits} >= {pile.pile for pile in new}
    assert run(found, recording.transformer, recording.piles + new).asked == len(found.visits)


def test_a_capped_charge_takes_the_same_energy_later() -> None:
    car = Recorded(seconds=[0.0, 600.0], kw=[60.0, 30.0], ends_s=1200.0)
    assert car.whole_kwh() == pytest.approx(15.0)
    while not car.is_done:
        car.drew(min(30.0, car.wants_kw()), 15.0)
    assert car.taken_kwh == pytest.approx(15.0)
    assert car.for_s == pytest.approx(1800.0)
    assert car.late_kwh == pytest.approx(5.0)


def test_the_command_tells_and_draws(day: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "load.svg"
    assert main([str(day), "--limited", "60", "--blocked", "85", "--picture", str(picture)]) == 0
    out = capsys.readouterr().out
    assert "60 % / 85 %" in out
    for row in ("starts asked", "admitted", "capped", "refused", "deferred", "peak", ">80 %", ">100 %", "Assumed"):
        assert row in out
    assert picture.read_text(encoding="utf-8").startswith("<svg ")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--blocked", "40"], "is not below --blocked"),
        (["--rated-kva", "-5"], "figures that cannot be"),
        (["--station", "nowhere"], "no config/station"),
        (["--transformer", "t9"], "no transformer t9"),
    ],
)
def test_figures_that_cannot_be_are_named(
    day: Path, options: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(day), *options]) == 2
    assert says in capsys.readouterr().err


def test_a_bad_line_is_named_by_its_number(day: Path) -> None:
    lines = day.read_bytes().splitlines()[:3]
    with pytest.raises(LineError, match="line 4: "):
        read([*lines, b"nonsense"])
    with pytest.raises(NoRecording):
        read(lines)
    run_ = subprocess.run(
        [sys.executable, "-m", "rules.whatif", "-"], input=b"\n\n{}", capture_output=True, cwd=ROOT, check=False
    )
    assert run_.returncode == 2
    assert b"line 3: " in run_.stderr
