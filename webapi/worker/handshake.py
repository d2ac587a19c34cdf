"""The handshake with `rules`: what each start of a shard is told before it may admit anything.

A `rules` level with a new `since_ms` is answered by the configuration anew, one `resume` per order that may draw power,
and then by the worker's own level, naming that start and how many orders it was told.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts import topics
from evcs.contracts.bridge import Answered, ServiceStatus
from evcs.contracts.gun import Resume, StartRequest
from evcs.contracts.states import OrderState
from webapi.orders import messages
from webapi.orders.models import Order
from webapi.stations.models import Station
from webapi.worker.answers import Answer
from webapi.worker.enqueue import new_id
from webapi.worker.shards import Shards, of_instance

RESUMED = frozenset(
    {
        OrderState.COMMANDED,
        OrderState.STARTING,
        OrderState.CHARGING,
        OrderState.STOPPING,
        OrderState.EXCEPTION,
    }
)
"""Open orders that were admitted; of these, all whose end was not seen. An order that still asks asks by itself."""

TOLD = RESUMED | {OrderState.QUEUED}
"""One that waits is told as its request again, with its place: before `rules` is sure it knows everybody in line."""


class Handshake:
    """Which starts of which shards were answered. Used by one thread."""

    def __init__(self) -> None:
        self._ready: dict[str, ServiceStatus] = {}
        self._answered: dict[str, Answered] = {}

    def seen(self, status: ServiceStatus) -> None:
        """A level of a `rules` shard."""
        held = self._ready.get(status.instance)
        if held is None or status.version >= held.version:
            self._ready[status.instance] = status

    def due(self) -> list[ServiceStatus]:
        """Shards that are ready and whose start was not answered yet."""
        return [
            status
            for instance, status in sorted(self._ready.items())
            if status.ready and (instance not in self._answered or self._answered[instance].since_ms != status.since_ms)
        ]

    def done(self, status: ServiceStatus, resumes: int) -> None:
        """Everything for this start is with the broker."""
        self._answered[status.instance] = Answered(instance=status.instance, since_ms=status.since_ms, resumes=resumes)

    @property
    def answered(self) -> tuple[Answered, ...]:
        """For the worker's own level."""
        return tuple(self._answered[instance] for instance in sorted(self._answered))


def resumes(session: Session, status: ServiceStatus, own: Shards, at: datetime) -> list[Answer]:
    """What a start of `rules` is told of open orders: of the stations that both it and this worker serve."""
    theirs = of_instance(status.instance)
    query = (
        select(Order, Station.shard)
        .join(Station, Station.code == Order.station_code)
        .where(Order.state.in_(TOLD), Order.end_observed_at.is_(None), Order.tariff_version_id.is_not(None))
        .order_by(Order.serial)
    )
    return [
        Answer(
            topic=topics.REQUEST.at(station=order.station_code, pile=order.pile_number, gun=order.gun_no),
            payload=topics.REQUEST.encode(_told(order, status, at)),
        )
        for order, shard in session.execute(query)
        if own.owns(shard) and (theirs is None or theirs.owns(shard))
    ]


def _told(order: Order, status: ServiceStatus, at: datetime) -> StartRequest | Resume:
    if order.state is OrderState.QUEUED:
        return messages.start_request(order, rules_since_ms=status.since_ms)
    return messages.resume(order, id=new_id(), rules_since_ms=status.since_ms, at=at)
