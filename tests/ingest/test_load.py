"""A past's points in a store: once, whole, also after an interruption; what is no point is set aside."""

import gzip
import hashlib
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from evcs.contracts.history import MANIFEST, POINTS
from evcs.contracts.measurements import GUN, GUN_15M, ROLLUPS
from evcs.runtime.clock import SystemClock
from evcs.store.interface import GunSeries, How, Point, RollupSeries, StoreUnavailable
from evcs.store.lines import line as spell
from evcs.store.open import beside
from evcs.store.sqlite import SqliteStore
from ingest.errors import Unreadable
from ingest.load import Loaded, Loader, Stores, main
from ingest.load_files import BadHistory, Done, check_file, lines_of, read_manifest
from ingest.load_lines import LineReader
from ingest.rejects import RejectFile
from tests.bridge.simulator.test_history import charged, points
from tests.pasts import past
from tests.stores import InfluxDb, influxdb

__all__ = ["influxdb", "past"]

URL = "sqlite:///{}/telemetry.db"


class Place:
    """A store's folder, and loads into it."""

    def __init__(self, folder: Path, url: str = "") -> None:
        self.folder = folder
        self.url = url or URL.format(folder)
        self.stores = Stores(self.url, None)
        self.rejects = RejectFile(folder / "rejects")

    def load(self, history: Path, *, again: bool = False, patience_s: float = 5.0) -> Loaded:
        loader = Loader(self.stores.of, self.rejects, SystemClock(None), batch_points=700, patience_s=patience_s)
        done = Done(self.folder, read_manifest(history), self.url)
        return loader.load(history, done, again=again)

    def rows(self) -> dict[str, tuple[int, float]]:
        """How many points each measurement has, and the sum of their times."""
        connection = sqlite3.connect(self.folder / "telemetry.db")
        names = [GUN.name, "transformer", *(one.measurement.name for one in ROLLUPS)]
        found = {name: connection.execute(f"SELECT count(*), total(at_ms) FROM {name}").fetchone() for name in names}
        connection.close()
        return found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path / "place")
    yield made
    made.stores.close()


@pytest.fixture
def copy(past: Path, tmp_path: Path) -> Path:
    """One that may be spoiled."""
    return Path(shutil.copytree(past, tmp_path / "copy"))


def test_a_past_is_loaded_once(past: Path, place: Place) -> None:
    manifest = read_manifest(past)
    first = place.load(past)
    assert (first.points, first.refused) == (sum(file.lines for file in manifest.points), 0)
    rows = place.rows()
    second = place.load(past)
    assert (second.points, second.files, second.known) == (0, 0, len(manifest.points))
    assert place.load(past, again=True).points == first.points
    assert place.rows() == rows


def test_what_was_written_can_be_read(past: Path, place: Place) -> None:
    place.load(past)
    order = max((one for one in charged(past) if one.record), key=lambda one: one.requested_at)
    assert order.charging_since is not None
    assert order.ended_at is not None
    assert order.record is not None
    store = place.stores.of("raw")
    series = GunSeries(order.station, order.pile, order.gun)
    curve = store.curve(series, order.charging_since, order.ended_at, ["energy_kwh", "power_kw"])
    assert curve.of("energy_kwh")[-1][1] == float(order.record.energy_kwh)
    quarters = RollupSeries(GUN_15M, series.tags)
    first, last = min(p.at for p in points(past)), max(p.at for p in points(past)) + timedelta(minutes=1)
    (total,) = store.aggregate([quarters], "energy_gain_kwh", How.SUM, first, last, timedelta(days=10_000))
    drawn = [
        one.record.energy_kwh for one in charged(past) if one.record and (one.pile, one.gun) == (order.pile, order.gun)
    ]
    assert round(float(total.value), 4) == float(sum(drawn))


def test_a_load_goes_on_where_it_was_cut_off(past: Path, place: Place) -> None:
    class Breaks(SqliteStore):
        """Its disk is full after some writes."""

        left = 12

        def write(self, points: object) -> None:
            if self.left == 0:
                raise StoreUnavailable("full")
            self.left -= 1
            super().write(points)  # type: ignore[arg-type]

    broken = Breaks(place.folder / "telemetry.db", writable=True)
    loader = Loader(lambda _: broken, place.rejects, SystemClock(None), batch_points=700, patience_s=0)
    done = Done(place.folder, read_manifest(past), place.url)
    with pytest.raises(StoreUnavailable, match="full"):
        loader.load(past, done)
    broken.close()
    there = len(done.names())
    assert there >= 1
    assert place.load(past).known == there
    whole = place.rows()
    assert place.load(past, again=True).known == 0
    assert place.rows() == whole


def test_it_waits_for_a_store_that_comes_back(past: Path, place: Place) -> None:
    class Away(SqliteStore):
        failures = 2

        def write(self, points: object) -> None:
            if self.failures:
                self.failures -= 1
                raise StoreUnavailable("locked")
            super().write(points)  # type: ignore[arg-type]

    store = Away(place.folder / "telemetry.db", writable=True)
    loader = Loader(lambda _: store, place.rejects, SystemClock(None), batch_points=5000)
    loaded = loader.load(past, Done(place.folder, read_manifest(past), place.url))
    store.close()
    assert loaded.points == len(points(past))


def points_file(history: Path) -> Path:
    return history / POINTS / read_manifest(history).points[-1].name


@pytest.mark.parametrize(
    "spoil",
    [lambda data: data[:-40], lambda data: data[:100] + b"\0" + data[101:], lambda data: data + b"x", lambda _: b""],
)
def test_a_file_that_was_cut_or_changed_is_not_read(spoil: object, copy: Path, place: Place) -> None:
    file = points_file(copy)
    file.write_bytes(spoil(file.read_bytes()))  # type: ignore[operator]
    with pytest.raises(BadHistory, match="cut off, or changed"):
        place.load(copy)


def test_a_missing_file_and_a_missing_manifest_are_told(copy: Path, place: Place) -> None:
    points_file(copy).unlink()
    with pytest.raises(BadHistory, match="No such file"):
        place.load(copy)
    (copy / MANIFEST).unlink()
    with pytest.raises(BadHistory, match="not written to its end"):
        read_manifest(copy)


def forge(history: Path, lines: list[bytes], *, told: int | None = None, name: str | None = None) -> None:
    """Replace the last file by one whose manifest agrees."""
    manifest = read_manifest(history)
    last = manifest.points[-1]
    data = gzip.compress(b"".join(lines))
    (history / POINTS / last.name).write_bytes(data)
    forged = msgspec.structs.replace(
        last,
        lines=len(lines) if told is None else told,
        sha256=hashlib.sha256(data).hexdigest(),
        name=name or last.name,
    )
    (history / MANIFEST).write_bytes(msgspec.json.encode(msgspec.structs.replace(manifest, points=(forged,))))


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "raw-2026-10-01.lines/../x", "/etc/passwd", "raw-2026-10-01.sh"]
)
def test_a_manifest_cannot_name_files_elsewhere(name: str, copy: Path) -> None:
    forge(copy, [], name=name)
    with pytest.raises(BadHistory, match=r"history\.json"):
        read_manifest(copy)


GOOD = b'gun_15m,station=S,pile=P1,gun=1 state="idle",points=3i 1790000000000\n'


def test_what_is_no_point_is_set_aside_and_the_rest_is_stored(copy: Path, place: Place) -> None:
    bad = [b"gun_15m nothing\n", b"\xff\xff\n", b"other,station=S x=1 1\n", GOOD.replace(b"3i", b"nan")]
    forge(copy, [*bad, GOOD])
    loaded = place.load(copy)
    assert (loaded.points, loaded.refused) == (1, 4)
    assert place.rejects.path.read_text().count("not_the_contract") == 4


@pytest.mark.parametrize("told", [1, 3])
def test_more_or_fewer_lines_than_told_stop_it(told: int, copy: Path, place: Place) -> None:
    forge(copy, [GOOD, GOOD], told=told)
    with pytest.raises(BadHistory, match="tells of"):
        place.load(copy)


def test_an_endless_line_stops_it(copy: Path, place: Place) -> None:
    forge(copy, [b"g" * 50_000_000])
    with pytest.raises(BadHistory, match="no end of line"):
        place.load(copy)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "gun",
        'gun,station=S,pile=P,gun=1 state="idle"',
        'gun,station=S,pile=P state="idle" 1',
        'gun,pile=P,station=S,gun=1 state="idle" 1',
        'gun,station=,pile=P,gun=1 state="idle" 1',
        'gun,station=S,pile=P,gun=1 state="idle",state="x" 1',
        'gun,station=S,pile=P,gun=1 state="id"le" 1',
        "gun,station=S,pile=P,gun=1 state=idle 1",
        "gun,station=S,pile=P,gun=1 power_kw=inf 1",
        "gun,station=S,pile=P,gun=1 power_kw=1i 1",
        "gun,station=S,pile=P,gun=1 elapsed_min=1 1",
        "gun,station=S,pile=P,gun=1 power_kw=1 -1",
        "gun,station=S,pile=P,gun=1 power_kw=1 99999999999999",
        "gun,station=S,pile=P,gun=1 power_kw=1 ²",
        "gun,station=S,pile=P,gun=1  1",
        "gun,station=S\\ x,pile=P,gun=1 power_kw=1 1",
    ],
)
def test_a_malformed_line_is_no_point(line: str) -> None:
    with pytest.raises(Unreadable):
        LineReader().point(line)


def test_lines_are_read_as_the_store_spells_them(past: Path) -> None:
    reader = LineReader()
    for told in read_manifest(past).points:
        for text in lines_of(check_file(past, told), told):
            point: Point = reader.point(text.decode())
            assert spell(point).encode() == text


def test_a_bucket_beside_another() -> None:
    assert beside("sqlite:////var/t.db", "rollup_1m") == "sqlite:////var/t.db"
    two = "influxdb+http://db:8086/?bucket=evcs/raw&org=o"
    assert beside(two, "rollup_1m") == "influxdb+http://db:8086/?bucket=evcs/rollup_1m&org=o"
    one = "influxdb1+http://u@db:8086/evcs/raw?retention=90d"
    assert beside(one, "rollup_15m") == "influxdb1+http://u@db:8086/evcs/rollup_15m"


def test_the_command_tells_what_it_did(
    past: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EVCS_STORE_URL", URL.format(tmp_path))
    monkeypatch.setenv("EVCS_VAR", str(tmp_path))
    assert main([str(past)]) == 0
    assert f"{len(points(past))} points of" in capsys.readouterr().err
    assert main([str(past)]) == 0
    assert "0 points of 0 files stored" in capsys.readouterr().err
    assert main([str(tmp_path / "nowhere")]) == 1
    assert "is missing" in capsys.readouterr().err


def test_an_influxdb_has_roll_ups_in_buckets_of_their_own(past: Path, influxdb: InfluxDb, tmp_path: Path) -> None:
    place = Place(tmp_path, influxdb.url("past"))
    place.load(past)
    place.load(past, again=True)
    tables = {
        ("raw", "gun", "receipt_n"),
        ("rollup_1m", "gun_1m", "points"),
        ("rollup_15m", "gun_15m", "points"),
        ("rollup_15m", "transformer_15m", "points"),
    }
    for bucket, name, field in tables:
        series = influxdb.query(f'SELECT count("{field}") FROM "past"."{bucket}"."{name}"', "past")
        expected = sum(point.measurement.name == name for point in points(past))
        assert series[0]["values"][0][1] == expected, name  # type: ignore[index]
    place.stores.close()
