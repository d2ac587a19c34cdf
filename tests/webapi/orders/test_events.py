"""What MQTT messages do to orders: from the verdict to the settlement, in every order and any number of times."""

import pytest
from sqlalchemy import select

from evcs.contracts import topics
from evcs.contracts.gun import (
    GunEvent,
    GunEventKind,
    RecordConfirm,
    Stop,
    Verdict,
    VerdictKind,
)
from evcs.contracts.order import OrderChange
from evcs.contracts.pile import Outcome
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GunState, OrderState
from evcs.contracts.times import to_ms
from evcs.contracts.topics import Address
from tests.webapi.books import BEGIN, PEAK, PILE, STATION, Books, mark, record
from tests.webapi.orders.test_place import sent, wanted
from tests.webapi.said import (
    AMOUNT_E4,
    AT_GUN,
    AT_PILE,
    ENERGY,
    at,
    bridge,
    level,
    pile,
    receipt,
    reply,
    verdict,
)
from webapi.audit.models import AuditEntry
from webapi.guns.events import gun_level
from webapi.guns.models import GunLive
from webapi.ledger.invariants import check
from webapi.orders import events, life
from webapi.orders.advance import observe
from webapi.orders.confirm import unsent
from webapi.orders.models import ChargeRecord, Order
from webapi.orders.place import place_order
from webapi.piles.events import bridge_status, pile_status
from webapi.piles.models import Pile
from webapi.tariffs.models import TariffDelivery


class Scene:
    """One order of one customer with 300 yuan, and messages about it at given seconds."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.session = books.session
        bridge_status(self.session, Address(bridge="b1"), bridge(), BEGIN)
        pile_status(self.session, AT_PILE, pile(), BEGIN)
        gun_level(self.session, AT_GUN, level(GunState.PLUGGED, 1), BEGIN)
        self.customer = books.customer(recharged_fen=30_000)
        placed = place_order(self.session, wanted(self.customer.id), at=BEGIN)
        assert isinstance(placed, Order)
        self.order = placed

    def verdict(self, kind: VerdictKind, seconds: float = 1, reason: Reason | None = None) -> None:
        said = verdict(self.order.request_id, self.order.serial, kind, reason)
        events.verdict(self.session, AT_GUN, said, at(seconds))

    def reply(self, outcome: Outcome, seconds: float = 2, reason: Reason | None = None) -> None:
        said = reply(self.order.serial, outcome, reason)
        events.reply(self.session, AT_GUN, said, at(seconds))

    def level(self, state: GunState, version: int, seconds: float, **more: int) -> None:
        serial = self.order.serial if state in (GunState.STARTING, GunState.CHARGING, GunState.FINISHED) else None
        gun_level(self.session, AT_GUN, level(state, version, serial, seconds=seconds, **more), at(seconds))

    def record(self, seconds: float = 620, n: int = 1) -> tuple[str, int | None]:
        said = record(self.order.serial, ((PEAK, ENERGY),), AMOUNT_E4, ended_at=at(600), n=n)
        (answer,) = events.record(self.session, AT_GUN, said, at(seconds))
        confirmed = topics.CONFIRM.decode(answer.payload)
        assert isinstance(confirmed, RecordConfirm)
        assert (confirmed.serial, confirmed.result) == (self.order.serial, 0)
        return confirmed.id, answer.confirms

    def deadline(self, seconds: float) -> None:
        observe(self.session, self.order, life.DeadlinePassed(), at=at(seconds))

    def charge(self) -> None:
        self.verdict(VerdictKind.ADMITTED)
        self.level(GunState.STARTING, 2, 2)
        self.reply(Outcome.ACCEPTED)
        self.level(GunState.CHARGING, 3, 5)

    @property
    def state(self) -> OrderState:
        self.session.flush()
        assert check(self.session) == []
        return self.order.state

    @property
    def wallet(self) -> tuple[int, int, int]:
        return self.books.wallet(self.customer)


@pytest.fixture
def scene(books: Books) -> Scene:
    return Scene(books)


def test_a_charge_from_verdict_to_settlement(scene: Scene) -> None:
    scene.charge()
    assert scene.state is OrderState.CHARGING
    assert scene.order.started_at == at(5)
    scene.level(GunState.FINISHED, 4, 600)
    assert scene.state is OrderState.ENDED
    scene.record()
    assert scene.state is OrderState.SETTLED
    assert scene.wallet == (30_000 - 1523, 0, 0)
    assert (scene.order.total_fen, scene.order.ended_at) == (1523, at(600))
    changes = [change for change in sent(scene.session, topics.ORDER) if isinstance(change, OrderChange)]
    assert [change.state.value for change in changes] == [
        "holding",
        "commanded",
        "starting",
        "charging",
        "ended",
        "settled",
    ]
    assert [change.version for change in changes] == sorted({change.version for change in changes})
    assert (changes[-1].total_fen, changes[-1].energy_kwh) == (1523, ENERGY)


def test_the_record_twice_settles_once_and_is_confirmed_twice(scene: Scene) -> None:
    scene.charge()
    first = scene.record()
    settled = scene.wallet
    second = scene.record(seconds=700, n=2)
    assert scene.wallet == settled
    assert scene.state is OrderState.SETTLED
    assert first[0] != second[0]
    assert first[1] == second[1]


def test_a_record_before_the_level_of_the_end_settles_and_late_levels_change_nothing(scene: Scene) -> None:
    scene.charge()
    scene.record()
    scene.level(GunState.FINISHED, 4, 600)
    scene.level(GunState.IDLE, 5, 640)
    assert scene.state is OrderState.SETTLED
    assert sent(scene.session, topics.STOP) == []


def test_a_refusal_releases_the_hold_and_keeps_the_figures(scene: Scene) -> None:
    scene.verdict(VerdictKind.REFUSED, reason=Reason.NO_HEADROOM)
    assert scene.state is OrderState.REFUSED
    assert scene.order.refusal_code == "no_headroom"
    assert scene.order.refusal_figures_json is not None
    assert scene.wallet == (30_000, 0, 0)


def test_a_verdict_of_another_request_is_ignored(scene: Scene) -> None:
    scene.order.request_id = "another"
    scene.session.flush()
    said = Verdict(
        id="v",
        request="r",
        serial=scene.order.serial,
        kind=VerdictKind.REFUSED,
        reason=Reason.EXPIRED,
        decided_at=BEGIN,
    )
    events.verdict(scene.session, AT_GUN, said, at(1))
    assert scene.state is OrderState.HOLDING


def test_nobody_speaks_for_an_order_of_another_gun(scene: Scene) -> None:
    said = verdict(scene.order.request_id, scene.order.serial, VerdictKind.REFUSED, Reason.EXPIRED)
    events.verdict(scene.session, Address(station=STATION, pile=PILE, gun=2), said, at(1))
    assert scene.state is OrderState.HOLDING


def test_a_start_that_the_pile_refuses_releases_the_hold_with_its_reason(scene: Scene) -> None:
    scene.verdict(VerdictKind.ADMITTED)
    scene.reply(Outcome.REFUSED)
    assert scene.state is OrderState.START_FAILED
    assert scene.order.refusal_code == "pile_refused"
    assert '"pile_code":3' in (scene.order.refusal_figures_json or "")
    assert scene.wallet == (30_000, 0, 0)


def test_no_verdict_in_time_is_a_refusal(scene: Scene) -> None:
    scene.deadline(35)
    assert scene.state is OrderState.REFUSED
    assert scene.order.refusal_code == "engine_away"
    assert scene.wallet == (30_000, 0, 0)


def test_without_a_record_the_marks_are_billed_and_a_late_record_corrects_once(scene: Scene) -> None:
    scene.charge()
    for minutes, energy in ((0, "0.0000"), (5, "5.0000"), (10, "9.5000")):
        events.meter(scene.session, AT_GUN, mark(scene.order.serial, minutes, energy), at(60 * minutes))
    scene.level(GunState.FINISHED, 4, 600)
    scene.deadline(630)
    assert (scene.state, scene.order.exception_code) == (OrderState.EXCEPTION, "no_record")
    scene.deadline(660)
    assert (scene.state, scene.order.provisional) == (OrderState.SETTLED, True)
    assert scene.wallet == (30_000 - 1447, 0, 0)
    for n in (1, 2):
        scene.record(seconds=700 + n, n=n)
    assert (scene.state, scene.order.provisional) == (OrderState.SETTLED, False)
    assert scene.wallet == (30_000 - 1523, 0, 0)
    last = [change for change in sent(scene.session, topics.ORDER) if isinstance(change, OrderChange)][-1]
    assert (last.total_fen, last.provisional) == (1523, False)


def test_without_record_and_marks_a_person_decides_and_the_hold_stays(scene: Scene) -> None:
    scene.charge()
    scene.level(GunState.FINISHED, 4, 600)
    scene.deadline(630)
    scene.deadline(660)
    assert (scene.state, scene.order.exception_code) == (OrderState.REVIEW, "nothing_to_bill_by")
    assert scene.wallet == (10_000, 20_000, 0)
    scene.deadline(660 + 7 * 86400)
    assert scene.state is OrderState.SETTLED
    assert scene.wallet == (30_000, 0, 0)


def test_a_lost_link_is_not_an_end_and_the_charge_goes_on_with_the_next_login(scene: Scene) -> None:
    scene.charge()
    scene.level(GunState.OFFLINE, 4, 100)
    assert (scene.state, scene.order.exception_code) == (OrderState.EXCEPTION, "link_lost")
    login = at(200)
    pile_status(scene.session, AT_PILE, pile(version=2, login=login), login)
    assert scene.state is OrderState.EXCEPTION
    scene.level(GunState.CHARGING, 5, 200, login_ms=to_ms(login))
    assert scene.state is OrderState.CHARGING
    assert scene.wallet == (10_000, 20_000, 0)


def test_a_dead_bridge_is_a_lost_link_and_its_old_levels_do_not_count(scene: Scene) -> None:
    scene.charge()
    bridge_status(scene.session, Address(bridge="b1"), bridge(online=False, version=2), at(50))
    assert scene.state is OrderState.EXCEPTION
    bridge_status(scene.session, Address(bridge="b1"), bridge(started_ms=9, version=3), at(60))
    scene.level(GunState.CHARGING, 6, 60)
    assert scene.state is OrderState.EXCEPTION


def test_an_older_level_that_comes_behind_a_newer_one_is_ignored(scene: Scene) -> None:
    scene.charge()
    scene.level(GunState.PLUGGED, 2, 3)
    assert scene.state is OrderState.CHARGING
    live = scene.session.get_one(GunLive, (PILE, 1))
    assert live.version == 3


def test_a_stop_is_repeated_under_a_new_id_to_the_newest_link(scene: Scene) -> None:
    scene.charge()
    observe(scene.session, scene.order, life.StopWished(Reason.STOPPED_BY_PERSON), at=at(20))
    pile_status(scene.session, AT_PILE, pile(version=2, login=at(25)), at(25))
    scene.deadline(30)
    stops = [stop for stop in sent(scene.session, topics.STOP) if isinstance(stop, Stop)]
    assert len({stop.id for stop in stops}) == len(stops)
    assert stops[0].link == f"b1-7-{to_ms(BEGIN)}"
    assert stops[-1].link == f"b1-7-{to_ms(at(25))}"
    assert scene.order.deadline_at == at(40)


def test_the_goal_that_rules_saw_shows_as_stopping(scene: Scene) -> None:
    scene.charge()
    scene.verdict(VerdictKind.GOAL_REACHED, 300)
    assert (scene.state, scene.order.stop_asked_by) == (OrderState.STOPPING, "rules")
    assert scene.order.stop_reason == "goal_reached"
    assert sent(scene.session, topics.STOP) == []


def test_a_failed_start_that_is_reported_as_an_event_releases_the_hold(scene: Scene) -> None:
    scene.verdict(VerdictKind.ADMITTED)
    said = GunEvent(
        id="e1",
        receipt=receipt(),
        kind=GunEventKind.START_FAILED,
        received_at=at(9),
        serial=scene.order.serial,
        reason=Reason.PILE_REFUSED,
    )
    events.gun_event(scene.session, AT_GUN, said, at(9))
    assert scene.state is OrderState.START_FAILED
    assert scene.wallet == (30_000, 0, 0)


def test_a_charge_of_a_closed_order_is_adopted_stopped_and_billed(scene: Scene) -> None:
    scene.deadline(35)
    scene.level(GunState.CHARGING, 3, 40)
    assert scene.state is OrderState.STOPPING
    (stop,) = [stop for stop in sent(scene.session, topics.STOP) if isinstance(stop, Stop)]
    assert (stop.serial, stop.why) == (scene.order.serial, Reason.UNEXPECTED_CHARGE)
    scene.record()
    assert scene.state is OrderState.SETTLED
    assert scene.wallet == (30_000 - 1523, 0, 0)
    assert scene.session.scalars(select(AuditEntry.action)).all() == ["order_adopt"]


def test_a_record_with_energy_of_a_cancelled_order_is_adopted(scene: Scene) -> None:
    observe(scene.session, scene.order, life.StopWished(Reason.STOPPED_BY_PERSON), at=at(1))
    assert scene.state is OrderState.CANCELLED
    scene.record()
    assert scene.state is OrderState.SETTLED
    assert scene.wallet == (30_000 - 1523, 0, 0)


def test_a_charge_that_nobody_knows_is_stopped_and_audited_once(scene: Scene) -> None:
    stranger = "9" * 32
    for version, seconds in ((2, 10), (3, 20)):
        gun_level(scene.session, AT_GUN, level(GunState.CHARGING, version, stranger, seconds=seconds), at(seconds))
    stops = [stop for stop in sent(scene.session, topics.STOP) if isinstance(stop, Stop)]
    assert [(stop.serial, stop.why) for stop in stops] == [(stranger, Reason.UNEXPECTED_CHARGE)] * 2
    entries = scene.session.scalars(select(AuditEntry)).all()
    assert [(entry.action, entry.object_id) for entry in entries] == [("stop_unexpected_charge", stranger)]
    assert scene.state is OrderState.HOLDING


def test_confirmations_go_out_again_at_the_next_login_until_0x40_is_written(scene: Scene) -> None:
    scene.charge()
    scene.record()
    again = pile_status(scene.session, AT_PILE, pile(version=2, login=at(700)), at(700))
    assert len(again) == 1
    assert pile_status(scene.session, AT_PILE, pile(version=3, login=at(700)), at(701)) == ()
    written = GunEvent(
        id="e2", receipt=receipt(), kind=GunEventKind.CONFIRM_SENT, received_at=at(702), serial=scene.order.serial
    )
    events.gun_event(scene.session, AT_GUN, written, at(702))
    scene.session.flush()
    assert pile_status(scene.session, AT_PILE, pile(version=4, login=at(800)), at(800)) == ()
    assert unsent(scene.session) == ()
    assert scene.session.scalars(select(ChargeRecord.confirm_sent_at)).one() == at(702)


def test_a_confirmed_tariff_goes_to_pile_delivery_and_revision(books: Books) -> None:
    books.session.get_one(Pile, PILE).confirmed_tariff_version_id = None
    bridge_status(books.session, Address(bridge="b1"), bridge(), BEGIN)
    for version in (1, 2):
        pile_status(books.session, AT_PILE, pile(version=version), BEGIN)
    row = books.session.get_one(Pile, PILE, populate_existing=True)
    assert (row.confirmed_tariff_version_id, row.revision) == ("v1", 2)
    assert books.session.scalars(select(TariffDelivery.model_no)).all() == [1]
    pile_status(books.session, AT_PILE, pile(version=3, tariff=None), BEGIN)
    assert row.confirmed_tariff_version_id == "v1"


def test_an_adopted_record_has_the_times_of_its_charge(scene: Scene) -> None:
    observe(scene.session, scene.order, life.StopWished(Reason.STOPPED_BY_PERSON), at=at(1))
    scene.record(seconds=9_000)
    assert (scene.state, scene.order.started_at, scene.order.ended_at) == (OrderState.SETTLED, BEGIN, at(600))


def test_a_disputed_record_behind_a_provisional_settlement_is_told(scene: Scene) -> None:
    scene.charge()
    for minutes, energy in ((0, "0.0000"), (10, "10.0000")):
        events.meter(scene.session, AT_GUN, mark(scene.order.serial, minutes, energy), at(60 * minutes))
    scene.level(GunState.FINISHED, 4, 600)
    scene.deadline(630)
    scene.deadline(660)
    said = record(scene.order.serial, ((PEAK, ENERGY),), AMOUNT_E4 - 50_000, ended_at=at(600))
    events.record(scene.session, AT_GUN, said, at(700))
    assert (scene.state, scene.order.total_fen) == (OrderState.SETTLED, 1023)
    last = [change for change in sent(scene.session, topics.ORDER) if isinstance(change, OrderChange)][-1]
    assert (last.total_fen, last.provisional) == (1023, False)


def test_a_charge_that_went_on_and_ended_without_a_link_has_its_own_times(scene: Scene) -> None:
    """Ten hours later the pile is back, on another day: the charge still ended when it ended."""
    scene.charge()
    scene.level(GunState.OFFLINE, 4, 100)
    back = 36_000.0
    pile_status(scene.session, AT_PILE, pile(version=2, login=at(back)), at(back))
    scene.level(GunState.IDLE, 5, back, login_ms=to_ms(at(back)))
    assert scene.state is OrderState.ENDED
    scene.record(seconds=back + 5)
    assert scene.state is OrderState.SETTLED
    assert (scene.order.started_at, scene.order.ended_at) == (at(5), at(600))
    assert str(scene.order.business_date) == "2026-11-24"


@pytest.mark.parametrize("admitted", [False, True])
def test_a_record_before_everything_else_settles_and_what_comes_late_changes_nothing(
    scene: Scene, admitted: bool
) -> None:
    if admitted:
        scene.verdict(VerdictKind.ADMITTED)
    scene.record()
    settled = scene.wallet
    scene.verdict(VerdictKind.ADMITTED, 621)
    scene.reply(Outcome.ACCEPTED, 622)
    scene.level(GunState.STARTING, 2, 2)
    scene.level(GunState.CHARGING, 3, 5)
    scene.level(GunState.FINISHED, 4, 600)
    scene.deadline(90_000)
    assert (scene.state, scene.wallet) == (OrderState.SETTLED, settled)
    assert settled == (30_000 - 1523, 0, 0)
    assert sent(scene.session, topics.STOP) == []
