"""What rings for piles: the end of waits for their replies, repetitions, and the roll-out of tariffs."""

from collections.abc import Callable, Sequence
from functools import partial
from threading import Lock

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from evcs.contracts import waits
from evcs.runtime.clock import Clock
from evcs.runtime.log import get_logger
from webapi.gate.ask import forget_asks
from webapi.piles import answers
from webapi.piles.history import forget_history
from webapi.stations.models import Station
from webapi.tariffs import push
from webapi.worker.errors import is_away
from webapi.worker.jobs import Bell, Knowledge, guarded
from webapi.worker.shards import Shards
from webapi.worker.transactions import in_transaction

log = get_logger()

DEADLINES_EVERY_S = 1.0
ROLLOUT_EVERY_S = 5.0
AT_ONCE = 200


class PileJobs:
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
        bell.every(DEADLINES_EVERY_S, "pile_commands", guarded("pile_commands", self.give_up))
        bell.every(waits.REPEAT_S, "pile_repeats", guarded("pile_repeats", self.repeat))
        bell.every(ROLLOUT_EVERY_S, "tariffs", guarded("tariffs", self.roll_out))
        bell.nightly(3, 15, "history", guarded("history", self.forget))

    def give_up(self) -> None:
        """End the wait of overdue commands; not while replies may still wait at the broker."""
        if not self._knowledge.is_current():
            return
        with self._sessions() as session:
            found = answers.overdue(session, at=self._clock.now(), most=AT_ONCE)
        self._each(found, answers.give_up)

    def repeat(self) -> None:
        """Publish again what is unanswered and may be repeated."""
        if not self._knowledge.is_current():
            return
        with self._sessions() as session:
            found = answers.to_repeat(session, at=self._clock.now(), most=AT_ONCE)
        self._each(found, answers.repeat)

    def roll_out(self) -> None:
        """Let scheduled tariffs take effect, then push what piles lack."""
        if not self._knowledge.is_current():
            return
        with self._sessions() as session:
            today = push.scheduled(session, at=self._clock.now(), most=AT_ONCE)
        self._each([(one.pile, one.station) for one in today], push.take_effect)
        with self._sessions() as session:
            behind = push.due(session, at=self._clock.now(), most=AT_ONCE)
        self._each([(one.pile, one.station) for one in behind], push.push_if_due)

    def forget(self) -> None:
        """Clear away old history."""
        with self._writing, self._sessions.begin() as session:
            forget_history(session, at=self._clock.now())
            forget_asks(session, at=self._clock.now())

    def _each(self, found: Sequence[tuple[str, str]], work: Callable[..., object]) -> None:
        """Work on those of own stations; what fails for a reason of its own holds up nobody."""
        with self._sessions() as session:
            codes = {station for _, station in found}
            shards = {
                code: shard
                for code, shard in session.execute(select(Station.code, Station.shard).where(Station.code.in_(codes)))
            }
        for name, station in found:
            if not self._shards.owns(shards[station]):
                continue
            try:
                in_transaction(self._sessions, self._writing, partial(_at, work, name, self._clock))
            except Exception as error:
                if is_away(error):
                    raise
                log.exception("pile_job_failed", what=name)


def _at(work: Callable[..., object], name: str, clock: Clock, session: Session) -> None:
    work(session, name, at=clock.now())
