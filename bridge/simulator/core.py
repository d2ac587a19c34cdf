"""What the parts of one simulated pile share: nature, guns, timers, records, and its voice on the wire. Pure."""

from collections.abc import Callable, Hashable
from random import Random

from bridge.protocols.ykc.messages import TariffModel, YkcMessage
from bridge.protocols.ykc.power import POWER_CONTROL
from bridge.protocols.ykc.protocol import Ykc
from bridge.simulator.actions import Action, Sent
from bridge.simulator.gun import Gun
from bridge.simulator.options import PileOptions, Troubles
from bridge.simulator.records import RecordBook
from bridge.simulator.timers import Timers, Work


class Core:
    """State of a pile. Times are milliseconds of the caller's wall clock, `pile_ms` those of the pile's own."""

    def __init__(self, number: str, guns: int, seed: int, options: PileOptions, troubles: Troubles) -> None:
        self.number = number
        self.options = options
        self.troubles = troubles
        dice = Random(f"{seed}/{number}")
        self.sim = "8986" + "".join(str(dice.randrange(10)) for _ in range(16))
        self.guns = {
            gun: Gun(number, gun, Random(f"{seed}/{number}/{gun}"), dice.randrange(10**6, 10**8), options.gun_w)
            for gun in range(1, guns + 1)
        }
        self.timers = Timers()
        self.records = RecordBook(options.resend_s)
        self.model: TariffModel | None = None
        self.max_power_pct = POWER_CONTROL.most
        self.disabled = False
        self.clock_offset_ms = 0
        self.connected = self.logged_in = False
        self.executed: set[str] = set()
        self.protocol = Ykc()
        self.actions: list[Action] = []
        self.on_ended: list[Callable[[Gun, int], None]] = []
        """Told of every session that ended: gun, when."""
        self._seq = 0
        self._answers = 0

    def pile_ms(self, now_ms: int) -> int:
        """The pile's own clock."""
        return now_ms + self.clock_offset_ms

    @property
    def limit_w(self) -> int:
        """What the guns may draw together, W."""
        return self.options.pile_w * self.max_power_pct // 100

    def gun_of(self, digits: str) -> Gun | None:
        """The gun of two digits on the wire; None where there is none."""
        return self.guns.get(int(digits)) if digits.isdecimal() else None

    def after(self, key: Hashable, seconds: float, now_ms: int, work: Work) -> None:
        """Do `work` after so many seconds; the same key again replaces it."""
        self.timers.set(key, now_ms + round(seconds * 1000), work)

    def ended(self, gun: Gun, now_ms: int) -> None:
        """A session of this gun is over."""
        for told in self.on_ended:
            told(gun, now_ms)

    def begin_sequence(self) -> None:
        """A new connection counts its frames from 0."""
        self._seq = 0

    def own_seq(self) -> bytes:
        """The next number of this connection: from 0, +1 per frame of one's own, back to 0 after 65535."""
        seq = self._seq.to_bytes(2, "little")
        self._seq = (self._seq + 1) & 0xFFFF
        return seq

    def send(self, message: YkcMessage, seq: bytes | None = None) -> None:
        """Say it, if the connection stands."""
        if not self.connected or self.troubles.mute:
            return
        self.actions.append(Sent(message, self.protocol.encode(message, self.own_seq() if seq is None else seq)))

    def answer(self, message: YkcMessage, seq: bytes, now_ms: int, then: Callable[[int], None] | None = None) -> None:
        """Answer a command, now or as late as the troubles say; `then` follows the answer."""

        def send(at_ms: int) -> None:
            self.send(message, seq)
            if then is not None:
                then(at_ms)

        if self.troubles.answer_delay_s > 0:
            self._answers += 1
            self.after(("answer", self._answers), self.troubles.answer_delay_s, now_ms, send)
        else:
            send(now_ms)
