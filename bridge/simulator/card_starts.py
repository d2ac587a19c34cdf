"""Starts that a driver or a car asks for at the pile: 0x31 → 0x32, 0xA1 → 0xA2, and by card while the link is down.

Source: YKC V1.6, start request from the pile, parallel charging, offline charging.
"""

from dataclasses import dataclass, field
from hashlib import md5

from bridge.protocols.fields import PILE_TIME
from bridge.protocols.ykc.codes import GunRole, Outcome, StartKind, StartMode, StartRefusal
from bridge.protocols.ykc.messages import (
    NO_CARD,
    ParallelStartConfirmation,
    ParallelStartRequest,
    StartConfirmation,
    StartRequest,
    gun_no,
)
from bridge.simulator.charging import Charging
from bridge.simulator.core import Core
from bridge.simulator.gun import AskedBy, Gun, Seat, StartOrder, instant
from bridge.simulator.options import Card

TRIES = 3
"""How often the card is held up before the driver gives in."""
NO_ANSWER = "NO_ANSWER"
OFFLINE = "OFFLINE"
OUT_OF_SERVICE = "OUT_OF_SERVICE"
JOINT_OFF = "JOINT_OFF"


@dataclass(slots=True)
class Ask:
    """A start that waits for the platform's word; `card` None: the car asks by its VIN."""

    guns: tuple[int, ...]
    card: Card | None
    joint_no: str = ""
    tries: int = 0
    confirmed: dict[int, StartOrder] = field(default_factory=dict)

    @property
    def kind(self) -> StartKind:
        return StartKind.VIN if self.card is None else StartKind.CARD


class CardStarts:
    """Starts from the pile. A gun that is refused stays plugged and shows why."""

    def __init__(self, core: Core, charging: Charging) -> None:
        self._core = core
        self._charging = charging
        self._asks: dict[int, Ask] = {}
        self._serials = 0

    def swipe(self, guns: tuple[Gun, ...], card: Card | None, now_ms: int) -> None:
        """A card at the reader, for one gun or (V1.6) two on one car; None: the car asks by its VIN."""
        core = self._core
        if core.is_dark or any(gun.session is not None or gun.car is None for gun in guns):
            return
        if core.disabled or core.model is None or any(gun.faulty for gun in guns):
            self._show(guns, OUT_OF_SERVICE)
            return
        ask = Ask(tuple(gun.number for gun in guns), card)
        if len(guns) > 1:
            if not core.knows_joint:
                self._show(guns, JOINT_OFF)
                return
            ask.joint_no = f"{instant(core.pile_ms(now_ms)).astimezone(PILE_TIME):%y%m%d%H%M%S}"
        for gun in guns:
            self._asks[gun.number] = ask
        self._ask(ask, now_ms)

    def confirmed(self, message: StartConfirmation | ParallelStartConfirmation, seq: bytes, now_ms: int) -> None:
        """0x32 or 0xA2."""
        core = self._core
        gun = core.gun_of(message.gun_no)
        if gun is None or core.has_executed(message.trade_no):
            return
        ask = self._asks.get(gun.number)
        joint_no = message.parallel_no if isinstance(message, ParallelStartConfirmation) else ""
        if ask is not None and ask.joint_no != joint_no:
            return
        if message.auth_ok != Outcome.OK:
            if ask is not None:
                self._give_up(ask, _words(message.fail_reason))
            return
        order = StartOrder(
            message.trade_no,
            int(message.balance * 10_000),
            kind=ask.kind if ask is not None else StartKind.CARD,
            card=ask.card.uid.lower() if ask is not None and ask.card is not None else NO_CARD,
            asked_by=AskedBy.PILE,
            seq=seq,
            seat=Seat(joint_no, _role(ask, gun)) if joint_no else None,
        )
        if ask is None:
            if not joint_no:  # of a joint charge that was called off nothing was executed
                self._charging.never_began(gun, order, now_ms)
            return
        ask.confirmed[gun.number] = order
        if len(ask.confirmed) == len(ask.guns):
            self._forget(ask)
            self._charging.accept([(core.guns[number], ask.confirmed[number]) for number in ask.guns], now_ms)

    def unplugged(self, gun: Gun) -> None:
        """The driver went away."""
        gun.shown = ""
        ask = self._asks.get(gun.number)
        if ask is not None:
            self._give_up(ask, "")

    def _ask(self, ask: Ask, now_ms: int) -> None:
        core = self._core
        guns = tuple(core.guns[number] for number in ask.guns)
        if any(gun.session is not None for gun in guns):  # the app was quicker
            self._forget(ask)
            return
        if not core.logged_in:
            self._forget(ask)
            self._offline(ask, guns, now_ms)
            return
        if ask.tries == TRIES:
            self._give_up(ask, NO_ANSWER)
            return
        ask.tries += 1
        for gun in guns:
            core.send(self._request(ask, gun))
        core.after(("ask", ask.guns), core.options.start_answer_s, now_ms, lambda at: self._ask(ask, at))

    def _request(self, ask: Ask, gun: Gun) -> StartRequest | ParallelStartRequest:
        password = ask.card.password if ask.card is not None else None
        request = StartRequest(
            pile_no=self._core.number,
            gun_no=gun_no(gun.number),
            start_mode=StartMode.VIN if ask.card is None else StartMode.CARD,
            need_password=int(password is not None),
            account_or_card=ask.card.uid.lower() if ask.card is not None else NO_CARD,
            password_md5=_typed(password, is_raw=self._core.options.sends_raw_digest),
            vin_reversed=gun.car.vin if ask.card is None and gun.car is not None else "",
        )
        if not ask.joint_no:
            return request
        return ParallelStartRequest(
            **{name: getattr(request, name) for name in StartRequest.plan.names},
            gun_role=_role(ask, gun),
            parallel_no=ask.joint_no,
        )

    def _offline(self, ask: Ask, guns: tuple[Gun, ...], now_ms: int) -> None:
        """Without a platform a card that was left here is enough; the pile makes the serial itself."""
        core, card = self._core, ask.card
        if card is None or card.uid not in core.cards or len(guns) > 1:
            self._show(guns, OFFLINE)
            return
        order = StartOrder(
            self._serial(guns[0], now_ms),
            core.options.offline_balance_yuan * 10_000,
            kind=StartKind.OFFLINE_CARD,
            card=card.uid.lower(),
            asked_by=AskedBy.PILE,
        )
        self._charging.accept([(guns[0], order)], now_ms)

    def _serial(self, gun: Gun, now_ms: int) -> str:
        """Pile, gun, time of its own clock, counter (YKC V1.6 §3.4)."""
        self._serials = (self._serials + 1) % 10_000
        local = instant(self._core.pile_ms(now_ms)).astimezone(PILE_TIME)
        return f"{self._core.number}{gun_no(gun.number)}{local:%y%m%d%H%M%S}{self._serials:04d}"

    def _give_up(self, ask: Ask, why: str) -> None:
        self._forget(ask)
        self._show(tuple(self._core.guns[number] for number in ask.guns), why)

    def _forget(self, ask: Ask) -> None:
        self._core.timers.cancel(("ask", ask.guns))
        for number in ask.guns:
            self._asks.pop(number, None)

    def _show(self, guns: tuple[Gun, ...], why: str) -> None:
        for gun in guns:
            gun.shown = why


def _role(ask: Ask | None, gun: Gun) -> GunRole:
    return GunRole.MAIN if ask is None or ask.guns[0] == gun.number else GunRole.AUXILIARY


def _words(code: int) -> str:
    return next((known.name for known in StartRefusal if known == code), f"0x{code:02X}")


def _typed(password: str | None, *, is_raw: bool) -> str:
    """The 16 bytes of the field as hex: both readings of the document hold the same 16 characters."""
    if password is None:
        return "00" * 16
    digest = md5(password.encode(), usedforsecurity=False)
    return digest.hexdigest() if is_raw else digest.hexdigest()[8:24].encode().hex()
