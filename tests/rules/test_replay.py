"""The replay: JSON lines of contract messages in, the engine's own publications out, deadlines between the lines."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from rules.codec import LineError, read_line, write_line
from rules.engine import Engine
from rules.messages import Began, Heard, Message, PictureComplete, Tick
from rules.replay import replay
from tests.rules.town import SINCE_MS, Town, after

ROOT = Path(__file__).parents[2]


def line(at_s: float, message: Message) -> bytes:
    """A message as a line of a replay's input."""
    at = after(at_s).isoformat()
    match message:
        case Heard(topic, address, payload):
            levels = {name: getattr(address, name) for name in address.__slots__ if getattr(address, name)}
            levels.pop("shard", None)
            raw = msgspec.Raw(topic.encode(payload))
            return msgspec.json.encode({"at": at, "topic": topic.at(**levels), "payload": raw})
        case Began(since_ms):
            return msgspec.json.encode({"at": at, "event": "began", "since_ms": since_ms})
        case _:
            return msgspec.json.encode({"at": at, "event": "picture"})


def day() -> list[bytes]:
    """A start that never becomes a charge; the last line is there for the time that passes."""
    town = Town([{"pile": "p1", "guns": [100.0]}])
    heard: list[Message] = [Began(SINCE_MS), *town.picture(after(0)), PictureComplete(), town.answer()]
    lines = [line(0, message) for message in heard]
    return [*lines, line(1, town.request("p1", 1, after(1), id="a")), line(150, town.pile("p1"))]


def test_the_process_does_what_the_engine_does() -> None:
    lines = day()
    run = subprocess.run(
        [sys.executable, "-m", "rules.replay"], input=b"\n".join(lines), capture_output=True, cwd=ROOT, check=True
    )
    told = [write_line(at, action) for at, action in replay(map(read_line, lines), Engine())]
    assert run.stdout.splitlines() == told
    leaves = [(json.loads(raw)["topic"].rpartition("/")[2], json.loads(raw)["at"][14:19]) for raw in told]
    seen = [one for one in leaves if one[0] != "policy"]
    assert seen[:4] == [("session", "00:00"), ("session", "00:01"), ("verdict", "00:01"), ("start", "00:01")]
    # Repeated at 6, 11 and 16 s, given up at 121 s, though no line says anything about it.
    assert seen[4:] == [("start", "00:06"), ("start", "00:11"), ("start", "00:16"), ("session", "02:01")]


@pytest.mark.parametrize(
    "bad",
    [
        b"nonsense",
        b'{"at":"2026-03-02T04:00:00Z","topic":"evcs/v1/nothing","payload":{}}',
        b'{"at":"2026-03-02T04:00:00","event":"began"}',
        b'{"at":"2026-03-02T04:00:00Z","topic":"evcs/v1/bridge/b1/status","payload":{"bridge":"b1"}}',
    ],
)
def test_a_line_that_is_no_message_is_named(bad: bytes) -> None:
    with pytest.raises(LineError):
        read_line(bad)
    run = subprocess.run([sys.executable, "-m", "rules.replay"], input=bad, capture_output=True, cwd=ROOT, check=False)
    assert run.returncode == 2
    assert run.stderr.startswith(b"line 1: ")


def test_the_same_messages_make_the_same_decisions() -> None:
    first = [write_line(at, action) for at, action in replay(map(read_line, day()), Engine())]
    second = [write_line(at, action) for at, action in replay(map(read_line, day()), Engine())]
    assert first == second
    assert Engine().step(Tick(), after(0)) == []
