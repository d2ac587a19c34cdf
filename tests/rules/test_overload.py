"""S1 where the building draws too much: told at once, curtailed 15 s after its 60 s, given back when it is over."""

from dataclasses import dataclass, replace
from datetime import datetime

import pytest

from evcs.contracts.alarm import Alarm
from evcs.contracts.gun import Stop
from evcs.contracts.pile import PowerAllowance
from evcs.contracts.reasons import Reason
from rules.messages import Action, Clear, Message
from rules.session_caps import CapSource
from rules.simulation.plant import LEAST_PCT, Box
from rules.simulation.site import Base
from rules.station import Session
from tests.rules.promise import Promise, held_rising

TICK_S = 15.0
"""The sites are ticked this often; the process does it each second."""
TOLD_S, CUT_S = 15.0, 60.0 + 15.0
PEAK_ENDS_S, GIVEN_BACK_S = 1800.0, 1200.0


@dataclass
class Watch:
    """Beside a promise: what is told and done about an overload, and when."""

    promise: Promise
    over_since_s: float | None = None
    alarmed: bool = False
    cuts: int = 0
    stops: int = 0
    overs: int = 0
    _cut_since_over: bool = False

    def __post_init__(self) -> None:
        inner = self.promise.drive.heed
        assert inner is not None

        def heed(message: Message, actions: list[Action], at: datetime) -> None:
            inner(message, actions, at)
            self._saw(actions)

        self.promise.drive.heed = heed

    @property
    def known_s(self) -> float:
        """After so long the engine has heard of what the meter shows."""
        troubles = self.promise.plant.site.troubles
        return troubles.meter_lag_s + troubles.meter_every_s + TICK_S

    def until(self, seconds: float) -> None:
        plant = self.promise.plant
        while plant.now_s < seconds:
            self.promise.advance()
            if plant.real_pct <= 100:
                self.over_since_s, self._cut_since_over = None, False
                continue
            if self.over_since_s is None:
                self.over_since_s = plant.now_s
                self.overs += 1
            lasted_s = plant.now_s - self.over_since_s
            if lasted_s > self.known_s + TOLD_S:
                assert self.alarmed, f"nothing told of an overload since {self.over_since_s:.0f} s"
            if lasted_s > self.known_s + CUT_S + TICK_S:
                assert self._cut_since_over or not self.could_give(), (
                    f"nobody gives way at {plant.now_s:.0f} s, over since {self.over_since_s:.0f} s"
                )

    def could_give(self) -> bool:
        """Whether a pile that can be reached draws more than its floor, as it did all the while."""
        return any(
            box.back_s is None and box.percent > LEAST_PCT and _draws_kw(box) > _floor_kw(box) + 1
            for box in self.promise.plant.boxes.values()
        )

    def _saw(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, Clear):
                continue
            match action.payload:
                case Alarm(code="overload"):
                    self.alarmed = action.payload.open
                case PowerAllowance(allowance_kw=kw):
                    address = action.topic.parse(action.name)
                    assert address is not None
                    box = self.promise.plant.boxes[address.pile]
                    if kw < box.limits.rated_kw * box.percent / 100 - 0.01:
                        self._cut_since_over = True
                        self.cuts += 1
                case Stop(why=Reason.OVERLOAD_STOPPED):
                    self.stops += 1


def _draws_kw(box: Box) -> float:
    return sum(plug.draws_kw for plug in box.plugs)


def _floor_kw(box: Box) -> float:
    return box.limits.rated_kw * LEAST_PCT / 100


def sessions(promise: Promise) -> dict[str, Session]:
    (station,) = promise.drive.engine.stations()
    guns = [gun for pile in station.piles.values() for gun in pile.guns.values()]
    return {gun.session.serial: gun.session for gun in guns if gun.session is not None}


def capped_by_overload(promise: Promise) -> set[str]:
    return {serial for serial, session in sessions(promise).items() if CapSource.OVERLOAD in session.caps}


def rising(seed: int) -> Watch:
    """A site without lost meter readings: what is due is counted from what the meter has shown."""
    promise = held_rising(seed)
    plant = promise.plant
    plant.site = replace(plant.site, troubles=replace(plant.site.troubles, lost_meter=0.0))
    return Watch(promise)


@pytest.mark.timeout(300)
def test_an_overload_is_told_and_answered_in_time() -> None:
    runs = [rising(seed) for seed in range(40)]
    for run in runs:
        run.until(5400)
    # Enough happens, or the test would hold of itself.
    assert sum(run.overs for run in runs) > 10
    assert sum(run.cuts for run in runs) > 10
    assert sum(run.stops for run in runs) > 0


@pytest.mark.timeout(300)
def test_when_it_is_over_everybody_gets_his_power_back() -> None:
    """The building alone nearly fills the transformer for ten minutes; soon after nobody is held back by it."""
    still_charging = 0
    for seed in range(30):
        promise = held_rising(seed)
        promise.plant.site = replace(promise.plant.site, base=_for_ten_minutes(promise))
        promise.until(PEAK_ENDS_S)
        held_back = capped_by_overload(promise)
        promise.until(PEAK_ENDS_S + GIVEN_BACK_S)
        assert not capped_by_overload(promise), f"seed {seed}"
        still_charging += len(held_back & sessions(promise).keys())
    assert still_charging > 3


def _for_ten_minutes(promise: Promise) -> Base:
    config, calm_kw = promise.plant.site.transformer, promise.plant.site.base(0.0)
    peak_kw = 0.93 * config.rated_kva * config.power_factor
    return lambda seconds: peak_kw if PEAK_ENDS_S - 600 <= seconds < PEAK_ENDS_S else calm_kw
