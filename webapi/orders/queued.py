"""An order that waits for the band: what it repeats to the gate, and the place that people see.

The order's row is the authority over who waits: since when and until when stand in the verdict that put it in line.
Its place changes with the others; `rules` tells it in `T/queue`.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session, object_session

from evcs.contracts import waits
from evcs.contracts.gun import Verdict, VerdictKind
from evcs.contracts.states import OrderState
from evcs.contracts.topics import Address
from evcs.contracts.transformer import TransformerQueue
from evcs.runtime.log import get_logger
from webapi.orders.models import Order, QueuePlace
from webapi.transformers.models import Transformer
from webapi.worker.answers import NOTHING, Answers

log = get_logger()


@dataclass(frozen=True, slots=True)
class Line:
    """Since when an order waits, and until when at the latest."""

    since: datetime
    until: datetime
    position: int | None
    """When it joined."""


@dataclass(frozen=True, slots=True)
class QueueView:
    """Where a waiting order stands."""

    position: int | None
    since: datetime
    until: datetime
    estimate_s: int | None


def line_of(order: Order) -> Line | None:
    """The line in which a waiting order stands, as the gate put it there; None: it does not wait."""
    if order.state is not OrderState.QUEUED:
        return None
    said = None if order.verdict_json is None else msgspec.json.decode(order.verdict_json, type=Verdict)
    if said is not None and said.kind is VerdictKind.QUEUED and said.queue_until is not None:
        return Line(said.decided_at, said.queue_until, said.position)
    return Line(order.state_since, order.state_since + timedelta(seconds=waits.QUEUE_S), None)


def queue_view(order: Order) -> QueueView | None:
    """What its driver sees; the place is the newest that was told."""
    line, session = line_of(order), object_session(order)
    if line is None or session is None:
        return None
    place = session.get(QueuePlace, order.serial)
    if place is None:
        return QueueView(line.position, line.since, line.until, None)
    return QueueView(place.position, line.since, line.until, place.estimate_s)


def queue_level(session: Session, address: Address, level: TransformerQueue, at: datetime) -> Answers:
    """Keep the newest places of a transformer's queue; who is not named any more has none."""
    transformer = session.get(Transformer, address.transformer)
    if transformer is None or transformer.station_code != address.station:
        log.warning("queue_of_unknown_transformer", station=address.station, transformer=address.transformer)
        return NOTHING
    standing = session.scalars(select(QueuePlace).where(QueuePlace.transformer_code == address.transformer)).all()
    if any(place.version >= level.version for place in standing):
        return NOTHING
    told = {one.serial: one for one in level.waiting}
    for place in standing:
        if place.order_serial not in told:
            session.delete(place)
    orders = select(Order.serial).where(Order.serial.in_(told), Order.station_code == address.station)
    for serial in session.scalars(orders):
        one = told[serial]
        session.merge(
            QueuePlace(
                order_serial=serial,
                transformer_code=address.transformer,
                position=one.position,
                estimate_s=one.estimate_s,
                version=level.version,
            )
        )
    session.flush()
    return NOTHING


def queue_cleared(session: Session, address: Address, at: datetime) -> None:
    """Its topic stands empty: nobody waits there."""
    session.execute(delete(QueuePlace).where(QueuePlace.transformer_code == address.transformer))
