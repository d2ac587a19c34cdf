"""Messages of the topic table as lines of JSON, for the replay: the same contract types as on the broker."""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from evcs.contracts.envelope import ContractError
from evcs.contracts.times import Instant
from evcs.contracts.topics import TABLE, Address, Topic
from rules.errors import RulesError
from rules.messages import Action, Began, Clear, Heard, Message, PictureComplete, Publish


class LineError(RulesError):
    """A line of a replay that is no message."""


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of the input: a message of the table, or `began` / `picture`."""

    at: Instant
    topic: str = ""
    payload: msgspec.Raw = msgspec.Raw(b"")
    event: str = ""
    since_ms: Annotated[int, msgspec.Meta(ge=0)] = 0


class OutLine(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A line of the output: what is published, or cleared where there is no payload."""

    at: Instant
    topic: str
    retained: bool = False
    payload: msgspec.Raw | None = None


_decode = msgspec.json.Decoder(Line).decode
_encode = msgspec.json.Encoder().encode


_BY_LAST: dict[str, list[Topic[Any]]] = {}
for _row in TABLE:
    _BY_LAST.setdefault(_row.pattern.rpartition("/")[2], []).append(_row)
_OPEN_ENDED = [row for last, rows in _BY_LAST.items() if last.startswith("{") for row in rows]


def find(topic: str) -> tuple[Topic[Any], Address] | None:
    """The row of the table to which a topic's string belongs."""
    for row in (*_BY_LAST.get(topic.rpartition("/")[2], ()), *_OPEN_ENDED):
        address = row.parse(topic)
        if address is not None:
            return row, address
    return None


def read_line(raw: bytes) -> tuple[datetime, Message]:
    """The time and the message of an input line; raises LineError."""
    try:
        line = _decode(raw)
    except msgspec.DecodeError as error:
        raise LineError(f"not a line of a replay: {error}") from error
    if line.event == "began":
        return line.at, Began(line.since_ms)
    if line.event == "picture":
        return line.at, PictureComplete()
    found = find(line.topic)
    if found is None:
        raise LineError(f"no topic of the table: {line.topic!r}")
    topic, address = found
    try:
        return line.at, Heard(topic, address, topic.decode(bytes(line.payload)))
    except ContractError as error:
        raise LineError(f"{line.topic}: {error}") from error


def write_line(at: datetime, action: Action) -> bytes:
    """An action as an output line."""
    if isinstance(action, Clear):
        return _encode(OutLine(at=at, topic=action.name, retained=True))
    payload = msgspec.Raw(action.topic.encode(action.payload))
    return _encode(OutLine(at=at, topic=action.name, retained=action.topic.retained, payload=payload))


def write_message(at: datetime, message: Message) -> bytes:
    """A message as a line that `read_line` reads; for ticks and a lost picture there is none: LineError."""
    match message:
        case Heard(topic, address, payload):
            name = topic.at(**{level: getattr(address, level) for level in topic.levels})
            return _encode(Line(at=at, topic=name, payload=msgspec.Raw(topic.encode(payload))))
        case Began(since_ms):
            return _encode(Line(at=at, event="began", since_ms=since_ms))
        case PictureComplete():
            return _encode(Line(at=at, event="picture"))
        case _:
            raise LineError(f"{type(message).__name__} is no line of a replay")


def write_published(at: datetime, action: Publish) -> bytes:
    """What the rules published, as a line that `read_line` reads."""
    return _encode(Line(at=at, topic=action.name, payload=msgspec.Raw(action.topic.encode(action.payload))))
