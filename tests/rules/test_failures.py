"""What goes wrong at one station neither stops nor delays the others (the rule runs for all of them in one process)."""

from dataclasses import dataclass

import pytest

from evcs.contracts.config import StationConfig
from evcs.contracts.topics import CONFIG_STATION, POLICY
from evcs.contracts.transformer import TransformerPolicy
from rules.engine import Engine
from rules.messages import Began, Clear, Message, PictureComplete, Tick
from tests.rules.town import SINCE_MS, TRANSFORMER, Town, after, heard


class Unlucky(RuntimeError):
    """Raised at one station."""


@dataclass
class Broken:
    """A configuration on which the rule trips: it has no figures."""

    transformer: str = TRANSFORMER

    @property
    def has_meter(self) -> bool:
        raise Unlucky

    def __getattr__(self, name: str) -> object:
        raise Unlucky(name)


def begin(engine: Engine) -> Town:
    town = Town([{"pile": "p1", "guns": [100]}])
    other = StationConfig(
        version=1, station="a0", shard="00", tenant="acme", transformers=(town.transformer,), piles=()
    )
    first: list[Message] = [
        Began(SINCE_MS),
        heard(CONFIG_STATION, other, station="a0"),
        *town.picture(after(0)),
        PictureComplete(),
        town.answer(0),
    ]
    for message in first:
        engine.step(message, after(0))
    for station in engine.stations():
        if station.code == "a0":
            station.transformers[TRANSFORMER].configured = Broken()  # type: ignore[assignment]
    return town


def stations_told(engine: Engine, at: float) -> set[str]:
    told = set()
    for action in engine.step(Tick(), after(at)):
        if not isinstance(action, Clear) and isinstance(action.payload, TransformerPolicy):
            address = POLICY.parse(action.name)
            assert address is not None
            told.add(address.station)
    return told


def test_the_others_are_served_and_the_failure_is_told() -> None:
    failed: list[tuple[str, Exception]] = []
    engine = Engine(on_failure=lambda station, error: failed.append((station, error)))
    begin(engine)
    assert stations_told(engine, 20) == {"s1"}
    assert [(station, type(error)) for station, error in failed] == [("a0", Unlucky)]


def test_where_nobody_wants_to_know_a_failure_is_raised() -> None:
    engine = Engine()
    begin(engine)
    with pytest.raises(Unlucky):
        engine.step(Tick(), after(20))


def test_a_reading_before_the_configuration_counts_as_soon_as_it_comes() -> None:
    town = Town([{"pile": "p1", "guns": [100]}], {"has_meter": True})
    engine = Engine()
    for message in (Began(SINCE_MS), PictureComplete(), town.meter(after(0), kva=100)):
        assert not [action for action in engine.step(message, after(0)) if not isinstance(action, Clear)]
    for first in town.picture(after(1)):
        engine.step(first, after(1))
    told = [action.payload for action in engine.step(Tick(), after(2)) if not isinstance(action, Clear)]
    assert [policy.meter_kva for policy in told if isinstance(policy, TransformerPolicy)] == [100]


def test_a_gun_on_which_the_rule_trips_does_not_keep_its_transformer_from_being_watched() -> None:
    failed: list[str] = []
    engine = Engine(on_failure=lambda station, error: failed.append(f"{station} {type(error).__name__}"))
    town = begin(engine)
    for message in (town.request("p1", 1, after(1), id="a"), town.level("p1", 1, "charging", after(2), of="a")):
        engine.step(message, after(2))
    for station in engine.stations():
        session = station.piles["p1"].guns[1].session if station.code == "s1" else None
        if session is not None:
            session.goal = Broken()  # type: ignore[assignment]
    assert stations_told(engine, 20) == {"s1"}
    assert failed == ["s1 Unlucky", "a0 Unlucky"]
