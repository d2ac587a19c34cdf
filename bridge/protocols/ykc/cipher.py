"""The place of a body cipher: the protocol names 3DES but documents neither keys, mode nor padding."""

from typing import Protocol


class BodyCipher(Protocol):
    """Encrypts the body alone; the length byte then counts the encrypted length, the CRC covers what is sent."""

    def encrypt(self, body: bytes) -> bytes:
        """Plain body → body on the wire."""

    def decrypt(self, body: bytes) -> bytes:
        """Body on the wire → plain body; FrameError when it cannot be."""
