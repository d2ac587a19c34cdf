"""What became of a command: the bridge's one reply, a repetition while there is none, and the end of the wait."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts import waits
from evcs.contracts.pile import Outcome, PileCommandKind, PileReply
from evcs.contracts.reasons import Reason
from evcs.runtime.log import get_logger
from webapi.database import ROW_LOCK
from webapi.piles.command_models import CommandState, PileCommandRow
from webapi.piles.commands import REPEATED, message, publish
from webapi.piles.link import link_in_force
from webapi.tariffs.push import push_ended

log = get_logger()

REPEAT_AFTER = timedelta(seconds=waits.REPEAT_S)
_REASONS = {
    Outcome.REFUSED: Reason.PILE_REFUSED,
    Outcome.TIMED_OUT: Reason.TIMED_OUT,
    Outcome.EXPIRED: Reason.EXPIRED,
}
"""What an outcome means where the reply names no reason."""


def answered(session: Session, pile: str, reply: PileReply, *, at: datetime) -> bool:
    """Keep the reply with its command; whether it had one that still had none.

    A reply that comes after we gave up outranks our guess: it is what the pile did. One from another pile's topic
    changes nothing.
    """
    row = session.get(PileCommandRow, reply.id, with_for_update=ROW_LOCK, populate_existing=True)
    if row is None or row.pile_number != pile or row.replied_at is not None:
        return False
    reason = reply.reason or _REASONS.get(reply.outcome)
    row.state = CommandState(reply.outcome.value)
    row.reason = None if reason is None else reason.value
    row.pile_code = reply.pile_code
    row.pile_text_zh = reply.pile_text_zh[:200]
    row.pile_text_en = reply.pile_text_en[:200]
    row.cards_json = msgspec.json.encode(reply.cards).decode() if reply.cards else None
    row.replied_at = reply.received_at
    row.deadline_at = None
    session.flush()
    log.info("pile_command_answered", pile=pile, kind=row.kind.value, id=row.id, state=row.state.value)
    _consequences(session, row, at=at)
    return True


def give_up(session: Session, command: str, *, at: datetime) -> None:
    """The wait is over without a reply. Nobody knows whether the pile did it; where its login went, that is why."""
    row = session.get(PileCommandRow, command, with_for_update=ROW_LOCK, populate_existing=True)
    if row is None or row.deadline_at is None or row.deadline_at > at:
        return
    link = link_in_force(session, row.pile_number)
    is_lost = link is None or link.link != row.link
    row.state = CommandState.TIMED_OUT
    row.reason = (Reason.LINK_LOST if is_lost else Reason.TIMED_OUT).value
    row.deadline_at = None
    session.flush()
    log.warning("pile_command_unanswered", pile=row.pile_number, kind=row.kind.value, id=row.id, reason=row.reason)
    _consequences(session, row, at=at)


def repeat(session: Session, command: str, *, at: datetime) -> None:
    """Publish an unanswered command again under its id, to the login in force."""
    row = session.get(PileCommandRow, command, with_for_update=ROW_LOCK, populate_existing=True)
    if row is None or row.deadline_at is None or row.kind not in REPEATED:
        return
    link = link_in_force(session, row.pile_number)
    if link is None or row.expires_at <= at or row.last_sent_at > at - REPEAT_AFTER:
        return
    row.bridge, row.link = link.bridge, link.link
    row.tries += 1
    row.last_sent_at = at
    session.flush()
    publish(session, row, message(row, link), at=at)


def overdue(session: Session, *, at: datetime, most: int) -> list[tuple[str, str]]:
    """(id, station) of the commands whose wait is over."""
    query = (
        select(PileCommandRow.id, PileCommandRow.station_code)
        .where(PileCommandRow.deadline_at <= at)
        .order_by(PileCommandRow.deadline_at)
        .limit(most)
    )
    return [(command, station) for command, station in session.execute(query)]


def to_repeat(session: Session, *, at: datetime, most: int) -> list[tuple[str, str]]:
    """(id, station) of the commands that may be due for a repetition."""
    query = (
        select(PileCommandRow.id, PileCommandRow.station_code)
        .where(
            PileCommandRow.deadline_at.is_not(None),
            PileCommandRow.kind.in_(REPEATED),
            PileCommandRow.expires_at > at,
            PileCommandRow.last_sent_at <= at - REPEAT_AFTER,
        )
        .order_by(PileCommandRow.deadline_at)
        .limit(most)
    )
    return [(command, station) for command, station in session.execute(query)]


def _consequences(session: Session, row: PileCommandRow, *, at: datetime) -> None:
    if row.kind is PileCommandKind.TARIFF_PUSH:
        push_ended(session, row, at=at)
