"""What an operator sets at a pile: clock, power, tariff, money of a running charge, offline cards, QR code.

Source: YKC V1.6: 0x56, 0x52, 0x58, 0x42, 0x44 to 0x48; 0xF0 is a vendors' extension.
"""

from datetime import datetime

from bridge.protocols.ykc.codes import BalanceResult, Outcome, QrResult, WorkPermission
from bridge.protocols.ykc.messages import (
    NO_CARD,
    BalanceUpdate,
    BalanceUpdateAnswer,
    OfflineCardClear,
    OfflineCardQuery,
    OfflineCardSync,
    QrPrefix,
    QrPrefixAnswer,
    TariffModel,
    TariffPush,
    TariffPushAnswer,
    TimeSync,
    TimeSyncAnswer,
    WorkParameters,
    WorkParametersAnswer,
)
from bridge.protocols.ykc.power import POWER_CONTROL
from bridge.simulator.core import Core
from bridge.simulator.gun import instant
from bridge.simulator.troubles import Trouble

LONGEST_PREFIX = 200


class Upkeep:
    """Settings from the platform."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def set_clock(self, message: TimeSync, seq: bytes, now_ms: int) -> None:
        """0x56; 0x55 tells the clock after setting."""
        core = self._core
        if isinstance(message.time, datetime):
            core.clock.set(round(message.time.timestamp() * 1000), now_ms)
        core.answer(TimeSyncAnswer(pile_no=core.number, time=instant(core.pile_ms(now_ms))), seq, now_ms)

    def set_power(self, message: WorkParameters, seq: bytes, now_ms: int) -> None:
        """0x52: 30 to 100 % of the rated power, and whether the pile may work at all."""
        core, troubles = self._core, self._core.troubles
        if troubles.happens(Trouble.SILENT_CAPS):
            return
        allowed = POWER_CONTROL.least <= message.max_power_pct <= POWER_CONTROL.most
        ok = allowed and message.disabled in set(WorkPermission) and not troubles.happens(Trouble.REFUSE_CAPS)
        if ok and not troubles.happens(Trouble.DISOBEY_CAPS):
            core.max_power_pct = message.max_power_pct
            core.disabled = message.disabled == WorkPermission.LOCKED
        core.answer(WorkParametersAnswer(pile_no=core.number, result=_outcome(ok)), seq, now_ms)

    def set_tariff(self, message: TariffPush, seq: bytes, now_ms: int) -> None:
        """0x58: taken only while nothing charges."""
        core = self._core
        ok = not core.is_busy
        if ok:
            core.model = TariffModel(**{name: getattr(message, name) for name in TariffModel.plan.names})
        core.answer(TariffPushAnswer(pile_no=core.number, result=_outcome(ok)), seq, now_ms)

    def set_balance(self, message: BalanceUpdate, seq: bytes, now_ms: int) -> None:
        """0x42: the running charge may cost so much in all; a card that is named must be the one that charges."""
        core = self._core
        gun = core.gun_of(message.gun_no)
        session = gun.session if gun is not None else None
        ok = session is not None and message.physical_card in (NO_CARD, session.order.card)
        if ok and session is not None:
            session.balance_e4 = int(message.balance * 10_000)
        result = BalanceResult.OK if ok else BalanceResult.WRONG_CARD
        answer = BalanceUpdateAnswer(pile_no=core.number, physical_card=message.physical_card, result=result)
        core.answer(answer, seq, now_ms)

    def keep_cards(
        self, message: OfflineCardSync | OfflineCardClear | OfflineCardQuery, seq: bytes, now_ms: int
    ) -> None:
        """0x44, 0x46, 0x48."""
        cards = self._core.cards
        match message:
            case OfflineCardSync():
                self._core.answer(cards.sync(message), seq, now_ms)
            case OfflineCardClear():
                self._core.answer(cards.clear(message), seq, now_ms)
            case OfflineCardQuery():
                self._core.answer(cards.query(message), seq, now_ms)

    def set_qr_prefix(self, message: QrPrefix, seq: bytes, now_ms: int) -> None:
        """0xF0; which number means done differs by maker."""
        core = self._core
        ok = len(message.prefix) <= LONGEST_PREFIX
        if ok:
            core.qr_prefix = message.prefix
        done = core.options.qr_ok_code
        result = done if ok else (QrResult.FAILED if done == QrResult.OK else QrResult.OK)
        core.answer(QrPrefixAnswer(pile_no=core.number, result=int(result)), seq, now_ms)


def _outcome(ok: bool) -> Outcome:
    return Outcome.OK if ok else Outcome.FAILED
