"""The QR code of a gun, pure: making our signed one and reading every kind that drivers scan.

Two kinds are met (domain A27a): our stickers carry an address with a signed token; a pile that draws its own code (YKC
0xF0) writes a prefix, its number and, in one of two formats, the gun's. Neither is a proof: what guards a start is the
plugged gun, the payment and the gate. The signature only keeps typing errors and made-up numbers away.
"""

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from itsdangerous import BadSignature, Signer

PATH = "/d/"
"""Of the driver page; the token stands behind it."""
LONGEST = 512
_TAIL = re.compile(r"(?<![0-9])([0-9]{14})([0-9]{2})?\Z", re.ASCII)
_OWN = re.compile(r"([A-Za-z0-9_]{1,32})~([0-9]{1,2})\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a code names; without a gun: the pile has one, or the driver chooses. `is_ours`: our signature is good."""

    pile: str
    gun: int | None
    is_ours: bool


class GunCodes:
    """Makes and reads the codes of this installation; `address`: where drivers reach it, without a slash at its end."""

    def __init__(self, secret: str, address: str) -> None:
        self._signer = Signer(secret, salt="gun-qr", sep=".", digest_method=hashlib.sha256)
        self._address = address.rstrip("/")

    def content(self, pile: str, gun: int) -> str:
        """What the sticker shows: an address that a phone's camera opens and the mini program reads."""
        return f"{self._address}{PATH}{self._signer.sign(f'{pile}~{gun}').decode('ascii')}"

    def read(self, scanned: str) -> Scanned | None:
        """What was scanned, whole or only its token or number; None: it names no gun."""
        text = scanned.strip()
        if not text or len(text) > LONGEST:
            return None
        token = _token_of(text)
        try:
            signed = self._signer.unsign(token.encode("utf-8", "replace")).decode("utf-8", "replace")
        except BadSignature:
            return _of_pile(text)
        found = _OWN.fullmatch(signed)
        return None if found is None else Scanned(found[1], int(found[2]), is_ours=True)


def _token_of(text: str) -> str:
    """The token out of an address of ours; a bare token as it is."""
    try:
        path = urlsplit(text).path
    except ValueError:
        return text
    return unquote(path.rsplit(PATH, 1)[1]) if PATH in path else text


def _of_pile(text: str) -> Scanned | None:
    """YKC V1.6 §11 (0xF0): prefix + pile number (14 digits), or that and the gun's number (2 digits)."""
    found = _TAIL.search(text)
    if found is None or (found[2] is not None and int(found[2]) == 0):
        return None
    return Scanned(found[1], None if found[2] is None else int(found[2]), is_ours=False)
