"""Examples of what a pile is told, one of each kind."""

from datetime import datetime, timedelta
from typing import Any

from evcs.contracts import topics
from evcs.contracts.examples.story import (
    BRIDGE,
    CARD,
    CARD_REQUEST,
    GUN,
    LINK,
    PRINTED_CARD,
    SERIAL,
    TARIFF,
    Example,
    at,
    of_pile,
)
from evcs.contracts.pile import (
    FirmwareUpdate,
    LockAction,
    OfflineCard,
    PileCommand,
    PileCommandKind,
    QrPrefix,
    RunWhen,
)
from evcs.contracts.reasons import Reason


def _command(kind: PileCommandKind, id: str, **fields: Any) -> PileCommand:
    """A command of the afternoon, to be carried out within ten seconds."""
    sent: datetime = at(8, 40)
    return PileCommand(id=id, bridge=BRIDGE, link=LINK, kind=kind, expires_at=sent + timedelta(seconds=10), **fields)


def _example(kind: PileCommandKind, zh: str, en: str, number: int, **fields: Any) -> Example[PileCommand]:
    command = _command(kind, f"6e0d4c1b9a8f4e57b2c3d4e5f60718{number:02x}", **fields)
    return of_pile(topics.PILE_COMMAND, kind.value, command, zh, en)


EXAMPLES: tuple[Example[Any], ...] = (
    _example(
        PileCommandKind.REFUSE_CARD,
        "拒绝刷卡启动：余额不足",
        "a start by card is refused, with what the pile shows",
        1,
        gun=GUN,
        card_request=CARD_REQUEST,
        reason=Reason.BALANCE_TOO_LOW,
    ),
    _example(PileCommandKind.TARIFF_PUSH, "下发电价", "the pile gets its tariff", 2, tariff_version=TARIFF),
    _example(
        PileCommandKind.BALANCE,
        "余额更新：冻结增加到 1200.00 元",
        "the hold of a running charge is now 1200.00 yuan",
        3,
        gun=GUN,
        serial=SERIAL,
        balance_fen=120_000,
        card=CARD,
    ),
    _example(PileCommandKind.POLL, "读取 1 号枪实时数据", "gun 1 is asked for its values", 4, gun=GUN),
    _example(PileCommandKind.CLOCK, "对时", "the pile's clock is set", 5),
    _example(PileCommandKind.RESTART, "空闲时重启", "restart when idle", 6, when=RunWhen.WHEN_IDLE),
    _example(
        PileCommandKind.UPDATE,
        "空闲时升级固件",
        "the pile fetches its program by FTP when idle",
        7,
        when=RunWhen.WHEN_IDLE,
        update=FirmwareUpdate(server="10.20.0.9", user="pile", password="example", path="fw/V4.1.51.bin"),
    ),
    _example(
        PileCommandKind.QR_PREFIX,
        "设置二维码前缀",
        "what the pile draws before its number",
        8,
        qr=QrPrefix(prefix="https://charge.example/q?no="),
    ),
    _example(
        PileCommandKind.CARDS_STORE,
        "存入离线卡",
        "a card that the pile may accept without the platform",
        9,
        cards=(OfflineCard(uid=CARD, printed_no=PRINTED_CARD),),
    ),
    _example(PileCommandKind.CARDS_CLEAR, "清除离线卡", "the pile forgets a card", 10, cards=(OfflineCard(uid=CARD),)),
    _example(
        PileCommandKind.CARDS_QUERY, "查询离线卡", "does the pile hold this card?", 11, cards=(OfflineCard(uid=CARD),)
    ),
    _example(
        PileCommandKind.GROUND_LOCK, "降下 1 号枪的地锁", "lower the bay's lock", 12, gun=GUN, lock=LockAction.LOWER
    ),
    _example(
        PileCommandKind.TRACE,
        "追踪该桩报文 10 分钟",
        "show this pile's frames for ten minutes",
        13,
        trace_until=at(8, 50),
    ),
)
