"""What is told: retained levels brought to what is held, and verdicts."""

from datetime import datetime

from evcs.contracts.gun import Verdict
from evcs.contracts.times import to_ms
from evcs.contracts.topics import POLICY, SESSION, VERDICT
from rules import degraded
from rules.known import Known, Place
from rules.load import Load, load_of, meter_kva
from rules.messages import Publish
from rules.policy import policy_due, policy_of
from rules.sessions import level_of
from rules.station import Pile, Station, Transformer


def follow_band(known: Known, station: Station, transformer: Transformer, now: datetime) -> Load:
    """Bring the band, and which figures of the rule are in force, to the load at `now`; returns it."""
    assert transformer.configured is not None
    is_allowed = degraded.is_allowed(transformer.configured, now)
    transformer.set_degraded(is_allowed and meter_kva(transformer, now) is None)
    assert transformer.config is not None
    load = load_of(station, transformer, now)
    transformer.band.step(transformer.config, load.load_pct, now)
    if policy_due(transformer, load, now):
        policy = policy_of(station, transformer, load, now, to_ms(now))
        transformer.policy, transformer.policy_at, transformer.version = policy, now, policy.version
        name = POLICY.at(station=station.code, transformer=transformer.code)
        known.out.append(Publish(POLICY, name, policy))
    return load


def publish_pile(known: Known, station: Station, pile: Pile, now: datetime, *, first: bool = False) -> None:
    for gun in pile.configured:
        publish_gun(known, Place(station, pile, gun), now, first=first)


def publish_gun(known: Known, place: Place, now: datetime, *, first: bool = False) -> None:
    """Bring the gun's retained level to what is held; before a gun is known nothing is said about it."""
    pile, gun = place.pile, place.gun
    if gun.config is None or pile.limits is None or not gun.is_known:
        return
    config = place.station.transformer(pile.limits.transformer).config
    level = level_of(pile, gun, config, now, to_ms(now))
    if level is None:
        return
    gun.published, gun.version = level, level.version
    known.out.append(Publish(SESSION, place.at(SESSION), level, first=first))


def say(known: Known, place: Place, verdict: Verdict) -> None:
    known.out.append(Publish(VERDICT, place.at(VERDICT), verdict))
