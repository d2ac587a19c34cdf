"""Limits by hand, set and lifted at any moment: lower at once, higher weighed, the transformer never too full."""

from random import Random

import pytest
from msgspec.structs import replace

from evcs.contracts.config import StationConfig
from rules.messages import Heard
from rules.session_caps import CapSource
from rules.simulation.plant import Plant
from tests.rules.promise import Promise, held
from tests.rules.test_overload import sessions


def limits(plant: Plant, dice: Random) -> Heard:
    """A new configuration in which somebody has set or lifted a few limits."""
    heard = plant.voice.config()
    assert isinstance(heard.payload, StationConfig)
    piles = tuple(
        replace(
            pile,
            guns=tuple(
                replace(gun, hand_limit_kw=None if dice.random() < 0.5 else gun.rated_kw * dice.random())
                for gun in pile.guns
            ),
        )
        for pile in heard.payload.piles
    )
    return Heard(heard.topic, heard.address, replace(heard.payload, piles=piles))


@pytest.mark.timeout(300)
def test_whatever_people_limit_and_lift_nothing_is_overloaded() -> None:
    """The promise (planned at each rise, and the real load) is held by `Promise` itself, after every step."""
    heeded = lifted = 0
    for seed in range(80):
        promise, dice = held(seed), Random(seed)
        limited: dict[str, float] = {}
        while promise.plant.now_s < 3600:
            promise.advance()
            if dice.random() < 0.02:
                promise.drive.say([limits(promise.plant, dice)])
            now = _limited(promise)
            heeded += len(now.keys() - limited.keys())
            lifted += len((limited.keys() - now.keys()) & sessions(promise).keys())
            limited = now
    assert heeded > 80
    assert lifted > 20


def _limited(promise: Promise) -> dict[str, float]:
    """Sessions that a limit by hand holds below their gun's rating."""
    return {
        serial: session.caps[CapSource.HAND]
        for serial, session in sessions(promise).items()
        if CapSource.HAND in session.caps
    }
