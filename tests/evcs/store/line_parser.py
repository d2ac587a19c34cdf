"""A reader of line protocol, written from InfluxDB's grammar alone: the second opinion on `lines.py`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Parsed:
    measurement: str
    tags: tuple[tuple[str, str], ...]
    fields: tuple[tuple[str, float | int | str], ...]
    at_ms: int


def parse(text: str) -> Parsed:
    """One line; raises AssertionError where it is none."""
    rest = text
    measurement, stop, rest = _until(rest, ", ", ", ")
    tags = []
    while stop == ",":
        key, stop, rest = _until(rest, "=", ",= ")
        assert stop == "="
        value, stop, rest = _until(rest, ", ", ",= ")
        assert key
        assert value
        tags.append((key, value))
    fields: list[tuple[str, float | int | str]] = []
    stop = ","
    while stop == ",":
        key, stop, rest = _until(rest, "=", ",= ")
        assert key
        assert stop == "="
        if rest.startswith('"'):
            found, rest = _quoted(rest[1:])
            fields.append((key, found))
            stop, rest = rest[0], rest[1:]
        else:
            number, stop, rest = _until(rest, ", ", "")
            fields.append((key, int(number[:-1]) if number.endswith("i") else float(number)))
    assert stop == " "
    return Parsed(measurement, tuple(tags), tuple(fields), int(rest))


def _until(text: str, stops: str, escapable: str) -> tuple[str, str, str]:
    found = []
    i = 0
    while text[i] not in stops:
        if text[i] == "\\" and text[i + 1] in escapable:
            i += 1
        found.append(text[i])
        i += 1
    return "".join(found), text[i], text[i + 1 :]


def _quoted(text: str) -> tuple[str, str]:
    found = []
    i = 0
    while text[i] != '"':
        if text[i] == "\\" and text[i + 1] in '"\\':
            i += 1
        found.append(text[i])
        i += 1
    return "".join(found), text[i + 1 :]
