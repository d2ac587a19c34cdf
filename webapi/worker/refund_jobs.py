"""What rings for refunds: parts are sent to their channels and asked for, outside of transactions."""

from collections.abc import Mapping
from functools import partial
from threading import Lock

from sqlalchemy.orm import Session, sessionmaker

from evcs.runtime.clock import Clock
from evcs.runtime.log import get_logger
from webapi.payments.gateway import Gateway, RefundAnswer, RefundAnswered
from webapi.refunds.send import Due, apply_answer, due_parts, take, tell_unconnected
from webapi.worker.errors import is_away
from webapi.worker.jobs import Bell, guarded
from webapi.worker.shards import Shards
from webapi.worker.transactions import in_transaction

log = get_logger()

REFUNDS_EVERY_S = 5.0
AT_ONCE = 50


class RefundJobs:
    """Owner 1 alone sends: refunds belong to no shard. `gateways`: by channel; without one a part waits as approved."""

    def __init__(
        self,
        sessions: "sessionmaker[Session]",
        clock: Clock,
        shards: Shards,
        writing: Lock,
        gateways: Mapping[str, Gateway],
    ) -> None:
        self._sessions = sessions
        self._clock = clock
        self._shards = shards
        self._writing = writing
        self._gateways = gateways

    def ring_on(self, bell: Bell) -> None:
        """Hang it up."""
        if self._shards.owner == 1:
            bell.every(REFUNDS_EVERY_S, "refunds", guarded("refunds", self.send))

    def send(self) -> None:
        """Send what is due, and ask for what is on its way; one that fails for a reason of its own holds up nobody."""
        in_transaction(self._sessions, self._writing, self._tell)
        with self._sessions() as session:
            due = due_parts(session, self._gateways.keys(), at=self._clock.now(), most=AT_ONCE)
        for part_id in due:
            try:
                self._one(part_id)
            except Exception as error:
                if is_away(error):
                    raise
                log.exception("refund_job_failed", part=part_id)

    def _one(self, part_id: int) -> None:
        due = in_transaction(self._sessions, self._writing, partial(take, part_id=part_id, at=self._clock.now()))
        if due is None:
            return
        answer = self._ask(due)
        state = in_transaction(
            self._sessions, self._writing, partial(apply_answer, part_id=part_id, answer=answer, at=self._clock.now())
        )
        log.info("refund_answered", part=part_id, state=None if state is None else state.value, why=answer.why)

    def _ask(self, due: Due) -> RefundAnswer:
        gateway = self._gateways[due.order.channel]
        try:
            known = gateway.query_refund(due.order.out_refund_no) if due.is_sent else None
            return gateway.refund(due.order) if known is None else known
        except Exception as error:
            log.warning("refund_unknown", part=due.part_id, reason=f"{type(error).__name__}: {error}")
            return RefundAnswer(RefundAnswered.UNKNOWN, why=f"{type(error).__name__}"[:200])

    def _tell(self, session: Session) -> None:
        tell_unconnected(session, self._gateways.keys())
