"""The table: topic → what a domain folder does with its messages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from evcs.contracts import topics
from evcs.contracts.alarm import Alarm
from evcs.contracts.envelope import ContractError
from evcs.contracts.gun import GunEvent, GunReply, Verdict, VerdictKind
from evcs.contracts.topics import Address, Topic
from webapi.faults import events as faults
from webapi.gate import ask as gate
from webapi.guns import events as guns
from webapi.guns import session_level as caps
from webapi.orders import events as orders
from webapi.orders import queued
from webapi.piles import events as piles
from webapi.stations.lockout_upkeep import lock_by_alarm
from webapi.stations.stop import stop_replied
from webapi.transformers import events as transformers
from webapi.worker.answers import NOTHING, Answers

Handler = Callable[[Session, Address, Any, datetime], Answers]
Clearer = Callable[[Session, Address, datetime], None]


@dataclass(frozen=True, slots=True)
class Route:
    """One row: messages of this topic go to this function."""

    topic: Topic[Any]
    handle: Handler
    cleared: Clearer | None = None
    """What an empty level of this topic means; none: nothing."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message that is understood: whom it is for, from where, what it says."""

    route: Route
    address: Address
    payload: Any

    def handle(self, session: Session, at: datetime) -> Answers:
        """Let it have its effect in the session's transaction."""
        return self.route.handle(session, self.address, self.payload, at)


def gun_event(session: Session, address: Address, event: GunEvent, at: datetime) -> Answers:
    """What happens to a gun concerns its bay and its orders."""
    guns.gun_event(session, address, event, at)
    return orders.gun_event(session, address, event, at)


def verdict(session: Session, address: Address, said: Verdict, at: datetime) -> Answers:
    """What the gate decided concerns an order; what it was only asked, who asked."""
    if said.kind is VerdictKind.ASK_ANSWER:
        gate.answered(session, address, said, at)
        return NOTHING
    return orders.verdict(session, address, said, at)


def gun_reply(session: Session, address: Address, reply: GunReply, at: datetime) -> Answers:
    """What became of a start or stop concerns its order; of a stop also who looks at a station stop."""
    answers = orders.reply(session, address, reply, at)
    stop_replied(session, reply)
    return answers


def alarm(session: Session, address: Address, level: Alarm, at: datetime) -> Answers:
    """An alarm is kept; one with the action `lock` makes a lockout, once."""
    answers = faults.alarm_level(session, address, level, at)
    lock_by_alarm(session, address, level, at=at)
    return answers


WORK = (
    Route(topics.PILE_EVENT, piles.pile_event),
    Route(topics.PILE_REPLY, piles.pile_reply),
    Route(topics.PILE_FRAME, piles.pile_frame),
    Route(topics.GUN_EVENT, gun_event),
    Route(topics.RECORD, orders.record),
    Route(topics.METER, orders.meter),
    Route(topics.VERDICT, verdict),
    Route(topics.GUN_REPLY, gun_reply),
    Route(topics.UNKNOWN_PILE, piles.unknown_pile),
    Route(topics.ALARM, alarm),
)
"""What must not be lost: read by the work session, acknowledged when its effect is committed.

An alarm is a level, and also a record of what happened: one that is raised and over at once, or while the worker is
away, stands in no picture.

Frames are published with QoS 0, and only while somebody traces a pile: what of them is lost stays lost.
"""

VIEW = (
    Route(topics.BRIDGE_STATUS, piles.bridge_status),
    Route(topics.PILE_STATUS, piles.pile_status),
    Route(topics.GUN_STATE, guns.gun_level),
    Route(topics.SESSION, caps.session_level, caps.session_cleared),
    Route(topics.POLICY, transformers.policy_level, transformers.policy_cleared),
    Route(topics.QUEUE, queued.queue_level, queued.queue_cleared),
    Route(topics.ALARM, alarm, faults.alarm_cleared),
)
"""Levels: read by the view session, newest version only, in this order within a picture."""


def clear(session: Session, topic: str, at: datetime) -> None:
    """A level's topic stands empty: tell the folder that keeps it, where that means something."""
    for route in VIEW:
        address = route.topic.parse(topic)
        if address is not None and route.cleared is not None:
            route.cleared(session, address, at)


def understand(routes: Sequence[Route], topic: str, payload: bytes) -> Message:
    """Find the route of a message and decode it; raises ContractError for what no route understands."""
    for route in routes:
        address = route.topic.parse(topic)
        if address is not None:
            return Message(route, address, route.topic.decode(payload))
    raise ContractError(f"no route for {topic}")
