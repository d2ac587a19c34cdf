"""Where a YKC frame begins and ends: start byte, length, sequence, flag, type, body, CRC; and how to find it again.

Source: YKC V1.6 frame format; the cases of damage follow the table "error cases" of the protocol reference.
"""

from collections import Counter

from bridge.protocols.base import CrcOrder, Cut, Dropped, Frame, FrameError
from bridge.protocols.ykc.cipher import BodyCipher
from bridge.protocols.ykc.crc import crc16

START = 0x68
HEAD = 4
"""Bytes that the length byte counts besides the body: sequence 2, flag 1, type 1."""
AROUND = 4
"""Bytes that the length byte does not count: start, length, CRC 2."""
LONGEST_SENT = 200
"""Largest length byte that may be sent; up to 255 is received, since vendors' frames are longer."""
PLAIN, ENCRYPTED = 0x00, 0x01


def cut(buffer: bytes | bytearray) -> Cut:
    """Take one step at the beginning of `buffer`: a frame, a piece to drop, or nothing yet (`used` = 0).

    What it does depends on the bytes alone, not on how TCP cut them. After a wrong CRC only the bytes up to the
    next start byte go, since a frame may begin inside what was taken for one.
    """
    if not buffer:
        return Cut(0)
    if buffer[0] != START:
        return Cut(_next_start(buffer, 0), dropped=Dropped.NOISE)
    if len(buffer) < 2:
        return Cut(0)
    length = buffer[1]
    if length < HEAD:
        return Cut(1, dropped=Dropped.LENGTH)
    total = length + AROUND
    if len(buffer) < total:
        return Cut(0)
    raw = bytes(buffer[:total])
    expected = crc16(raw[2:-2])
    if raw[-2] | raw[-1] << 8 == expected:
        order = CrcOrder.LOW_FIRST
    elif raw[-2] << 8 | raw[-1] == expected:
        order = CrcOrder.HIGH_FIRST
    else:
        return Cut(min(_next_start(buffer, 1), total), dropped=Dropped.CRC)
    return Cut(
        total,
        Frame(code=raw[5], seq=raw[2:4], body=raw[6:-2], raw=raw, encrypted=raw[4] != PLAIN, crc_order=order),
    )


def _next_start(buffer: bytes | bytearray, begin: int) -> int:
    at = buffer.find(START, begin)
    return len(buffer) if at < 0 else at


def pack(
    code: int,
    seq: bytes | int,
    body: bytes,
    *,
    cipher: BodyCipher | None = None,
    crc_order: CrcOrder = CrcOrder.LOW_FIRST,
) -> bytes:
    """Body → frame. `seq` as number goes out little-endian, as two raw bytes (of a request) unchanged."""
    if cipher is not None:
        body = cipher.encrypt(body)
    length = len(body) + HEAD
    if length > LONGEST_SENT:
        raise FrameError(f"0x{code:02X}: {len(body)} bytes of body are more than a frame may carry")
    mark = seq if isinstance(seq, bytes) else (seq & 0xFFFF).to_bytes(2, "little")
    if len(mark) != 2 or not 0 <= code <= 0xFF:
        raise FrameError(f"0x{code:02X}: sequence {mark.hex()} is not two bytes, or the type is not one")
    inner = mark + bytes((PLAIN if cipher is None else ENCRYPTED, code)) + body
    order = "little" if crc_order is CrcOrder.LOW_FIRST else "big"
    return bytes((START, length)) + inner + crc16(inner).to_bytes(2, "little" if order == "little" else "big")


class YkcSplitter:
    """Collects the bytes of one connection, hands out its frames and counts what it threw away, and why.

    `crc_order` is the one of the last frame: what the peer uses. Holds at most one unfinished frame (259 bytes).
    """

    def __init__(self, cipher: BodyCipher | None = None) -> None:
        self._cipher = cipher
        self._buffer = bytearray()
        self.crc_order: CrcOrder | None = None
        self.dropped_bytes: Counter[Dropped] = Counter()
        self.dropped_pieces: Counter[Dropped] = Counter()

    @property
    def pending(self) -> int:
        """Bytes of a frame that has begun and is not complete."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes as they come; return every frame that they complete, in order."""
        buffer = self._buffer
        buffer += data
        frames = []
        while (piece := cut(buffer)).used:
            del buffer[: piece.used]
            frame = piece.frame
            if frame is None:
                self._count(piece.dropped or Dropped.NOISE, piece.used)
                continue
            self.crc_order = frame.crc_order
            if frame.encrypted:
                frame = self._decrypt(frame)
            if frame is not None:
                frames.append(frame)
        return frames

    def abandon(self) -> list[Frame]:
        """Give up the unfinished frame (a stray start byte claims up to 259 bytes) and look behind its start byte."""
        if not self._buffer:
            return []
        del self._buffer[0]
        self._count(Dropped.ABANDONED, 1)
        return self.feed(b"")

    def _decrypt(self, frame: Frame) -> Frame | None:
        if self._cipher is not None:
            try:
                body = self._cipher.decrypt(frame.body)
            except FrameError:
                pass  # counted below: a frame that cannot be read is dropped like one without a cipher
            else:
                return Frame(frame.code, frame.seq, body, frame.raw, True, frame.crc_order)
        self._count(Dropped.ENCRYPTED, len(frame.raw))
        return None

    def _count(self, reason: Dropped, size: int) -> None:
        self.dropped_bytes[reason] += size
        self.dropped_pieces[reason] += 1
