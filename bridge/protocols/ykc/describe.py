"""A whole frame for people, Chinese and English, as the live trace of a pile shows it; passwords stay out of it."""

import re
from datetime import datetime

from bridge.dialect import Described
from bridge.protocols.base import FrameError, Splitter
from bridge.protocols.fields import Offset, Scaled
from bridge.protocols.layout import Place
from bridge.protocols.ykc.meaning import meaning
from bridge.protocols.ykc.messages import YkcMessage
from bridge.protocols.ykc.plain import plain
from bridge.protocols.ykc.protocol import decode
from bridge.protocols.ykc.secrets import is_secret
from evcs.contracts.pile import FrameField

HIDDEN = "••••"


def describe(raw: bytes, splitter: Splitter) -> Described:
    """`splitter`: a fresh one, with the cipher that the frame may be written in. Never raises."""
    frames = splitter.feed(raw)
    if not frames:
        return Described(f"0x{raw[5]:02X}" if len(raw) > 5 else "", problem="not a frame that can be read")
    frame_type = f"0x{frames[0].code:02X}"
    try:
        message = decode(frames[0])
    except FrameError as error:
        return Described(frame_type, problem=str(error))
    if not isinstance(message, YkcMessage):
        return Described(frame_type, "未知类型", "unknown type")
    fields = tuple(_field(message, place) for place in message.plan.places)
    extra = (FrameField(name="extra", zh="表外字节", value=message.extra.hex()),) if message.extra else ()
    return Described(frame_type, message.title, _english(type(message)), fields + extra)


def _english(message: type[YkcMessage]) -> str:
    """RemoteStartAnswer → remote start answer."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", message.__name__).lower()


def _field(message: YkcMessage, place: Place) -> FrameField:
    return FrameField(name=place.name, zh=place.named.zh, value=_value(message, place))


def _value(message: YkcMessage, place: Place) -> str:
    if is_secret(type(message), place.name):
        return HIDDEN
    value = getattr(message, place.name)
    codec = place.codec
    unit = place.named.unit or (codec.unit if isinstance(codec, Scaled | Offset) else "")
    if isinstance(value, datetime):
        text = f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03d}"
    elif isinstance(value, tuple):
        text = f"{len(value)} ×"
    else:
        text = f"{plain(value)} {unit}".rstrip()
    words = meaning(message, place)
    if not words.zh:
        return text
    return f"{text}（{words.zh}）" if words.zh == words.en else f"{text}（{words.zh} {words.en}）"
