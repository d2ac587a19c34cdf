"""Putting a message into the outbox, in the transaction of the change that it follows from."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar
from uuid import uuid4

from sqlalchemy.orm import Session

from evcs.contracts.ids import shard_of
from evcs.contracts.topics import Topic
from webapi.worker.models import OutboxRow

P = TypeVar("P")

_IS_PAST = "of the past: nobody is told"


def enqueue(
    session: Session,
    topic: Topic[P],
    payload: P,
    *,
    at: datetime,
    station: str,
    levels: Mapping[str, str | int],
    expires_at: datetime | None = None,
    is_secret: bool = False,
) -> OutboxRow:
    """Have a message of a station published after the commit, in order per station.

    `levels` are those of the topic besides the station. After `expires_at` it is not published any more. What
    `is_secret` leaves no row behind: it is deleted as soon as it is published or expired. Within `silence`
    nothing is published, and no row kept.
    """
    row = OutboxRow(
        shard=shard_of(station),
        station_code=station,
        topic=topic.at(station=station, **levels),
        payload=topic.encode(payload),
        retain=topic.retained,
        expires_at=expires_at,
        created_at=at,
        published_at=None,
        is_secret=is_secret,
    )
    if not session.info.get(_IS_PAST):
        session.add(row)
    return row


@contextmanager
def silence(session: Session) -> Iterator[None]:
    """What use cases do here happened long ago: its messages were heard then, and nobody may act on them now.

    An expired row would do for a command, but changes of orders never expire, and a page would show them as news.
    """
    session.info[_IS_PAST] = True
    try:
        yield
    finally:
        del session.info[_IS_PAST]


def new_id() -> str:
    """A message id that nobody has used."""
    return uuid4().hex
