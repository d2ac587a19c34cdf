"""Which bytes of a frame are secrets: they are zeros in every hex that is shown, logged or kept."""

from bridge.protocols.fields import Codec
from bridge.protocols.ykc import messages as ykc

HEADER = 6
"""Bytes before the body (YKC V1.6 §2)."""

_SECRETS: dict[type[ykc.YkcMessage], tuple[str, ...]] = {
    ykc.StartRequest: ("password_md5",),
    ykc.ParallelStartRequest: ("password_md5",),
    ykc.Update: ("user", "password"),
}


def _spans(message: type[ykc.YkcMessage], names: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    spans = []
    for place in message.plan.places:
        if place.name in names:
            if not isinstance(place.codec, Codec):
                raise TypeError(f"{message.__name__}.{place.name} has no fixed place")
            spans.append((HEADER + place.offset, HEADER + place.offset + place.codec.size))
    if len(spans) != len(names):
        raise TypeError(f"{message.__name__} has not all of {', '.join(names)}")
    return tuple(spans)


SPANS = {message.code: _spans(message, names) for message, names in _SECRETS.items()}
"""Frame type → first byte of each secret and the byte behind it."""


def is_secret(message: type[ykc.YkcMessage], field: str) -> bool:
    """Whether the value of a field is shown to nobody."""
    return field in _SECRETS.get(message, ())


def redacted(raw: bytes) -> bytes:
    """The frame with zeros for its secrets. Whatever is no whole frame comes back as far as it goes."""
    spans = SPANS.get(raw[5]) if len(raw) > HEADER else None
    if spans is None:
        return raw
    shown = bytearray(raw)
    for start, end in spans:
        shown[start:end] = bytes(len(shown[start:end]))
    return bytes(shown)
