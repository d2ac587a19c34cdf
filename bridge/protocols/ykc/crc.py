"""CRC-16/MODBUS by table (YKC V1.6, frame check field; check value of "123456789" is 0x4B37)."""

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


_TABLE = _table()


def crc16(data: bytes) -> int:
    """CRC over the sequence field up to the end of the body."""
    crc = 0xFFFF
    for byte in data:
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc
