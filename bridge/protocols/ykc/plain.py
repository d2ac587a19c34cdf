"""Messages ⇄ plain values as JSON has them, by the field names of the protocol reference: for people and their scripts.

Scaled values are exact numbers, times local pile time without a zone, bytes hex text.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any

from bridge.protocols.base import FrameError
from bridge.protocols.fields import PILE_TIME, Codec, Cp56Time2a, Repeat
from bridge.protocols.tails import Groups, Tail
from bridge.protocols.ykc.messages import REGISTRY, CellMax, YkcMessage
from bridge.protocols.ykc.messages.bms import PackedCell


def plain(value: object) -> object:
    """One value of a message → what stands in JSON; decimals stay decimals, since only they are exact."""
    match value:
        case IntEnum():
            return int(value)
        case datetime():
            return value.astimezone(PILE_TIME).replace(tzinfo=None).isoformat(timespec="milliseconds")
        case bytes():
            return value.hex()
        case tuple():
            return list(value)
        case CellMax(cell_v, group):
            return {"cell_v": cell_v, "group": group}
        case _:
            return value


def plain_fields(message: YkcMessage) -> dict[str, object]:
    """A message → its fields, in the order of the wire."""
    return {place.name: plain(getattr(message, place.name)) for place in message.plan.places}


def message_of(code: int, fields: Mapping[str, Any], extra: bytes = b"") -> YkcMessage:
    """Fields → message; FrameError names what is missing, unknown or of the wrong kind.

    Where a type has two layouts, the one whose fields these are is taken.
    """
    kinds = [kind for kind in REGISTRY if kind.code == code]
    if not kinds:
        raise FrameError(f"0x{code:02X} is no declared type: give its body in hex instead of fields")
    kind = max(kinds, key=lambda kind: len(fields.keys() & set(_names(kind))))
    unknown = sorted(fields.keys() - set(_names(kind)))
    if unknown:
        raise FrameError(f"{kind.__name__} has no field {', '.join(unknown)}")
    values = {
        place.name: _typed(kind, place.name, place.codec, fields[place.name])
        for place in kind.plan.places
        if place.name in fields
    }
    # A dataclass keeps a field's default as an attribute of the class.
    missing = [name for name in _names(kind) if name not in values and not hasattr(kind, name)]
    if missing:
        raise FrameError(f"{kind.__name__} lacks {', '.join(missing)}")
    return kind(**values, extra=extra)


def _names(kind: type[YkcMessage]) -> list[str]:
    return [place.name for place in kind.plan.places]


def _typed(kind: type[YkcMessage], name: str, codec: Codec | Tail, value: Any) -> Any:
    """A JSON value as its codec takes it; what does not fit the codec goes through and is refused by it."""
    if isinstance(value, bool):
        raise FrameError(f"{kind.__name__}.{name}: {value!r} is no number")
    match codec, value:
        case Cp56Time2a(), str():
            return _time(kind, name, value)
        case PackedCell(), {"cell_v": Decimal() | int() as volts, "group": int() as group}:
            return CellMax(Decimal(volts), group)
        case ((Repeat() | Groups()), list()):
            return tuple(value)
    return value


def _time(kind: type[YkcMessage], name: str, text: str) -> datetime | bytes:
    try:
        if len(text) == 14 and "-" not in text:
            return bytes.fromhex(text)  # seven bytes that are no date
        time = datetime.fromisoformat(text)
    except ValueError:
        raise FrameError(f"{kind.__name__}.{name}: {text!r} is no time such as 2026-01-31T08:00:00.000") from None
    return time if time.tzinfo is not None else time.replace(tzinfo=PILE_TIME)
