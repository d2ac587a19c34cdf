"""Where the engine hands over what may raise or clear an alarm; each kind of alarm lives in its own file."""

from datetime import datetime

from evcs.contracts.config import FaultCodes
from evcs.contracts.gun import GunEvent
from rules import absence, faults, pile_alarms
from rules.known import Known, Place
from rules.protection import actions, insulation, watch
from rules.station import Station


def on_codes(known: Known, table: FaultCodes, now: datetime) -> None:
    """Another dictionary: what stands open says it in the new words."""
    if known.dictionary.take(table):
        for station in known.stations.values():
            follow_station(known, station, now)


def on_gun_event(known: Known, place: Place, event: GunEvent, now: datetime) -> None:
    faults.on_event(known, place, event, now)
    insulation.on_event(known, place, event, now)


def follow_station(known: Known, station: Station, now: datetime) -> None:
    """A new configuration or dictionary: what levels say is looked at again."""
    for pile in station.piles.values():
        pile_alarms.follow_clock(known, station, pile, now)
        for gun in pile.configured:
            faults.follow_level(known, Place(station, pile, gun), now)


def settle(known: Known, station: Station, now: datetime) -> None:
    """The picture is complete: what stood open is held by its source again, or cleared where it is not true."""
    watch.settle(station)
    absence.settle(known, station, now)
    for pile in station.piles.values():
        pile_alarms.follow_restored(known, station, pile, now)
        for gun in pile.configured:
            place = Place(station, pile, gun)
            insulation.settle(place)
            faults.follow_level(known, place, now)


def tick(known: Known, station: Station, now: datetime) -> None:
    """Once a second."""
    absence.tick(known, station, now)
    for pile in station.piles.values():
        for gun in pile.configured:
            watch.tick_gun(known, Place(station, pile, gun), now)
    actions.tick(known, station, now)
