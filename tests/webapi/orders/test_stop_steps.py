"""A stop step by step: sent, acknowledged, no power, settled; unanswered it raises an alarm and is repeated."""

from datetime import datetime

import msgspec
import pytest
from sqlalchemy import select

from evcs.contracts.pile import Outcome
from evcs.contracts.states import GunState, OrderState
from tests.webapi.books import Books
from tests.webapi.orders.test_events import Scene
from tests.webapi.said import AT_GUN, at, reply
from webapi.faults.models import AlarmRecord
from webapi.orders import events
from webapi.orders.stop import stop_order
from webapi.orders.stop_steps import StopStage, StopSteps, stop_steps


class StopScene(Scene):
    """A charge that somebody stops."""

    @property
    def steps(self) -> StopSteps:
        self.session.flush()
        found = stop_steps(self.session, self.order)
        assert found is not None
        return found

    @property
    def alarms(self) -> list[tuple[datetime, datetime | None]]:
        return [(one.raised_at, one.cleared_at) for one in self.session.scalars(select(AlarmRecord))]

    def stop(self, seconds: float) -> None:
        stop_order(self.session, self.order.serial, by="user:1", at=at(seconds))

    def answer(self, outcome: Outcome, seconds: float, id: str | None = None) -> None:
        """What the pile answers to the stop in force."""
        said = msgspec.structs.replace(reply(self.order.serial, outcome), command="stop", id=id or self.order.stop_id)
        events.reply(self.session, AT_GUN, said, at(seconds))


@pytest.fixture
def scene(books: Books) -> StopScene:
    found = StopScene(books)
    found.charge()
    return found


def test_a_stop_shows_each_step_with_its_time(scene: StopScene) -> None:
    assert stop_steps(scene.session, scene.order) is None
    scene.stop(100)
    assert (scene.steps.stage, scene.steps.asked_at, scene.steps.sent_at) == (StopStage.SENT, at(100), at(100))
    scene.answer(Outcome.ACCEPTED, 101)
    assert (scene.steps.stage, scene.steps.acknowledged_at) == (StopStage.ACKNOWLEDGED, at(101))
    assert scene.state is OrderState.STOPPING
    scene.level(GunState.FINISHED, 4, 104)
    assert (scene.steps.stage, scene.steps.power_gone_at) == (StopStage.POWER_GONE, at(104))
    scene.record(120)
    assert scene.steps.stage is StopStage.SETTLED
    assert scene.steps.settled_at is not None
    assert len(scene.steps.commands) == 1
    assert (scene.steps.unanswered_since, scene.steps.lock_offered, scene.alarms) == (None, False, [])


def test_power_that_still_flows_after_30_s_raises_an_alarm_and_is_stopped_under_a_new_id(scene: StopScene) -> None:
    scene.stop(100)
    first = scene.order.stop_id
    scene.answer(Outcome.ACCEPTED, 101)
    for seconds in (110, 120):
        scene.deadline(seconds)
    assert scene.alarms == []
    scene.deadline(130)
    assert scene.alarms == [(at(130), None)]
    steps = scene.steps
    assert (steps.stage, steps.unanswered_since, steps.lock_offered) == (StopStage.ACKNOWLEDGED, at(130), True)
    assert [one.sent_at for one in steps.commands] == [at(100), at(110), at(120), at(130)]
    assert len({one.id for one in steps.commands}) == 4
    assert scene.order.stop_id not in (None, first)

    scene.deadline(140)
    scene.deadline(220)
    assert scene.state is OrderState.EXCEPTION
    assert scene.alarms == [(at(130), None)]
    scene.level(GunState.FINISHED, 4, 225)
    assert scene.state is OrderState.ENDED
    assert scene.alarms == [(at(130), at(225))]
    assert (scene.steps.stage, scene.steps.lock_offered) == (StopStage.POWER_GONE, False)
    assert scene.steps.unanswered_since == at(130)


def test_a_refused_stop_is_no_acknowledged_one_and_the_first_answer_counts(scene: StopScene) -> None:
    scene.stop(100)
    scene.answer(Outcome.REFUSED, 101)
    scene.answer(Outcome.ACCEPTED, 102)
    scene.answer(Outcome.ACCEPTED, 103, id="of-another")
    assert (scene.steps.stage, scene.steps.acknowledged_at) == (StopStage.SENT, None)
    (command,) = scene.steps.commands
    assert (command.replied_at, command.outcome) == (at(101), "refused")
