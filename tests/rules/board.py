"""An engine whose alarms are watched, and what the broker has retained of them."""

from collections.abc import Callable
from typing import Any

from evcs.contracts.alarm import Alarm
from evcs.contracts.topics import ALARM
from rules.alarms import Open, clear_alarm, raise_alarm
from rules.engine import Engine
from rules.messages import Action, Began, Clear, Heard, Message, PictureComplete, Publish, Tick
from tests.rules.town import SINCE_MS, STATION, Town, after, heard


class Board:
    """An engine, and what the broker has retained of its alarms."""

    def __init__(self, piles: list[dict[str, Any]] | None = None, transformer: dict[str, Any] | None = None) -> None:
        self.town = Town(piles or [{"pile": "p1", "guns": [100.0]}, {"pile": "p2", "guns": [100.0]}], transformer)
        self.retained: dict[str, Alarm] = {}
        self.told: list[Alarm] = []
        """Every alarm level that was published, in order."""
        self.done: list[Publish] = []
        """Everything else that was published."""
        self.begin(0)

    def begin(
        self, at_s: float, *, answered: bool = True, retained: Callable[[Town], list[Heard]] | None = None
    ) -> None:
        """Start anew with what stands retained, and newer than it what the bridge says."""
        self.engine = Engine()
        levels = [heard(ALARM, alarm, station=STATION, alarm=alarm.alarm) for alarm in self.retained.values()]
        messages: list[Message] = [Began(SINCE_MS), *self.town.picture(after(0)), *levels]
        messages += retained(self.town) if retained is not None else []
        messages.append(PictureComplete())
        if answered:
            messages.append(self.town.answer(0))
        self.step(at_s, *messages)

    def step(self, at_s: float, *messages: Message) -> None:
        for message in messages:
            self.take(self.engine.step(message, after(at_s)))

    def take(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, Clear):
                self.retained.pop(action.name, None)
            elif isinstance(action, Publish) and isinstance(action.payload, Alarm):
                self.retained[action.name] = action.payload
                self.told.append(action.payload)
            else:
                self.done.append(action)

    def ticks(self, from_s: int, to_s: int) -> None:
        for at_s in range(from_s, to_s + 1):
            self.step(at_s, Tick())

    def rise(self, at_s: float, open: Open) -> None:
        known = self.engine._known
        known.out = []
        raise_alarm(known, open, after(at_s))
        self.take(known.out)

    def fall(self, at_s: float, id: str) -> None:
        known = self.engine._known
        known.out = []
        clear_alarm(known, STATION, id, after(at_s))
        self.take(known.out)

    @property
    def open(self) -> dict[str, Alarm]:
        """What stands at the broker, by id."""
        return {alarm.alarm: alarm for alarm in self.retained.values()}

    @property
    def codes(self) -> set[str]:
        """The codes that stand open."""
        return {alarm.code for alarm in self.retained.values()}

    def of(self, leaf: str) -> list[Any]:
        """What was published on one leaf."""
        return [action.payload for action in self.done if action.topic.leaf == leaf]
