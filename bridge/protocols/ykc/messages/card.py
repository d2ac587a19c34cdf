"""Starts asked for at the pile, and the cards that it may accept by itself (YKC V1.6: 0x31, 0x32, 0x43-0x48)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from bridge.protocols.fields import Ascii, Enum8, Raw
from bridge.protocols.layout import Named
from bridge.protocols.tails import Groups
from bridge.protocols.ykc.codes import CardStoreFailure, Outcome, StartMode, StartRefusal, YesNo
from bridge.protocols.ykc.messages.base import (
    U8,
    Balance,
    GunNo,
    LogicalCard,
    PileNo,
    TradeNo,
    YkcMessage,
)

AskMode = Annotated[StartMode | int, Enum8(StartMode), Named("启动方式", "start mode")]
NeedPassword = Annotated[YesNo | int, Enum8(YesNo), Named("是否需要密码", "password asked for")]
AskedBy = Annotated[str, Raw(8), Named("账号或物理卡号", "account or physical card", "padded with 0 on the left")]
Password = Annotated[
    str, Raw(16), Named("输入密码", "password", "MD5: 16 lower-case ASCII digits of its middle, or its 16 bytes")
]
ReversedVin = Annotated[
    str, Ascii(17, is_reversed=True), Named("VIN 码", "VIN", "last character first on the wire; shown as it reads")
]
Authorised = Annotated[Outcome | int, Enum8(Outcome), Named("鉴权成功标志", "authorised")]
Refusal = Annotated[StartRefusal | int, Enum8(StartRefusal), Named("失败原因", "failure reason")]
AccountBalance = Annotated[Balance, Named("账户余额", "account balance")]


class StartRequest(YkcMessage, code=0x31, title="充电桩主动申请启动充电", source="YKC V1.6 0x31"):
    """Pile → platform: a card was swiped, or a car plugged in that starts by its VIN."""

    pile_no: PileNo
    gun_no: GunNo
    start_mode: AskMode
    need_password: NeedPassword
    account_or_card: AskedBy
    password_md5: Password
    vin_reversed: ReversedVin  # in reading order here; empty unless the mode is VIN


class StartConfirmation(YkcMessage, code=0x32, title="运营平台确认启动充电", source="YKC V1.6 0x32"):
    """Platform → pile, with the sequence number of the 0x31; the balance limits the charge."""

    trade_no: TradeNo
    pile_no: PileNo
    gun_no: GunNo
    logical_card: LogicalCard
    balance: AccountBalance
    auth_ok: Authorised
    fail_reason: Refusal


MOST_STORED = 11
"""Cards in one 0x44 within a length byte of 200; the document's 15 make a frame that strict piles refuse."""
MOST_NAMED = 23
"""Cards in one 0x46 or 0x48 within a length byte of 200; the document says 24 and 26."""


class OfflineCardSync(YkcMessage, code=0x44, title="离线卡数据同步", source="YKC V1.6 0x44"):
    """Platform → pile: cards to keep, at most MOST_STORED in a frame; `stored_card` makes an entry."""

    pile_no: PileNo
    count: Annotated[U8, Named("下发卡个数", "number of cards", "at most 15; 11 where a length byte stays below 201")]
    cards: Annotated[
        tuple[str, ...],
        Groups(16, "count"),
        Named("逻辑卡号 + 物理卡号", "cards", "each: printed number BCD 8, physical number 8"),
    ]


class OfflineCardSyncAnswer(YkcMessage, code=0x43, title="离线卡数据同步应答", source="YKC V1.6 0x43"):
    """Pile → platform: one result for all cards of the frame."""

    pile_no: PileNo
    result: Annotated[Outcome | int, Enum8(Outcome), Named("保存结果", "result")]
    fail_reason: Annotated[CardStoreFailure | int, Enum8(CardStoreFailure), Named("失败原因", "failure reason")]


class OfflineCardClear(YkcMessage, code=0x46, title="离线卡数据清除", source="YKC V1.6 0x46"):
    """Platform → pile: cards to forget, at most MOST_NAMED in a frame."""

    pile_no: PileNo
    count: Annotated[U8, Named("清除离线卡的个数", "number of cards", "at most 24; 23 below a length byte of 201")]
    cards: Annotated[tuple[str, ...], Groups(8, "count"), Named("物理卡号", "cards", "each: physical number 8")]


class OfflineCardClearAnswer(YkcMessage, code=0x45, title="离线卡数据清除应答", source="YKC V1.6 0x45"):
    """Pile → platform; has no count: as many as there are. `cleared_cards` takes the entries apart."""

    pile_no: PileNo
    cards: Annotated[
        tuple[str, ...],
        Groups(10),
        Named(
            "物理卡号 + 清除标记 + 失败原因",
            "cards",
            "each: physical number 8, mark 1 (0 failed, 1 cleared), reason 1 (1 bad format, 2 in one row: cleared)",
        ),
    ]


class OfflineCardQuery(YkcMessage, code=0x48, title="离线卡数据查询", source="YKC V1.6 0x48"):
    """Platform → pile: which of these does the pile hold? At most MOST_NAMED in a frame."""

    pile_no: PileNo
    count: Annotated[U8, Named("查询的离线卡个数", "number of cards", "at most 26; 23 below a length byte of 201")]
    cards: Annotated[tuple[str, ...], Groups(8, "count"), Named("物理卡号", "cards", "each: physical number 8")]


class OfflineCardQueryAnswer(YkcMessage, code=0x47, title="离线卡数据查询应答", source="YKC V1.6 0x47"):
    """Pile → platform; has no count: as many as there are. `queried_cards` takes the entries apart."""

    pile_no: PileNo
    cards: Annotated[
        tuple[str, ...],
        Groups(9),
        Named("物理卡号 + 查询结果", "cards", "each: physical number 8, result 1 (0 absent, 1 present)"),
    ]


@dataclass(frozen=True, slots=True)
class CardResult:
    """What a pile says about one card: `physical` as 16 lower-case hex digits, and its code where it has one."""

    physical: str
    ok: bool
    """Cleared (0x45), or held by the pile (0x47)."""
    code: int = 0
    """The reason byte of 0x45; 0: none."""


def stored_card(logical: str, physical: str) -> str:
    """An entry of 0x44: printed number (at most 16 digits) and physical number (16 hex digits)."""
    return logical.zfill(16) + physical.lower().zfill(16)


def cleared_cards(cards: Iterable[str]) -> tuple[CardResult, ...]:
    """The entries of 0x45; mark 2 counts as cleared too, since one row of the document says so."""
    return tuple(CardResult(card[:16], int(card[16:18], 16) in (1, 2), int(card[18:20], 16)) for card in cards)


def queried_cards(cards: Iterable[str]) -> tuple[CardResult, ...]:
    """The entries of 0x47."""
    return tuple(CardResult(card[:16], int(card[16:18], 16) == 1) for card in cards)
