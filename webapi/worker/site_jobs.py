"""What rings for sites: timed lockouts end, what charges in spite of one is stopped, limits by hand are given up."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from threading import Lock

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from evcs.runtime.clock import Clock
from evcs.runtime.log import get_logger
from webapi.guns import power_follow
from webapi.guns.models import Gun
from webapi.piles.models import Pile
from webapi.stations import lockout_upkeep
from webapi.stations.lockouts import Locked, locked_places, run_out, station_of
from webapi.stations.models import Station
from webapi.stations.stop import lock_station, pursue
from webapi.worker.errors import is_away
from webapi.worker.jobs import Bell, Knowledge, guarded
from webapi.worker.shards import Shards
from webapi.worker.transactions import in_transaction

log = get_logger()

STOPS_EVERY_S = 1.0
RUN_OUT_EVERY_S = 1.0
LOCKED_EVERY_S = 5.0
LIMITS_EVERY_S = 2.0
AT_ONCE = 200


class SiteJobs:
    """Each piece of work is a transaction of its own, judged anew under its lock."""

    def __init__(
        self,
        sessions: "sessionmaker[Session]",
        clock: Clock,
        shards: Shards,
        writing: Lock,
        knowledge: Knowledge,
    ) -> None:
        self._sessions = sessions
        self._clock = clock
        self._shards = shards
        self._writing = writing
        self._knowledge = knowledge

    def ring_on(self, bell: Bell) -> None:
        """Hang all of them up."""
        bell.every(STOPS_EVERY_S, "station_stops", guarded("station_stops", self.pursue_stops))
        bell.every(RUN_OUT_EVERY_S, "lockouts_run_out", guarded("lockouts_run_out", self.end_lockouts))
        bell.every(LOCKED_EVERY_S, "lockouts", guarded("lockouts", self.keep_locked))
        bell.every(LIMITS_EVERY_S, "limits", guarded("limits", self.give_up_limits))

    def give_up_limits(self) -> None:
        """End the wait for an engine that does not heed limits; not while its levels may still wait at the broker."""
        if not self._knowledge.is_current():
            return
        with self._sessions() as session:
            found = power_follow.overdue(session, at=self._clock.now(), most=AT_ONCE)
            shards = {
                code: shard
                for code, shard in session.execute(
                    select(Station.code, Station.shard).where(Station.code.in_({station for _, station in found}))
                )
            }
        for key, station in found:
            if self._shards.owns(shards[station]):
                self._do(str(key), partial(_give_up, key))

    def pursue_stops(self) -> None:
        """Look at the guns of stopped stations; not while their levels may still wait at the broker."""
        if not self._knowledge.is_current():
            return
        with self._sessions() as session:
            query = select(Station.code, Station.shard).where(
                Station.station_stop_since.is_not(None), Station.archived_at.is_(None)
            )
            stopped = [code for code, shard in session.execute(query) if self._shards.owns(shard)]
        for code in stopped:
            self._do(code, partial(_pursue, code))

    def end_lockouts(self) -> None:
        """End what was locked out until now."""
        with self._sessions() as session:
            found = self._own(session, run_out(session, at=self._clock.now()))
        for kind, key in found:
            self._do(str(key), partial(_upkeep, kind, key, lockout_upkeep.end_run_out))

    def keep_locked(self) -> None:
        """Stop, again, what charges at locked places."""
        if not self._knowledge.is_current():
            return
        with self._sessions() as session:
            found = self._own(session, locked_places(session))
        for kind, key in found:
            self._do(str(key), partial(_upkeep, kind, key, lockout_upkeep.stop_what_charges))

    def _own(self, session: Session, places: list[Locked]) -> list[tuple[type[Locked], str | tuple[str, int]]]:
        return [_key(place) for place in places if self._shards.owns(station_of(session, place).shard)]

    def _do(self, name: str, work: Callable[[Session, datetime], object]) -> None:
        """What fails for a reason of its own holds up nobody."""
        try:
            in_transaction(self._sessions, self._writing, lambda session: work(session, self._clock.now()))
        except Exception as error:
            if is_away(error):
                raise
            log.exception("site_job_failed", what=name)


def _key(place: Locked) -> tuple[type[Locked], str | tuple[str, int]]:
    match place:
        case Station(code=code):
            return Station, code
        case Pile(number=number):
            return Pile, number
        case Gun(pile_number=pile, no=no):
            return Gun, (pile, no)


def _give_up(key: tuple[int, str, int], session: Session, at: datetime) -> None:
    power_follow.give_up(session, key, at=at)


def _pursue(code: str, session: Session, at: datetime) -> None:
    pursue(session, lock_station(session, code), at=at)


def _upkeep(
    kind: type[Locked], key: str | tuple[str, int], work: Callable[..., object], session: Session, at: datetime
) -> None:
    work(session, session.get_one(kind, key), at=at)
