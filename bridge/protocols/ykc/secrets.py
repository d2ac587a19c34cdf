"""Which bytes of a frame are secrets, zeros in every hex; and which name a card, zeros in what is logged."""

from collections.abc import Collection

from bridge.protocols.fields import Codec
from bridge.protocols.ykc import messages as ykc

HEADER = 6
"""Bytes before the body (YKC V1.6 §2)."""
CRC = 2
"""Bytes behind it."""

_SECRETS: dict[type[ykc.YkcMessage], tuple[str, ...]] = {
    ykc.StartRequest: ("password_md5",),
    ykc.ParallelStartRequest: ("password_md5",),
    ykc.Update: ("user", "password"),
}

_CARDS = frozenset({"account_or_card", "logical_card", "physical_card", "cards"})
"""Fields that name a card, in whatever message they stand. Published records keep them: bills are explained by them."""


Spans = tuple[tuple[int, int | None], ...]
"""First byte of each and the byte behind it; None: all that the frame still has before its CRC."""


def _spans(message: type[ykc.YkcMessage], names: Collection[str]) -> Spans:
    spans: list[tuple[int, int | None]] = []
    for place in message.plan.places:
        if place.name in names:
            start = HEADER + place.offset
            spans.append((start, start + place.codec.size if isinstance(place.codec, Codec) else None))
    return tuple(spans)


def _secret_spans(message: type[ykc.YkcMessage], names: tuple[str, ...]) -> Spans:
    spans = _spans(message, names)
    if len(spans) != len(names):
        raise TypeError(f"{message.__name__} has not all of {', '.join(names)}")
    return spans


SPANS = {message.code: _secret_spans(message, names) for message, names in _SECRETS.items()}
"""Frame type → where its secrets stand."""


def is_secret(message: type[ykc.YkcMessage], field: str) -> bool:
    """Whether the value of a field is shown to nobody."""
    return field in _SECRETS.get(message, ())


def redacted(raw: bytes) -> bytes:
    """The frame with zeros for its secrets. Whatever is no whole frame comes back as far as it goes."""
    return _blank(raw, SPANS.get(raw[5], ()) if len(raw) > HEADER else ())


def for_log(raw: bytes) -> bytes:
    """The frame with zeros for its secrets and for every number of a card, as a log may hold it."""
    if len(raw) <= HEADER:
        return raw
    message = ykc.REGISTRY.find(raw[5], len(raw) - HEADER - CRC)
    return redacted(raw) if message is None else _blank(redacted(raw), _spans(message, _CARDS))


def _blank(raw: bytes, spans: Spans) -> bytes:
    if not spans:
        return raw
    shown = bytearray(raw)
    for start, end in spans:
        stop = len(shown) - CRC if end is None else end
        shown[start:stop] = bytes(len(shown[start:stop]))
    return bytes(shown)
