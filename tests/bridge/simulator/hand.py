"""A pile led by hand under a clock of one's own, with the scripted platform answering at once."""

from datetime import UTC, datetime
from typing import TypeVar

from bridge.protocols.ykc.messages import YkcMessage
from bridge.protocols.ykc.protocol import Ykc
from bridge.simulator.actions import Action, HangUp, Sent
from bridge.simulator.gun import instant
from bridge.simulator.memory import PileMemory
from bridge.simulator.options import PileOptions
from bridge.simulator.pile import Pile
from bridge.simulator.troubles import Troubles
from tests.bridge.simulator.platform import Script

M = TypeVar("M", bound=YkcMessage)
NUMBER = "55031412000001"
NOON = round(datetime(2026, 3, 2, 4, 0, tzinfo=UTC).timestamp() * 1000)
"""12:00 on the pile's wall."""
SERIAL = f"{NUMBER}01260302120000" + "0001"


class Hand:
    """Moves time in the steps that the pile asks for, and keeps every byte that it sent."""

    def __init__(
        self,
        options: PileOptions | None = None,
        *,
        guns: int = 2,
        seed: int = 7,
        at_ms: int = NOON,
        pile: Pile | None = None,
        memory: PileMemory | None = None,
    ) -> None:
        self.now_ms = at_ms
        self.script = Script()
        self.script.now = lambda: instant(self.now_ms)
        self.troubles = Troubles()
        self.pile = pile or Pile(
            NUMBER,
            guns,
            seed,
            options or PileOptions(cold_share=0, manual_stop_share=0),
            troubles=self.troubles,
            memory=memory,
        )
        self.sent: list[tuple[int, YkcMessage, bytes]] = []
        self.hung_up: list[str] = []
        self._seq = 0x4000
        self.pile.begin(self.now_ms)

    def connect(self) -> "Hand":
        self.do(self.pile.connected(self.now_ms))
        return self

    def say(self, message: YkcMessage) -> None:
        """A command of the platform."""
        self._seq += 1
        self.do(self.pile.received(Ykc().encode(message, self._seq), self.now_ms))

    def do(self, actions: list[Action]) -> None:
        """Carry out what the pile wants; the platform answers at once."""
        for action in actions:
            if isinstance(action, HangUp):
                self.hung_up.append(action.why)
            if not isinstance(action, Sent):
                continue
            self.sent.append((self.now_ms, action.message, action.raw))
            for answer in self.script.answers(action.message):
                self.do(self.pile.received(Ykc().encode(answer, action.raw[2:4]), self.now_ms))

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        until = self.now_ms + round(seconds * 1000)
        while self.now_ms < until:
            self.now_ms = min(until, max(self.now_ms + 1, self.pile.due_ms(self.now_ms)))
            self.do(self.pile.tick(self.now_ms))

    def wait_for(self, kind: type[M], seconds: float = 3600) -> M:
        """Let time pass until the next frame of this kind is sent."""
        seen = len(self.sent)
        until = self.now_ms + round(seconds * 1000)
        while self.now_ms < until:
            for _, message, _ in self.sent[seen:]:
                if isinstance(message, kind):
                    return message
            self.wait(max(1, self.pile.due_ms(self.now_ms) - self.now_ms) / 1000)
        raise AssertionError(f"no {kind.__name__} within {seconds} s")

    def all_of(self, kind: type[M]) -> list[M]:
        return [message for _, message, _ in self.sent if isinstance(message, kind)]

    def times_of(self, kind: type[M]) -> list[float]:
        """When frames of this kind went out, s after the first of them."""
        times = [at for at, message, _ in self.sent if isinstance(message, kind)]
        return [(at - times[0]) / 1000 for at in times]
