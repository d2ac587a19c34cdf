"""Which bytes of a frame are passwords: they are zeros in every hex that is shown, logged or kept."""

from bridge.protocols.fields import Codec
from bridge.protocols.ykc import messages as ykc

HEADER = 6
"""Bytes before the body (YKC V1.6 §2)."""

_PASSWORDS: tuple[tuple[type[ykc.YkcMessage], str], ...] = (
    (ykc.StartRequest, "password_md5"),
    (ykc.ParallelStartRequest, "password_md5"),
    (ykc.Update, "password"),
)


def _span(message: type[ykc.YkcMessage], name: str) -> tuple[int, int]:
    place = next(place for place in message.plan.places if place.name == name)
    if not isinstance(place.codec, Codec):
        raise TypeError(f"{message.__name__}.{name} has no fixed place")
    return HEADER + place.offset, HEADER + place.offset + place.codec.size


SPANS = {message.code: _span(message, name) for message, name in _PASSWORDS}
"""Frame type → first byte of its password and the byte behind it."""


def redacted(raw: bytes) -> bytes:
    """The frame with zeros for its password. Whatever is no whole frame comes back as far as it goes."""
    span = SPANS.get(raw[5]) if len(raw) > HEADER else None
    if span is None:
        return raw
    start, end = span
    return (raw[:start] + bytes(end - start) + raw[end:])[: len(raw)]
