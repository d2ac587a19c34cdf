"""Retained configuration: as it should be, from the database, brought into agreement with what the broker has.

Published again after every reconnect and whenever a row changes; what no longer exists is cleared; an older level that
stands on an own topic is answered with the newest. What is held here is published also while the database is away.
"""

from collections.abc import Iterable
from concurrent.futures import Future
from typing import Protocol

import msgspec
from sqlalchemy import update
from sqlalchemy.orm import Session

from evcs.contracts import topics
from evcs.runtime.log import get_logger
from webapi.faults.models import FaultDictionary
from webapi.piles.models import Pile
from webapi.stations.models import Station
from webapi.worker.configuration import Level, levels, revisions
from webapi.worker.shards import Shards

log = get_logger()

OWN = (topics.CONFIG_TARIFF, topics.CONFIG_FAULT_CODES, topics.CONFIG_STATION, topics.CONFIG_PILE)
"""Topics that only the worker publishes."""


class Publisher(Protocol):
    """What is needed of the work session."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> "Future[None]": ...


class _Versioned(msgspec.Struct, frozen=True):
    version: int


_decoder = msgspec.json.Decoder(_Versioned)


def version_of(payload: bytes) -> int:
    """Version of a level that stands somewhere; 0 for nothing and for what cannot be read."""
    try:
        return _decoder.decode(payload).version if payload else 0
    except msgspec.DecodeError:
        return 0


class Retained:
    """What this owner holds under `config/…`. Used by one thread at a time."""

    def __init__(self, session: Publisher, shards: Shards) -> None:
        self._session = session
        self._shards = shards
        self._held: dict[str, Level] = {}
        self._standing: dict[str, int] = {}
        self._revisions: tuple[int, ...] | None = None

    def sync(self, session: Session) -> "list[Future[None]]":
        """Read the rows, when any revision has moved, and publish what is new; clear what is gone."""
        now = revisions(session)
        if now == self._revisions:
            return []
        wanted = {level.topic: level for level in levels(session, self._shards)}
        sent = []
        for topic, level in wanted.items():
            held = self._held.get(topic)
            if held is None or held.payload != level.payload:
                if held is not None and level.version <= held.version:
                    log.warning("revision_not_raised", topic=topic, version=level.version)
                sent.append(self._publish(level))
        for topic in self._held.keys() - wanted.keys():
            sent.append(self._clear(topic))
        self._held = wanted
        self._revisions = now
        return sent

    def publish_all(self) -> "list[Future[None]]":
        """Publish everything again, as after each reconnect and for a `rules` that just started."""
        return [self._publish(level) for level in self._held.values()]

    def seen(self, topic: str, payload: bytes) -> None:
        """Something stands on an own topic; an older level than ours is answered with ours."""
        version = version_of(payload)
        if payload:
            self._standing[topic] = version
        else:
            self._standing.pop(topic, None)
        held = self._held.get(topic)
        if held is not None and version < held.version:
            self._publish(held)

    def forget_standing(self) -> None:
        """A new picture begins."""
        self._standing.clear()

    def compare(self, session: Session) -> "list[Future[None]]":
        """With a complete picture: clear what stands and should not, raise revisions that lag behind what stands.

        A revision lags where the database was put back to an earlier state: readers would not take it.
        """
        if self._revisions is None:
            return []
        sent = []
        for topic, version in list(self._standing.items()):
            held = self._held.get(topic)
            if held is None:
                if self._is_ours(session, topic):
                    log.info("configuration_cleared", topic=topic)
                    sent.append(self._clear(topic))
            elif version > held.version:
                self._raise(session, topic, version + 1)
        return sent + self.sync(session)

    def _is_ours(self, session: Session, topic: str) -> bool:
        """Whether a level that we do not hold is ours to clear: owner 1 clears what no owner could hold."""
        if self._shards.owners == 1:
            return True
        at_station = topics.CONFIG_STATION.parse(topic)
        station = None if at_station is None else session.get(Station, at_station.station)
        at_pile = topics.CONFIG_PILE.parse(topic)
        pile = None if at_pile is None else session.get(Pile, at_pile.pile)
        if pile is not None:
            station = session.get(Station, pile.station_code)
        return self._shards.owner == 1 if station is None else self._shards.owns(station.shard)

    def _raise(self, session: Session, topic: str, revision: int) -> None:
        at_station, at_pile = topics.CONFIG_STATION.parse(topic), topics.CONFIG_PILE.parse(topic)
        if at_station is not None:
            session.execute(update(Station).where(Station.code == at_station.station).values(revision=revision))
        elif at_pile is not None:
            session.execute(update(Pile).where(Pile.number == at_pile.pile).values(revision=revision))
        elif topics.CONFIG_FAULT_CODES.parse(topic) is not None:
            session.execute(update(FaultDictionary).values(revision=revision))
        else:
            return
        log.warning("revision_raised", topic=topic, revision=revision)

    def _publish(self, level: Level) -> "Future[None]":
        return self._session.publish(level.topic, level.payload, retain=True)

    def _clear(self, topic: str) -> "Future[None]":
        self._standing.pop(topic, None)
        return self._session.publish(topic, b"", retain=True)


def filters() -> Iterable[str]:
    """The subscriptions to all own topics."""
    return (topic.everywhere for topic in OWN)
