"""Hypothesis strategies for every declared message, made from its own declaration."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from bridge.protocols.fields import (
    PILE_TIME,
    Ascii,
    Bcd,
    Codec,
    Cp56Time2a,
    Enum8,
    Offset,
    Raw,
    Repeat,
    Scaled,
    Uint,
)
from bridge.protocols.tails import Tail
from bridge.protocols.ykc.messages import REGISTRY, YkcMessage
from bridge.protocols.ykc.messages.bms import PackedCell


def values_of(codec: Codec) -> st.SearchStrategy[Any]:
    """Values that have a place in a field."""
    match codec:
        case Uint(size):
            return st.integers(0, (1 << 8 * size) - 1)
        case Offset(offset):
            return st.integers(offset, 255 + offset)
        case Scaled(size, step):
            return st.integers(0, (1 << 8 * size) - 1).map(lambda raw: raw * Decimal(step) + Decimal(codec.offset))
        case Bcd(size) | Raw(size):
            return st.binary(min_size=size, max_size=size).map(bytes.hex)
        case Ascii(size):
            return st.binary(max_size=size).map(lambda raw: raw.strip(b"\0").decode("latin-1"))
        case Repeat(size):
            return st.lists(st.integers(0, 255), min_size=size, max_size=size).map(tuple)
        case Enum8():
            return st.integers(0, 255).map(codec.reader())
        case PackedCell():
            return st.integers(0, 0xFFFF).map(codec.reader())
        case Cp56Time2a():
            times = st.datetimes(datetime(2000, 1, 1), datetime(2127, 12, 31)).map(  # noqa: DTZ001
                lambda time: time.replace(microsecond=time.microsecond // 1000 * 1000, tzinfo=PILE_TIME)
            )
            return times | st.sampled_from((bytes(7), b"\xff" * 7))
    raise AssertionError(f"no strategy for {codec}")


def _filled(kind: type[YkcMessage], values: dict[str, Any], rest: bytes, extra: bytes) -> YkcMessage:
    """A message with its tail, whose count says how long it is; an uncounted one leaves no whole group behind it."""
    tail = kind.plan.tail
    if tail is None:
        return kind(**values, extra=extra)
    codec = tail.codec
    assert isinstance(codec, Tail)
    size = len(rest) - len(rest) % codec.unit
    if codec.count:
        values = {**values, codec.count: size // codec.unit}
    else:
        extra = extra[: codec.unit - 1]
    return kind(**values, **{tail.name: codec.read_rest(rest[:size])}, extra=extra)


def messages_of(kind: type[YkcMessage]) -> st.SearchStrategy[YkcMessage]:
    """Messages of one type, with bytes behind the table now and then."""
    fields = {place.name: values_of(place.codec) for place in kind.plan.places if isinstance(place.codec, Codec)}
    return st.builds(
        _filled, st.just(kind), st.fixed_dictionaries(fields), st.binary(max_size=160), st.binary(max_size=15)
    )


MESSAGES = st.one_of([messages_of(kind) for kind in REGISTRY])
