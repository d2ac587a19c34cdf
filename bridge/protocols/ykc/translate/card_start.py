"""Starts asked for at the pile: by card or VIN, of one gun or of two on one car (YKC V1.6 §4.4, 0xA1, 0xA2)."""

import re
from decimal import Decimal

from bridge import words
from bridge.protocols.ykc import codes
from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.translate.common import Hear, Tell, gun, vin
from evcs.contracts.gun import CardMode, Joint, JointRole
from evcs.contracts.reasons import Reason

_MODES: dict[int, CardMode] = {
    codes.StartMode.CARD: CardMode.CARD,
    codes.StartMode.ACCOUNT: CardMode.ACCOUNT,
    codes.StartMode.VIN: CardMode.VIN,
}
_NO_PASSWORD = bytes(16)
_HEX_TEXT = re.compile(rb"[0-9A-Fa-f]{16}")
_JOINT_NUMBER = re.compile(r"[0-9]{12}")

_Refusal = codes.StartRefusal
REFUSALS: dict[Reason, codes.StartRefusal] = {
    Reason.CARD_UNKNOWN: _Refusal.ACCOUNT_UNKNOWN,
    Reason.CUSTOMER_BLOCKED: _Refusal.ACCOUNT_FROZEN,
    Reason.CARD_BLOCKED: _Refusal.ACCOUNT_FROZEN,
    Reason.VEHICLE_BLOCKED: _Refusal.ACCOUNT_FROZEN,
    Reason.BALANCE_TOO_LOW: _Refusal.BALANCE_TOO_LOW,
    Reason.GOAL_OVER_BALANCE: _Refusal.BALANCE_TOO_LOW,
    Reason.IN_DEBT: _Refusal.CARD_UNPAID,
    Reason.ACCOUNT_NOT_ALLOWED: _Refusal.ACCOUNT_NOT_ALLOWED,
    Reason.WRONG_PASSWORD: _Refusal.WRONG_PASSWORD,
    Reason.BAND_BLOCKED: _Refusal.STATION_FULL,
    Reason.BAND_UNKNOWN: _Refusal.STATION_FULL,
    Reason.OVER_BLOCKED_THRESHOLD: _Refusal.STATION_FULL,
    Reason.NO_HEADROOM: _Refusal.STATION_FULL,
    Reason.ENGINE_NOT_SURE: _Refusal.STATION_FULL,
    Reason.ENGINE_AWAY: _Refusal.STATION_FULL,
    Reason.VIN_UNKNOWN: _Refusal.VIN_UNKNOWN,
    Reason.CARD_MODE_UNSUPPORTED: _Refusal.NO_CARDS_HERE,
}
"""What a pile is told for our reasons; for every other it says that it is out of service."""


def password(raw: str) -> str:
    """The 16 bytes of the password field (in hex) → middle half of the MD5 hex digest of what was typed.

    The document can be read in two ways: the 16 ASCII digits of that middle half, or the 16 bytes of the digest. Both
    come out alike. Empty for zeros.
    """
    field = bytes.fromhex(raw)
    if field == _NO_PASSWORD:
        return ""
    return field.decode("ascii").lower() if _HEX_TEXT.fullmatch(field) else raw[8:24].lower()


def joint(number: str, role: int) -> Joint | None:
    """The joint charge of a frame; None where its number is none (hex digits in a BCD field)."""
    if not _JOINT_NUMBER.fullmatch(number):
        return None
    return Joint(number=number, role=JointRole.AUXILIARY if role == codes.GunRole.AUXILIARY else JointRole.MAIN)


def _asked(message: ykc.StartRequest | ykc.ParallelStartRequest) -> words.CardAsked:
    mode = _MODES.get(message.start_mode, int(message.start_mode))
    return words.CardAsked(
        pile=message.pile_no,
        gun=gun(message.gun_no),
        mode=mode,
        card=message.account_or_card.upper(),
        vin=vin(message.vin_reversed) if mode is CardMode.VIN else "",
        password=password(message.password_md5) if message.need_password == codes.YesNo.YES else "",
        joint=joint(message.parallel_no, message.gun_role) if isinstance(message, ykc.ParallelStartRequest) else None,
    )


def _allowed(told: words.CardAllowed) -> ykc.StartConfirmation | ykc.ParallelStartConfirmation:
    return _confirmation(
        told.pile,
        told.gun,
        told.joint_number,
        trade_no=told.serial,
        logical_card=told.printed_card.zfill(16),
        balance=Decimal(told.balance_fen) / 100,
        refusal=_Refusal.NONE,
    )


def _refused(told: words.CardRefused) -> ykc.StartConfirmation | ykc.ParallelStartConfirmation:
    return _confirmation(
        told.pile,
        told.gun,
        told.joint_number,
        trade_no=ykc.NO_TRADE,
        logical_card=ykc.NO_CARD,
        balance=Decimal(0),
        refusal=REFUSALS.get(told.reason, _Refusal.PILE_OUT_OF_SERVICE),
    )


def _confirmation(
    pile: str,
    number: int,
    joint_number: str | None,
    *,
    trade_no: str,
    logical_card: str,
    balance: Decimal,
    refusal: codes.StartRefusal,
) -> ykc.StartConfirmation | ykc.ParallelStartConfirmation:
    auth_ok = codes.Outcome.OK if refusal is _Refusal.NONE else codes.Outcome.FAILED
    if joint_number is None:
        return ykc.StartConfirmation(
            trade_no=trade_no,
            pile_no=pile,
            gun_no=ykc.gun_no(number),
            logical_card=logical_card,
            balance=balance,
            auth_ok=auth_ok,
            fail_reason=refusal,
        )
    return ykc.ParallelStartConfirmation(
        trade_no=trade_no,
        pile_no=pile,
        gun_no=ykc.gun_no(number),
        logical_card=logical_card,
        balance=balance,
        auth_ok=auth_ok,
        fail_reason=refusal,
        parallel_no=joint_number,
    )


HEAR: Hear = {ykc.StartRequest: _asked, ykc.ParallelStartRequest: _asked}
TELL: Tell = {words.CardAllowed: _allowed, words.CardRefused: _refused}
