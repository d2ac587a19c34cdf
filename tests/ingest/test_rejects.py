"""The file of messages set aside."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from ingest.errors import RejectReason
from ingest.rejects import PAYLOAD_BYTES, Reject, RejectFile, reject
from tests.ingest.messages import T0


def some(n: int) -> Reject:
    return reject(T0 + timedelta(seconds=n), RejectReason.NOT_THE_CONTRACT, "no JSON", "a/topic", b"x%d" % n)


def numbers(path: Path) -> list[int]:
    return [int(bytes.fromhex(json.loads(line)["payload_hex"])[1:]) for line in path.read_text().splitlines()]


def test_a_line_says_what_it_was_and_why(tmp_path: Path) -> None:
    file = RejectFile(tmp_path / "rejects")
    file.append([some(1)])
    file.append([some(2)])
    assert numbers(file.path) == [1, 2]
    assert json.loads(file.path.read_text().splitlines()[0]) == {
        "at": "2026-05-01T08:00:01Z",
        "reason": "not_the_contract",
        "detail": "no JSON",
        "topic": "a/topic",
        "payload_bytes": 2,
        "payload_hex": b"x1".hex(),
    }


def test_a_large_payload_is_cut_and_its_length_told() -> None:
    kept = reject(T0, RejectReason.NOT_THE_CONTRACT, "d" * 9_999, "t" * 9_999, b"\x7f" * 100_000)
    assert (kept.payload_bytes, len(kept.payload_hex)) == (100_000, 2 * PAYLOAD_BYTES)
    assert len(kept.detail) + len(kept.topic) < 1_000


def test_files_are_bounded_and_the_newest_are_kept(tmp_path: Path) -> None:
    file = RejectFile(tmp_path, file_bytes=1_000, files=3)
    for n in range(60):
        file.append([some(n)])
    files = sorted(tmp_path.iterdir())
    assert [each.name for each in files] == ["rejects.1.jsonl", "rejects.2.jsonl", "rejects.jsonl"]
    assert all(each.stat().st_size <= 1_000 for each in files)
    kept = [n for each in (files[1], files[0], files[2]) for n in numbers(each)]
    assert kept == list(range(kept[0], 60))


def test_a_line_cut_off_by_a_kill_does_not_spoil_the_next(tmp_path: Path) -> None:
    file = RejectFile(tmp_path)
    file.append([some(1)])
    with file.path.open("ab") as torso:
        torso.write(b'{"at":"2026-')
    file.append([some(2)])
    whole, cut, after = file.path.read_text().splitlines()
    assert json.loads(whole)["payload_hex"] == b"x1".hex()
    assert json.loads(after)["payload_hex"] == b"x2".hex()
    with pytest.raises(json.JSONDecodeError):
        json.loads(cut)


def test_a_place_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "rejects").write_text("a file where the folder should be")
    with pytest.raises(OSError, match="rejects"):
        RejectFile(tmp_path / "rejects").append([some(1)])
