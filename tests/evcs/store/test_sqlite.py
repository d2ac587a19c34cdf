"""The embedded store's own troubles: other processes, locks, files that vanish or are not a database."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from evcs.store.interface import StoreUnavailable
from evcs.store.open import StoreAddressError, open_reader, open_store
from evcs.store.sqlite import SqliteStore
from tests.evcs.store.points import GUN_1, T0, at, point


def count(path: Path) -> int:
    reader = SqliteStore(path, writable=False)
    try:
        return len(reader.curve(GUN_1, T0, at(1_000_000), ["power_kw"]).points)
    finally:
        reader.close()


def test_a_reader_sees_what_a_living_writer_has_committed_and_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    writer, reader = SqliteStore(path, writable=True), SqliteStore(path, writable=False)
    for n in range(3):
        writer.write([point(GUN_1, at(n), power_kw=1.0)])
        assert len(reader.curve(GUN_1, T0, at(60), ["power_kw"]).points) == n + 1
    with pytest.raises(StoreUnavailable):
        reader.write([point(GUN_1, at(9), power_kw=1.0)])
    writer.close()
    assert len(reader.curve(GUN_1, T0, at(60), ["power_kw"]).points) == 3
    reader.close()
    assert count(path) == 3  # also with nobody else there to have made the shared memory file


def test_reading_in_many_threads_while_writing(tmp_path: Path) -> None:
    writer = SqliteStore(tmp_path / "telemetry.db", writable=True)
    reader = SqliteStore(tmp_path / "telemetry.db", writable=False)
    writer.write([point(GUN_1, at(0), power_kw=0.0)])
    failures: list[BaseException] = []
    written = threading.Event()

    def look() -> None:
        try:
            seen = 0
            while not written.is_set():
                now = len(reader.curve(GUN_1, T0, at(1_000_000), ["power_kw"]).points)
                assert now >= seen
                assert now % 100 == 1  # a batch is there whole or not at all
                seen = now
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for batch in range(20):
        writer.write([point(GUN_1, at(1 + batch * 100 + n), power_kw=1.0) for n in range(100)])
    written.set()
    for thread in threads:
        thread.join()
    assert failures == []
    reader.close()
    writer.close()


def test_a_store_that_is_not_there_yet_says_so(tmp_path: Path) -> None:
    reader = open_reader(f"sqlite:///{tmp_path}/telemetry.db")
    with pytest.raises(StoreUnavailable, match="does not exist yet"):
        reader.latest([GUN_1])
    assert list(tmp_path.iterdir()) == []
    writer = open_store(f"sqlite:///{tmp_path}/telemetry.db")
    writer.write([])  # what ingest does at its start
    assert reader.latest([GUN_1]) == {}
    writer.close()
    reader.close()


def test_a_lock_held_by_somebody_is_unavailable_and_passes(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    store = SqliteStore(path, writable=True, busy_s=0.05)
    store.write([point(GUN_1, at(0), power_kw=1.0)])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        store.write([point(GUN_1, at(1), power_kw=1.0)])
    other.execute("ROLLBACK")
    other.close()
    store.write([point(GUN_1, at(1), power_kw=1.0)])
    store.close()
    assert count(path) == 2


def test_a_file_that_is_no_database_is_unavailable_until_somebody_mends_it(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    path.write_bytes(b"no database " * 1000)
    store = SqliteStore(path, writable=True)
    with pytest.raises(StoreUnavailable, match="not a database"):
        store.write([point(GUN_1, at(0), power_kw=1.0)])
    path.unlink()
    store.write([point(GUN_1, at(0), power_kw=1.0)])
    store.close()
    assert count(path) == 1


def test_a_file_moved_away_is_noticed_by_writer_and_reader(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    writer, reader = SqliteStore(path, writable=True), SqliteStore(path, writable=False)
    writer.write([point(GUN_1, at(0), power_kw=1.0)])
    assert set(reader.latest([GUN_1])) == {GUN_1}
    for file in tmp_path.iterdir():
        file.rename(file.with_name("old-" + file.name))
    writer.write([point(GUN_1, at(1), power_kw=1.0)])
    assert reader.latest([GUN_1])[GUN_1].at == at(1)
    assert count(path) == 1
    writer.close()
    reader.close()


def test_a_field_added_to_the_contract_gets_its_column(tmp_path: Path) -> None:
    path = tmp_path / "telemetry.db"
    older = SqliteStore(path, writable=True)
    older.write([point(GUN_1, at(0), power_kw=1.0)])
    older.close()
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE gun DROP COLUMN remaining_min")
    connection.close()
    newer = SqliteStore(path, writable=True)
    newer.write([point(GUN_1, at(1), remaining_min=7)])
    curve = newer.curve(GUN_1, T0, at(60), ["power_kw", "remaining_min"])
    assert [found.values for found in curve.points] == [(1.0, None), (None, 7)]
    newer.close()


def test_sigkill_leaves_whole_batches_only(tmp_path: Path) -> None:
    """A process that writes batches of 100 and says each after it is written is killed in the middle of one."""
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from evcs.store.sqlite import SqliteStore\n"
        "from tests.evcs.store.points import GUN_1, at, point\n"
        "store = SqliteStore(Path(sys.argv[1]), writable=True)\n"
        "n = 0\n"
        "while True:\n"
        "    store.write([point(GUN_1, at(n + i), power_kw=1.0) for i in range(100)])\n"
        "    n += 100\n"
        "    print(n, flush=True)\n"
    )
    path = tmp_path / "telemetry.db"
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True, cwd=root
    ) as writer:
        assert writer.stdout is not None
        for told in writer.stdout:
            if int(told) >= 1000:
                os.kill(writer.pid, signal.SIGKILL)
                break
        said = max([int(told), *(int(line) for line in writer.stdout)])
    found = count(path)
    assert found % 100 == 0
    assert said <= found <= said + 100


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql://h/db", "scheme 'postgresql'"),
        ("sqlite://telemetry.db", "three slashes"),
        ("sqlite:///", "three slashes"),
        ("telemetry.db", "scheme ''"),
    ],
)
def test_an_address_that_names_no_store(url: str, why: str) -> None:
    with pytest.raises(StoreAddressError, match=why):
        open_store(url)


def test_three_and_four_slashes_name_the_same_file(tmp_path: Path) -> None:
    for slashes in ("sqlite:///", "sqlite:////"):
        store = open_store(slashes + str(tmp_path / "a b.db").lstrip("/").replace(" ", "%20"))
        store.write([])
        store.close()
    assert "a b.db" in [file.name for file in tmp_path.iterdir()]
