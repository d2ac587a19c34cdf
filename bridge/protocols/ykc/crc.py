"""CRC-16/MODBUS over the sequence field up to the end of the body (YKC V1.6, frame check field).

The document's polynomial "0x180D" is a misprint: its own table is that of 0x8005 reflected (0xA001), whose check
value for "123456789" is 0x4B37.
"""

from fastcrc import crc16 as _crc16


def crc16(data: bytes) -> int:
    """0…0xFFFF; which of its bytes comes first is the frame's affair."""
    return _crc16.modbus(data)
