"""A demo past: same seed, same bytes; frames, bills and points tell of the same charges; cars come when people come."""

import subprocess
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from random import Random

import msgspec
import pytest

from bridge.protocols.ykc import framing
from bridge.protocols.ykc.messages import REGISTRY
from bridge.protocols.ykc.translate.record import HEAR
from bridge.simulator.history.command import main
from bridge.simulator.history.demand import DAY_MS, arrivals, next_arrival
from bridge.simulator.history.folds import GunFold, GunReading
from bridge.simulator.history.gate import Asked, decide
from bridge.simulator.history.past import day_start_ms
from evcs.contracts.config import TransformerConfig
from evcs.contracts.envelope import encode
from evcs.contracts.history import MANIFEST, ORDERS, Manifest, Past, PastOrder, PastRecharge
from evcs.contracts.measurements import GUN, GUN_1M, GUN_15M, ROLLUPS, TRANSFORMER, TRANSFORMER_15M, Fold
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GunState, StopClass
from evcs.contracts.times import civil_day, to_ms
from evcs.store.interface import Point
from ingest.load_files import check_file, lines_of
from ingest.load_lines import LineReader
from tests.pasts import END, FIRST, past, town, write

__all__ = ["past"]


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def said(folder: Path) -> list[Past]:
    return [msgspec.json.decode(line, type=Past) for line in (folder / ORDERS).read_bytes().splitlines()]


def orders(folder: Path) -> list[PastOrder]:
    return [one for one in said(folder) if isinstance(one, PastOrder)]


def charged(folder: Path) -> list[PastOrder]:
    return [one for one in orders(folder) if one.charging_since is not None]


def points(folder: Path) -> list[Point]:
    manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    reader = LineReader()
    return [
        reader.point(line.decode()) for told in manifest.points for line in lines_of(check_file(folder, told), told)
    ]


def value(point: Point, field: str) -> object:
    return point.fields[point.measurement.field_names.index(field)]


def test_the_same_seed_writes_the_same_bytes_in_another_process(past: Path, tmp_path: Path) -> None:
    (tmp_path / "town.json").write_bytes(encode(town()))
    command = [sys.executable, "-m", "bridge.simulator", "history", "--town", str(tmp_path / "town.json")]
    command += ["--from", FIRST.isoformat(), "--to", END.isoformat(), "--raw-days", "1", "--seed", "7"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "again")],
        env={"PYTHONHASHSEED": "12345", "TZ": "America/Lima"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "2 of 2 days" in done.stderr
    assert bytes_of(tmp_path / "again") == bytes_of(past)


def test_another_seed_writes_another_past(past: Path, tmp_path: Path) -> None:
    assert bytes_of(write(tmp_path / "other", seed=8)) != bytes_of(past)


def test_a_folder_that_holds_something_is_left_alone(past: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = bytes_of(past)
    arguments = ["--town", str(past.parent / "past-town.json"), "--from", "2026-10-01", "--to", "2026-10-02"]
    assert main([*arguments, "--out", str(past)]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert bytes_of(past) == before


@pytest.mark.parametrize("text", [b"", b"{}", b"\xff\xfe", b'{"tenant": "demo", "stations": []}'])
def test_a_town_that_is_none_is_told(text: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "town.json").write_bytes(text)
    arguments = ["--town", str(tmp_path / "town.json"), "--from", "2026-10-01", "--to", "2026-10-02"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 2
    assert "webapi.demo town" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_each_record_is_what_its_frame_says(past: Path) -> None:
    recorded = [one.record for one in orders(past) if one.record is not None]
    assert len(recorded) > 50
    for record in recorded:
        frame = framing.cut(bytes.fromhex(record.frame_hex)).frame
        assert frame is not None
        table = REGISTRY.find(frame.code, len(frame.body))
        assert table is not None
        heard = HEAR[table](table.decode(frame.body))
        for name in ("serial", "pile", "gun", "started_at", "ended_at", "energy_kwh", "amount_e4", "vin", "card"):
            assert getattr(heard, name) == getattr(record, name), name
        assert heard.bands == record.bands
        assert heard.source == record.source
        assert heard.stop_code == record.stop_code


def test_bills_add_up_and_registers_only_grow(past: Path) -> None:
    register: dict[tuple[str, int], Decimal] = {}
    for order in orders(past):
        record = order.record
        if record is None:
            continue
        gun = (record.pile, record.gun)
        assert record.register_start_kwh >= register.get(gun, Decimal(0))
        register[gun] = record.register_end_kwh
        assert record.energy_kwh == sum(band.energy_kwh for band in record.bands)
        assert record.energy_kwh == record.register_end_kwh - record.register_start_kwh
        assert record.amount_e4 == sum(band.amount_e4 for band in record.bands)
        if order.charging_since is None:
            assert record.energy_kwh == 0
            assert record.stop_class is StopClass.START_FAILED
        else:
            assert order.marks[-1].energy_kwh == record.energy_kwh
            assert [mark.energy_kwh for mark in order.marks] == sorted(mark.energy_kwh for mark in order.marks)


def test_the_points_of_a_charge_tell_its_energy(past: Path) -> None:
    """Minutes and quarters both add up to the records; raw points end with the record's energy to the last step."""
    by_gun: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    by_serial: dict[str, Decimal] = {}
    for order in charged(past):
        assert order.record is not None
        by_gun[(order.station, order.pile, str(order.gun))] += order.record.energy_kwh
        by_serial[order.serial] = order.record.energy_kwh
    found: dict[str, dict[tuple[str, ...], float]] = {GUN_1M.measurement.name: {}, GUN_15M.measurement.name: {}}
    ends: dict[str, float] = {}
    for point in points(past):
        sums = found.get(point.measurement.name)
        if sums is not None:
            sums[point.tags] = sums.get(point.tags, 0.0) + float(str(value(point, "energy_gain_kwh")))
        elif point.measurement is GUN and value(point, "state") == GunState.FINISHED and value(point, "serial"):
            ends[str(value(point, "serial"))] = float(str(value(point, "energy_kwh")))
    for sums in found.values():
        assert {tags: round(total, 4) for tags, total in sums.items() if total} == {
            tags: float(total) for tags, total in by_gun.items() if total
        }
    assert len(ends) > 20
    assert all(by_serial[serial] == Decimal(str(total)) for serial, total in ends.items())


def test_power_held_over_its_time_is_the_energy(past: Path) -> None:
    gained = held = 0.0
    for point in points(past):
        if point.measurement is GUN_15M.measurement:
            gained += float(str(value(point, "energy_gain_kwh")))
            held += float(str(value(point, "power_mean_kw"))) / 4
    # A reading shows the power of the step before it, and holds for the next: ramps and tapers cancel but for this.
    assert held == pytest.approx(gained, rel=0.03)


def test_raw_points_stand_for_the_last_days_only_and_roll_ups_for_all(past: Path) -> None:
    days: dict[str, set[object]] = defaultdict(set)
    for point in points(past):
        days[point.measurement.name].add(civil_day(point.at))
    assert {name for name, found in days.items() if FIRST in found} == {one.measurement.name for one in ROLLUPS}
    assert set(days) == {GUN.name, TRANSFORMER.name, *(one.measurement.name for one in ROLLUPS)}
    quarters = [point for point in points(past) if point.measurement is GUN_15M.measurement]
    assert len(quarters) == 8 * 2 * 96, "each gun, each quarter of an hour"


def test_no_two_points_of_a_series_have_the_same_time(past: Path) -> None:
    found = [(point.measurement.name, point.tags, point.at) for point in points(past)]
    assert len(set(found)) == len(found)


def test_the_transformer_carries_its_guns_and_is_not_overloaded(past: Path) -> None:
    rated = {one.transformer: one for station in town().stations for one in station.transformers}
    rows = [point for point in points(past) if point.measurement is TRANSFORMER_15M.measurement]
    assert {point.tags for point in rows} == {("DEMO-B", "DEMO-B-T1")}, "only where there is a meter"
    config = rated["DEMO-B-T1"]
    for row in rows:
        assert float(str(value(row, "apparent_max_kva"))) <= config.rated_kva
    drawn = sum(
        float(str(value(point, "energy_gain_kwh")))
        for point in points(past)
        if point.measurement is GUN_15M.measurement and point.tags[0] == "DEMO-B"
    )
    carried = sum(float(str(value(row, "active_mean_kw"))) / 4 for row in rows)
    assert drawn / 0.94 < carried < drawn / 0.94 + config.base_load_kw * 48


def test_every_wallet_can_pay_what_is_to_come(past: Path) -> None:
    balance: dict[str, int] = defaultdict(int)
    for one in said(past):
        if isinstance(one, PastRecharge):
            balance[one.phone] += one.amount_fen
        elif isinstance(one, PastOrder):
            assert balance[one.phone] >= 20_000
            if one.record is not None:
                balance[one.phone] -= -(-one.record.amount_e4 // 100)


def test_a_driver_charges_one_car_at_a_time(past: Path) -> None:
    until: dict[str, int] = {}
    for order in sorted(charged(past), key=lambda one: one.requested_at):
        assert order.ended_at is not None
        assert to_ms(order.requested_at) >= until.get(order.phone, 0)
        until[order.phone] = to_ms(order.ended_at)


def test_nothing_happens_outside_the_days(past: Path) -> None:
    begin, end = day_start_ms(FIRST), day_start_ms(END)
    for order in charged(past):
        assert order.record is not None
        assert begin <= to_ms(order.requested_at) + 15_000
        assert to_ms(order.record.received_at) < end


def test_cars_come_in_the_evening_and_not_at_night() -> None:
    midnight = day_start_ms(FIRST)  # a Thursday
    hours = [arrivals(midnight + hour * 3_600_000) for hour in range(24)]
    assert hours[19] > 1.5 > 0.5 > hours[3]
    assert hours[8] > hours[5]
    saturday = midnight + 2 * DAY_MS
    assert arrivals(saturday + 15 * 3_600_000) > hours[15]


def test_the_mean_number_of_visits_is_what_was_asked_for() -> None:
    dice, at, count = Random(1), day_start_ms(FIRST), 0
    end = at + 28 * DAY_MS
    while (at := next_arrival(dice, at, 6.0)) < end:
        count += 1
    assert count == pytest.approx(28 * 6, rel=0.15)


GATE = TransformerConfig(transformer="T1", rated_kva=500)


@pytest.mark.parametrize(
    ("planned_pct", "reason", "cap_kw"),
    [
        (0.0, None, None),
        (50.0, None, None),
        (50.1, None, 60.0),
        (66.0, None, 60.0),
        (67.0, Reason.NO_HEADROOM, None),
        (80.1, Reason.OVER_BLOCKED_THRESHOLD, None),
    ],
)
def test_the_past_obeyed_the_transformer_rule(planned_pct: float, reason: Reason | None, cap_kw: float | None) -> None:
    """120 kW at 0.94 and 0.95 are 26.9 % of 500 kVA (requirement 3(1))."""
    said = decide(Asked(120, 120, 0.94, planned_pct, planned_pct), GATE)
    assert (said.reason, said.cap_kw) == (reason, cap_kw)
    assert said.figures.planned_pct == planned_pct


def test_a_fold_is_what_the_contract_says() -> None:
    """Readings at 10, 40 and 70 s: 6 kW from 10 s, 12 kW from 40 s, nothing from 70 s on."""
    fold = GunFold(GUN_1M, ("S", "P", "1"), 0, only_charging=True)
    rows = [
        *fold.read(10_000, GunReading("charging", "a" * 32, 6_000, 4000, 150, 0, 20.0, 25, 22)),
        *fold.read(40_000, GunReading("charging", "a" * 32, 12_000, 4000, 300, 500, 21.0, 26, 23)),
        *fold.read(70_000, GunReading("finished", "a" * 32, 0, 0, 0, 1000, 22.0, 26, 23)),
        *fold.until(600_000),
    ]
    assert [to_ms(row.at) for row in rows] == [0, 60_000]
    assert [value(row, "power_mean_kw") for row in rows] == [7.0, 2.0]
    assert [value(row, "power_max_kw") for row in rows] == [12.0, 0.0]
    assert [value(row, "energy_gain_kwh") for row in rows] == [0.05, 0.1]
    assert [value(row, "soc_last_pct") for row in rows] == [21.0, 22.0]
    assert [value(row, "points") for row in rows] == [2, 1]
    assert [value(row, "state") for row in rows] == ["charging", "finished"]


def test_roll_ups_name_fields_of_their_source() -> None:
    for rollup in ROLLUPS:
        names = rollup.source.field_names
        assert all(part.of in names for part in rollup.parts)
        assert rollup.measurement.tags == rollup.source.tags
        kinds = {field.name: field.kind for field in rollup.source.fields}
        for part in rollup.parts:
            expected = "int" if part.how is Fold.COUNT else kinds[part.of]
            assert part.field.kind == expected, part.field.name


def test_an_order_was_refused_or_failed_or_charged(past: Path) -> None:
    for one in orders(past):
        refused = one.verdict.reason is not None
        failed = one.reply is not None and one.reply.reason is Reason.PILE_REFUSED
        assert [refused, failed, one.charging_since is not None].count(True) == 1
        assert (one.record is None) == refused
    assert len(charged(past)) > 0.9 * len(orders(past))
