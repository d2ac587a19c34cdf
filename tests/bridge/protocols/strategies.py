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
from bridge.protocols.ykc.messages import REGISTRY, YkcMessage


def values_of(codec: Codec) -> st.SearchStrategy[Any]:
    """Values that have a place in a field."""
    match codec:
        case Uint(size):
            return st.integers(0, (1 << 8 * size) - 1)
        case Offset(size, offset):
            return st.integers(offset, (1 << 8 * size) - 1 + offset)
        case Scaled(size, step):
            return st.integers(0, (1 << 8 * size) - 1).map(lambda raw: raw * Decimal(step))
        case Bcd(size) | Raw(size):
            return st.binary(min_size=size, max_size=size).map(bytes.hex)
        case Ascii(size):
            return st.binary(max_size=size).map(lambda raw: raw.rstrip(b"\0").decode("latin-1"))
        case Repeat(size):
            return st.lists(st.integers(0, 255), min_size=size, max_size=size).map(tuple)
        case Enum8():
            return st.integers(0, 255).map(codec.decode)
        case Cp56Time2a():
            return st.datetimes(datetime(2000, 1, 1), datetime(2127, 12, 31)).map(  # noqa: DTZ001
                lambda time: time.replace(microsecond=time.microsecond // 1000 * 1000, tzinfo=PILE_TIME)
            )
    raise AssertionError(f"no strategy for {codec}")


def messages_of(kind: type[YkcMessage]) -> st.SearchStrategy[YkcMessage]:
    """Messages of one type, with bytes behind the table now and then."""
    fields = {place.name: values_of(place.codec) for place in kind.plan.places}
    return st.builds(kind, **fields, extra=st.binary(max_size=15))


MESSAGES = st.one_of([messages_of(kind) for kind in REGISTRY])
