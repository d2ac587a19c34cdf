"""What the parts of one simulated pile share: nature, guns, timers, records, and its voice on the wire. Pure."""

from collections.abc import Callable, Hashable
from random import Random

from bridge.protocols.base import Frame
from bridge.protocols.ykc.messages import TariffModel, YkcMessage
from bridge.protocols.ykc.power import POWER_CONTROL
from bridge.protocols.ykc.protocol import Ykc
from bridge.simulator.actions import Action, HangUp, Sent
from bridge.simulator.card_store import CardStore
from bridge.simulator.damage import renamed, spoiled
from bridge.simulator.gun import Gun
from bridge.simulator.options import V16, Echo, PileOptions
from bridge.simulator.pile_clock import PileClock
from bridge.simulator.records import RecordBook
from bridge.simulator.timers import Timers, Work
from bridge.simulator.troubles import Trouble, Troubles

REMEMBERED_STARTS = 500
"""Serials by which a repeated start is told from a new one."""
SLOW_S = (5.0, 40.0)

OfGun = Callable[[Gun, int], None]
"""Gun, when."""


class Core:
    """State of a pile. Times are milliseconds of the caller's wall clock, `pile_ms` those of the pile's own."""

    def __init__(self, number: str, guns: int, seed: int, options: PileOptions, troubles: Troubles) -> None:
        self.number = number
        self.options = options
        self.troubles = troubles
        troubles.dice = Random(f"{seed}/{number}/troubles")
        dice = Random(f"{seed}/{number}")
        self.sim = "8986" + "".join(str(dice.randrange(10)) for _ in range(16))
        self.guns = {
            gun: Gun(
                number,
                gun,
                Random(f"{seed}/{number}/{gun}"),
                dice.randrange(10**6, 10**8),
                options.gun_w,
                options.is_ac,
            )
            for gun in range(1, guns + 1)
        }
        self.timers = Timers()
        self.records = RecordBook(options.resend_s)
        self.cards = CardStore(options.offline_cards)
        self.model: TariffModel | None = None
        self.max_power_pct = POWER_CONTROL.most
        self.disabled = False
        self.qr_prefix = ""
        self.software_version = options.software_version
        self.clock = PileClock(round(options.clock_offset_s * 1000), options.clock_drift_ppm)
        self.connected = self.logged_in = False
        self.is_deaf = False
        """A half-open link: nothing goes either way until it is given up."""
        self.is_dark = False
        """Without power: no card is read, nothing charges."""
        self.protocol = Ykc(crc_order=options.crc_order)
        self.actions: list[Action] = []
        self.on_began: list[OfGun] = []
        """Told of every session whose current begins."""
        self.on_ended: list[OfGun] = []
        """Told of every session that is over."""
        self._executed: dict[str, None] = {}
        self._seq = 0
        self._answers = 0

    # — state ———————————————————————————————————————————————————————————————————————————————————————

    def pile_ms(self, now_ms: int) -> int:
        """The pile's own clock."""
        return self.clock.at(now_ms)

    @property
    def limit_w(self) -> int:
        """What the guns may draw together, W."""
        return self.options.pile_w * self.max_power_pct // 100

    @property
    def knows_joint(self) -> bool:
        """Whether it is of the generation that has 0xA1 to 0xA4."""
        return self.options.protocol_version >= V16

    @property
    def is_busy(self) -> bool:
        """Whether some gun has a session."""
        return any(gun.session is not None for gun in self.guns.values())

    def gun_of(self, digits: str) -> Gun | None:
        """The gun of two digits on the wire; None where there is none."""
        return self.guns.get(int(digits)) if digits.isdecimal() else None

    def execute(self, trade_no: str) -> None:
        """Remember a serial whose start is carried out."""
        self._executed[trade_no] = None
        if len(self._executed) > REMEMBERED_STARTS:
            del self._executed[next(iter(self._executed))]

    def has_executed(self, trade_no: str) -> bool:
        """Whether this start was carried out before."""
        return trade_no in self._executed

    def began(self, gun: Gun, now_ms: int) -> None:
        """Current begins at this gun."""
        for told in self.on_began:
            told(gun, now_ms)

    def ended(self, gun: Gun, now_ms: int) -> None:
        """A session of this gun is over."""
        for told in self.on_ended:
            told(gun, now_ms)

    # — time ————————————————————————————————————————————————————————————————————————————————————————

    def after(self, key: Hashable, seconds: float, now_ms: int, work: Work) -> None:
        """Do `work` after so many seconds; the same key again replaces it."""
        self.timers.set(key, now_ms + round(seconds * 1000), work)

    # — the wire ————————————————————————————————————————————————————————————————————————————————————

    def connect(self) -> None:
        """A new connection counts its frames from 0."""
        self._seq = 0
        self.connected, self.is_deaf, self.is_dark = True, False, False

    def disconnect(self) -> None:
        """The connection is gone."""
        self.connected = self.logged_in = self.is_deaf = False

    def hears(self, frame: Frame) -> bool:
        """Whether a frame is taken: some piles drop what has its CRC in the other order."""
        return not self.options.is_strict_on_crc or frame.crc_order is self.options.crc_order

    def hang_up(self, why: str, wait_s: float = 0.0, *, silent: bool = False) -> None:
        """Give the connection up."""
        self.actions.append(HangUp(why, wait_s, silent))

    def own_seq(self) -> bytes:
        """The next number of this connection: from 0, +1 per frame of one's own, back to 0 after 65535."""
        seq = self._seq.to_bytes(2, "little")
        self._seq = (self._seq + 1) & 0xFFFF
        return seq

    def echoed(self, seq: bytes) -> bytes:
        """The sequence field of an answer, as this make of pile repeats it."""
        if self.options.echo is Echo.OWN:
            return self.own_seq()
        return seq[::-1] if self.options.echo is Echo.SWAPPED else seq

    def send(self, message: YkcMessage, seq: bytes | None = None) -> None:
        """Say it, if the connection stands."""
        if not self.connected or self.is_deaf or self.troubles.mute:
            return
        message = renamed(message, self.troubles)
        raw = self.protocol.encode(message, self.own_seq() if seq is None else seq)
        self.actions.append(Sent(message, spoiled(raw, self.troubles)))

    def answer(
        self, message: YkcMessage, seq: bytes | None, now_ms: int, then: Callable[[int], None] | None = None
    ) -> None:
        """Answer a command, now or as late as the troubles say; `seq` None: with a number of one's own."""

        def send(at_ms: int) -> None:
            self.send(message, None if seq is None else self.echoed(seq))
            if then is not None:
                then(at_ms)

        delay_s = self.troubles.answer_delay_s
        if self.troubles.happens(Trouble.SLOW_ANSWERS):
            delay_s += self.troubles.dice.uniform(*SLOW_S)
        if delay_s > 0:
            self._answers += 1
            self.after(("answer", self._answers), delay_s, now_ms, send)
        else:
            send(now_ms)
