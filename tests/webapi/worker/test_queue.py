"""Who waits, over a real broker: the place that rules tells, and what a rules that starts is told."""

from datetime import timedelta

import msgspec

from evcs.contracts import topics
from evcs.contracts.gun import StartRequest
from evcs.contracts.states import OrderState
from evcs.contracts.transformer import TransformerQueue, Waiting
from tests.webapi import said
from tests.webapi.books import PILE, STATION
from tests.webapi.worker.scene import Placed, Scene, until
from tests.webapi.worker.test_policy import code
from webapi.database import sessions
from webapi.orders.models import Order
from webapi.orders.queued import queue_view


def put_in_line(scene: Scene) -> Placed:
    """An order that the gate lets wait for ten minutes."""
    placed = scene.place()
    request = scene.request_of(placed.serial)
    verdict = said.verdict(request.id, placed.serial, said.VerdictKind.QUEUED)
    scene.peer.say(
        topics.VERDICT,
        msgspec.structs.replace(verdict, position=2, queue_until=verdict.decided_at + timedelta(minutes=10)),
    )
    scene.reaches(placed.serial, OrderState.QUEUED)
    return placed


def test_a_rules_that_starts_is_told_who_waits_before_it_is_answered(scene: Scene) -> None:
    scene.start()
    scene.peer.log_in()
    waiting = put_in_line(scene)
    after = scene.observer.count
    scene.peer.rules_ready(since_ms=41)
    answered, level = scene.observer.wait(
        topics.SERVICE, lambda one: one.name == "worker" and any(a.since_ms == 41 for a in one.answered), after=after
    )
    assert [answer.resumes for answer in level.answered] == [1]
    ((number, request),) = [(n, one) for n, _, one in scene.observer.of(topics.REQUEST, after)]
    assert number < answered
    assert isinstance(request, StartRequest)
    assert (request.serial, request.rules_since_ms) == (waiting.serial, 41)
    assert request.queued_since == said.at(1)
    assert request.queue_until == request.expires_at == said.at(601)


def test_the_place_that_rules_tells_stands_with_the_order(scene: Scene) -> None:
    scene.start()
    scene.peer.log_in()
    waiting = put_in_line(scene)
    with sessions(scene.engine)() as session:
        transformer = code(session)

    def told(version: int, position: int | None) -> None:
        place = Waiting(
            serial=waiting.serial, pile=PILE, gun=1, position=position or 1, expires_at=said.at(601), estimate_s=90
        )
        level = TransformerQueue(version=version, transformer=transformer, waiting=(place,) if position else ())
        scene.peer.say(topics.QUEUE, level, station=STATION, transformer=transformer)

    def shown() -> tuple[int | None, int | None] | None:
        with sessions(scene.engine)() as session:
            view = queue_view(session.get_one(Order, waiting.serial))
            return None if view is None else (view.position, view.estimate_s)

    assert shown() == (2, None)
    told(5, 1)
    until(lambda: shown() == (1, 90), "the new place is shown")
    told(6, None)
    until(lambda: shown() == (2, None), "without a place only the first one is known")
