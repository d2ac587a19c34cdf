"""YKC as the bridge holds it: cut, decode, encode and power control in one object."""

from bridge.protocols.base import CrcOrder, Frame, FrameError, UnknownFrame
from bridge.protocols.ykc.cipher import BodyCipher
from bridge.protocols.ykc.framing import YkcSplitter, pack
from bridge.protocols.ykc.messages import REGISTRY, YkcMessage
from bridge.protocols.ykc.power import POWER_CONTROL
from evcs.contracts.power import PowerControl


def decode(frame: Frame) -> YkcMessage | UnknownFrame:
    """Frame → message, or UnknownFrame for a type that we do not know; FrameError when its body is too short."""
    message = REGISTRY.find(frame.code, len(frame.body))
    return UnknownFrame(frame.code, frame.body) if message is None else message.decode(frame.body)


class Ykc:
    """The protocol with what varies between installations: a body cipher and the CRC order to answer in."""

    name: str = "ykc"
    power_control: PowerControl = POWER_CONTROL

    def __init__(self, cipher: BodyCipher | None = None, crc_order: CrcOrder = CrcOrder.LOW_FIRST) -> None:
        self._cipher = cipher
        self._crc_order = crc_order

    def splitter(self) -> YkcSplitter:
        """A fresh splitter for a new connection."""
        return YkcSplitter(self._cipher)

    def decode(self, frame: Frame) -> YkcMessage | UnknownFrame:
        """Frame → message or UnknownFrame; FrameError when its body is shorter than its table."""
        return decode(frame)

    def encode(self, message: object, seq: bytes | int, crc_order: CrcOrder | None = None) -> bytes:
        """Message → bytes. `seq`: the two raw bytes of the request that it answers, or a number of one's own.

        `crc_order`: that of this one peer; None: the installation's.
        """
        if not isinstance(message, YkcMessage):
            raise FrameError(f"{type(message).__name__} is no message of this protocol")
        return pack(message.code, seq, message.encode(), cipher=self._cipher, crc_order=crc_order or self._crc_order)
