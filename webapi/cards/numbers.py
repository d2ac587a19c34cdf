"""Card and vehicle numbers: how they are written, how else a pile may send the same card, how they are masked. Pure."""

import hashlib
import re

UID_DIGITS = 16
NO_CARD = "0" * UID_DIGITS
SHORT_UIDS = (8, 14)
"""Hex digits of 4-byte and 7-byte chips, which piles pad to 8 bytes."""

TYPED_UID = r"\s*[0-9A-Fa-f]{2}([\s:-]?[0-9A-Fa-f]{2}){3,7}\s*\Z"
"""A chip number as somebody types it: 4 to 8 bytes, with or without separators."""

_UID = re.compile(r"[0-9A-F]{16}")
_VIN = re.compile(r"[A-HJ-NPR-Z0-9]{17}")


def spell_uid(typed: str) -> str:
    """A chip number as it is kept: 16 upper-case hex digits; a shorter one is padded left (YKC V1.6, 0x31)."""
    return re.sub(r"[\s:-]", "", typed).upper().rjust(UID_DIGITS, "0")


def spellings(uid: str) -> tuple[str, ...]:
    """The same card as other makers' piles send it: as it is first, bytes reversed, padded on the other side.

    YKC V1.6 §10: "when searching a card try also the reversed bytes"; frames in the field pad 4-byte numbers left and
    right.
    """
    found = [uid, _reversed(uid)]
    short = _short(uid)
    if short is not None:
        for one in (short, _reversed(short)):
            found += [one.rjust(UID_DIGITS, "0"), one.ljust(UID_DIGITS, "0")]
    return tuple(dict.fromkeys(found))


def is_uid(text: str) -> bool:
    """Whether it is a card's number as the wire has it; zeros alone mean that no card was read."""
    return _UID.fullmatch(text) is not None and text != NO_CARD


def is_vin(text: str) -> bool:
    """Whether it can be one (ISO 3779: 17 characters, without I, O and Q); zeros alone mean that there is none."""
    return _VIN.fullmatch(text) is not None and text.strip("0") != ""


def password_of(pin: str) -> str:
    """What a pile sends for a typed PIN: the middle half of its MD5 hex digest (YKC V1.6, 0x31 field 6)."""
    return hashlib.md5(pin.encode(), usedforsecurity=False).hexdigest()[8:24]


def masked_card(uid: str | None) -> str | None:
    """****0A54: the last four digits that say something (padding on the right does not)."""
    if not uid:
        return None
    tail = uid.rstrip("0") if uid.endswith("00000000") else uid
    return f"****{(tail or uid)[-4:]}"


def masked_printed(number: str) -> str:
    """****0042; a short number is hidden whole."""
    return f"****{number[-4:]}" if len(number) > 6 else "*" * len(number)


def masked_vin(vin: str | None) -> str | None:
    """LSV**********0001: maker and the last four."""
    if not vin:
        return None
    return f"{vin[:3]}{'*' * (len(vin) - 7)}{vin[-4:]}" if len(vin) > 7 else "*" * len(vin)


def masked_plate(plate: str) -> str:
    """浙A***21."""
    return f"{plate[:2]}{'*' * (len(plate) - 4)}{plate[-2:]}" if len(plate) > 4 else "*" * len(plate)


def _short(uid: str) -> str | None:
    """The chip's own number where the 8 bytes are padded on either side."""
    for digits in SHORT_UIDS:
        padding = "0" * (UID_DIGITS - digits)
        if uid.startswith(padding):
            return uid[len(padding) :]
        if uid.endswith(padding):
            return uid[:digits]
    return None


def _reversed(digits: str) -> str:
    return "".join(digits[at : at + 2] for at in range(len(digits) - 2, -1, -2))
