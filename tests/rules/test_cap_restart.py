"""A kill at any moment: every cap comes back to who set it, none is forgotten, none stays behind."""

from datetime import datetime
from random import Random

import pytest

from evcs.contracts.times import to_ms
from evcs.contracts.topics import ALARM, POLICY, QUEUE, SERVICE, SESSION
from rules.engine import Engine
from rules.messages import Action, Began, Clear, Heard, Message, PictureComplete
from rules.session_caps import CapSource
from tests.rules.promise import Promise, held_rising
from tests.rules.test_hand import limits
from tests.rules.test_overload import sessions

OWN = (SESSION, POLICY, QUEUE, ALARM)
"""What the engine itself retains."""


class Mortal:
    """A promise whose engine may die; what everybody has said retained stands at the broker."""

    def __init__(self, seed: int) -> None:
        self.promise = held_rising(seed)
        self.dice = Random(seed)
        self.retained: dict[str, Heard] = {}
        """What bridge and worker have said; the first of it comes with the plant's own beginning."""
        self.own: dict[str, Heard] = {}
        for message in self.promise.plant.begin():
            self._note(message)
        inner = self.promise.drive.heed
        assert inner is not None

        def heed(message: Message, actions: list[Action], at: datetime) -> None:
            inner(message, actions, at)
            self._note(message)
            for action in actions:
                if isinstance(action, Clear):
                    self.own.pop(action.name, None)
                elif action.topic.retained:
                    address = action.topic.parse(action.name)
                    assert address is not None
                    self.own[action.name] = Heard(action.topic, address, action.payload)

        self.promise.drive.heed = heed

    def _note(self, message: Message) -> None:
        if isinstance(message, Heard) and message.topic.retained and message.topic not in OWN:
            self.retained[f"{message.topic.leaf} {message.address}"] = message

    def live(self, seconds: float) -> None:
        until = self.promise.plant.now_s + seconds
        while self.promise.plant.now_s < until:
            self.promise.advance()
            if self.dice.random() < 0.02:
                self.promise.drive.say([limits(self.promise.plant, self.dice)])

    def die(self) -> None:
        plant, drive = self.promise.plant, self.promise.drive
        drive.engine = Engine()
        levels = [level for level in self.retained.values() if level.topic is not SERVICE]
        drive.say(
            [Began(to_ms(plant.site.begin)), *levels, *self.own.values(), PictureComplete(), plant.voice.answer()]
        )


def caps(promise: Promise) -> dict[str, dict[CapSource, float]]:
    return {serial: dict(session.caps) for serial, session in sessions(promise).items()}


@pytest.mark.timeout(300)
def test_every_cap_comes_back_to_who_set_it() -> None:
    seen: set[CapSource] = set()
    for seed in range(40):
        mortal = Mortal(seed)
        for _ in range(4):
            mortal.live(mortal.dice.uniform(300, 1500))
            before = caps(mortal.promise)
            mortal.die()
            after = caps(mortal.promise)
            assert after.keys() == before.keys(), f"seed {seed}"
            assert all(after[serial] == before[serial] for serial in before), f"seed {seed}"
            seen |= {source for one in before.values() for source in one}
    assert seen >= {CapSource.TRANSFORMER, CapSource.HAND, CapSource.OVERLOAD}
