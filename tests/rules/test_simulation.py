"""The simulated site: what it promises to those who measure with it, and the command that compares."""

from pathlib import Path

import pytest

from rules.simulation.__main__ import BEGIN, END, main
from rules.simulation.cars import Battery
from rules.simulation.days import COOL, drive_of, run_day
from rules.simulation.measure import Day
from rules.simulation.table import Row, table
from rules.simulation.variants import LITERAL, RULE

DAY = Day(40, 150, 160, 290, 0, 152, 120, 138, 0, 5300.0, 81.5, 3.0, 0.0)


def test_a_cold_battery_heats_then_ramps_then_tapers() -> None:
    car = Battery(120.0, 30.0, cold_s=300.0, pauses=((900.0, 1000.0),))
    assert car.wants_kw() == 6.0
    seen: dict[float, float] = {}
    while not car.is_done:
        seen[car.for_s] = car.wants_kw()
        car.drew(car.wants_kw(), 15.0)
    assert seen[285.0] == 6.0
    assert 6.0 < seen[315.0] < 120.0
    assert seen[360.0] == 120.0
    assert seen[900.0] == 0.0
    assert min(kw for at, kw in seen.items() if at > 1000) < 60.0
    assert car.taken_kwh == pytest.approx(30.0, abs=0.5)


def test_the_same_seed_brings_the_same_cars_under_every_rule() -> None:
    drives = [drive_of(5, variant, COOL)[0] for variant in (LITERAL, RULE)]
    for drive in drives:
        drive.begin()
        drive.until(2 * 3600)
    ours, theirs = ([(s.visit.at_s, s.visit.car.stated_kw) for s in drive.plant.stays] for drive in drives)
    assert len(ours) > 10
    assert ours == theirs


@pytest.mark.timeout(300)
def test_the_literal_rule_overloads_a_day_that_this_rule_carries() -> None:
    ours, _ = run_day(1, RULE, COOL)
    literal, _ = run_day(1, LITERAL, COOL)
    assert literal.over_100_min > 10
    assert literal.bands > 2 * ours.bands
    assert ours.over_100_min == 0
    assert ours.peak_pct < 85
    assert ours.energy_kwh > 0.7 * literal.energy_kwh


def test_the_table_says_what_was_measured() -> None:
    line = table([Row(RULE, COOL, [DAY, DAY])]).splitlines()[-1]
    assert [cell.strip() for cell in line.split("|")[3:-1]] == [
        *("40", "150", "152", "138", "5,300", "82 %", "81.5 %", "3.0", "0.00")
    ]


@pytest.mark.parametrize("options", [["--days", "0"], ["--docs", "/nowhere"], ["--weather", "hail"]])
def test_bad_options_are_named(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(options)
    assert ended.value.code == 2
    assert "error" in capsys.readouterr().err


def test_the_page_has_the_place_for_the_table() -> None:
    page = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
    assert page.index(BEGIN) < page.index(END)
    assert "literal rule" in page[page.index(BEGIN) : page.index(END)]
