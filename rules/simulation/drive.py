"""The real engine at a simulated site: what is said goes in, what comes out is carried out, ticks as time passes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from rules.engine import Engine
from rules.messages import Action, Message, Tick
from rules.simulation.plant import Plant

Heed = Callable[[Message, list[Action], datetime], None]
"""Told of every step of the engine: what went in, what came out, when."""


@dataclass(slots=True)
class Drive:
    """One engine and its site. `tick_s`: the process ticks each second; longer only saves time."""

    plant: Plant
    engine: Engine = field(default_factory=Engine)
    tick_s: float = 15.0
    heed: Heed | None = None
    _ticked_s: float = 0.0

    def begin(self) -> None:
        for message in self.plant.begin():
            self._step(message, self.plant.now)

    def advance(self) -> None:
        """One step of the site: its time, what it says, a tick at its end."""
        plant = self.plant
        began_s = plant.now_s
        heard = plant.step()
        while self._ticked_s + self.tick_s < plant.now_s:
            self._ticked_s = max(self._ticked_s + self.tick_s, began_s)
            self._step(Tick(), plant.site.at(self._ticked_s))
        for message in heard:
            self._step(message, plant.now)
        if self._ticked_s + self.tick_s <= plant.now_s:
            self._ticked_s = plant.now_s
            self._step(Tick(), plant.now)

    def until(self, seconds: float) -> None:
        while self.plant.now_s < seconds:
            self.advance()

    def say(self, messages: Iterable[Message]) -> None:
        """Besides what the site says by itself."""
        for message in messages:
            self._step(message, self.plant.now)

    def _step(self, message: Message, at: datetime) -> None:
        actions = self.engine.step(message, at)
        if self.heed is not None:
            self.heed(message, actions, at)
        if actions:
            self.plant.obey(actions)
