"""The roll-out of a tariff: who is pushed when, what waits for what, and why."""

import itertools
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from evcs.contracts import topics
from evcs.contracts.config import BandPrice
from evcs.contracts.pile import Outcome, PileCommand, PileCommandKind, PileReply
from evcs.contracts.reasons import Reason, Sentence
from evcs.contracts.states import GunState, OrderState, TariffBand
from evcs.contracts.topics import Address
from tests.webapi.books import BEGIN, PILE, PRICES, SLOTS, Books
from tests.webapi.orders.test_place import sent
from tests.webapi.said import AT_GUN, AT_PILE, at, bridge, level, pile, receipt
from webapi.guns.events import gun_level
from webapi.orders.models import Order
from webapi.piles import answers
from webapi.piles.command_models import PileCommandRow
from webapi.piles.events import bridge_status, pile_reply, pile_status
from webapi.piles.models import Pile, PileLive
from webapi.refusals import Refusal
from webapi.tariffs import push
from webapi.tariffs.allocate import NewVersion, make_version
from webapi.tariffs.assign import assign, push_again
from webapi.tariffs.models import TariffDelivery, TariffVersion
from webapi.tariffs.rollout import (
    BACKOFF_AT_MOST,
    FIRST_BACKOFF,
    SOON,
    TEXTS,
    Facts,
    RolloutState,
    missing_bands,
    next_try,
    standing,
)
from webapi.tariffs.rollout_models import TariffRollout

DEEP = (TariffBand.DEEP_VALLEY,) * 8 + SLOTS[8:]
DEEP_PRICE = BandPrice(band=TariffBand.DEEP_VALLEY, energy_price_e5=20000, service_price_e5=40000)


class Scene:
    """The pile is logged in with v1; versions v2 and one with 深谷 exist."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.session = books.session
        tariff = self.session.get_one(TariffVersion, "v1").tariff_id
        for version, slots, prices, valid in (
            ("v2", SLOTS, PRICES, BEGIN),
            ("deep", DEEP, (*PRICES, DEEP_PRICE), BEGIN),
            ("later", SLOTS, PRICES, at(3600)),
        ):
            make_version(self.session, NewVersion(version, tariff, slots, prices, valid), at=BEGIN, by="user:1")
        self.tariff = tariff
        bridge_status(self.session, Address(bridge="b1"), bridge(), BEGIN)
        self.status(1, "v1", BEGIN)
        gun_level(self.session, AT_GUN, level(GunState.PLUGGED, 1), BEGIN)

    def status(self, version: int, tariff: str | None, now: datetime, login: datetime = BEGIN, **more: bool) -> None:
        pile_status(self.session, AT_PILE, pile(version=version, tariff=tariff, login=login, **more), now)

    def assign(self, version: str, seconds: float = 60) -> None:
        (done,) = assign(
            self.session, self.session.get_one(TariffVersion, version), [PILE], by="user:1", at=at(seconds)
        )
        assert done.refusal is None

    def ring(self, seconds: float) -> None:
        """As the worker's job."""
        for one in push.scheduled(self.session, at=at(seconds), most=99):
            push.take_effect(self.session, one.pile, at=at(seconds))
        for one in push.due(self.session, at=at(seconds), most=99):
            push.push_if_due(self.session, one.pile, at=at(seconds))

    @property
    def pushes(self) -> list[PileCommand]:
        return [one for one in sent(self.session, topics.PILE_COMMAND) if one.kind is PileCommandKind.TARIFF_PUSH]

    @property
    def pile(self) -> Pile:
        return self.session.get_one(Pile, PILE, populate_existing=True)

    @property
    def row(self) -> TariffRollout:
        return self.session.get_one(TariffRollout, PILE, populate_existing=True)

    def answer(self, outcome: Outcome, seconds: float, reason: Reason | None = None, text: str = "") -> None:
        said = PileReply(
            id=self.pushes[-1].id,
            receipt=receipt(),
            outcome=outcome,
            received_at=at(seconds),
            reason=reason,
            pile_text_zh=text,
        )
        pile_reply(self.session, AT_PILE, said, at(seconds))


@pytest.fixture
def scene(books: Books) -> Scene:
    return Scene(books)


def test_an_idle_pile_gets_the_version_and_is_done_when_its_status_says_so(scene: Scene) -> None:
    revision = scene.pile.revision
    scene.assign("v2")
    assert (scene.pile.wanted_tariff_version_id, scene.pile.revision) == ("v2", revision + 1)
    scene.ring(61)
    assert scene.pushes == [], "not before its bridge has the new configuration"
    scene.ring(64)
    (told,) = scene.pushes
    assert (told.tariff_version, told.link) == ("v2", pile().link)
    scene.ring(70)
    assert len(scene.pushes) == 1, "one push at a time"
    scene.answer(Outcome.ACCEPTED, 71)
    assert scene.pile.confirmed_tariff_version_id == "v1", "the status alone confirms"
    scene.status(2, "v2", at(71))
    assert scene.pile.confirmed_tariff_version_id == "v2"
    model = scene.session.get_one(TariffVersion, "v2").model_no
    assert scene.session.get(TariffDelivery, (PILE, model)) is not None
    scene.ring(9000)
    assert len(scene.pushes) == 1


def test_a_version_changed_while_a_car_charges_goes_out_after_the_charge(scene: Scene) -> None:
    customer = scene.books.customer(recharged_fen=10_000)
    order = scene.books.order(customer, 5_000)
    gun_level(scene.session, AT_GUN, level(GunState.CHARGING, 2, order.serial), BEGIN)
    scene.assign("v2")
    for seconds in (70, 600, 3000):
        scene.ring(seconds)
    assert scene.pushes == []
    order.state = OrderState.ENDED
    gun_level(scene.session, AT_GUN, level(GunState.FINISHED, 3, order.serial, seconds=3100), at(3100))
    scene.ring(3105)
    assert len(scene.pushes) == 1
    scene.answer(Outcome.ACCEPTED, 3106)
    scene.status(2, "v2", at(3106))
    assert scene.session.get_one(Order, order.serial, populate_existing=True).tariff_version_id == "v1"


@pytest.mark.parametrize("state", sorted(push.FROZEN))
def test_an_order_on_its_way_is_not_crossed(scene: Scene, state: OrderState) -> None:
    scene.books.order(None, state=state, started=False)
    scene.assign("v2")
    scene.ring(100)
    assert scene.pushes == []


def test_a_charge_without_an_order_also_keeps_the_table_away(scene: Scene) -> None:
    gun_level(scene.session, AT_GUN, level(GunState.CHARGING, 2, "9" * 32), BEGIN)
    assert push.push(scene.session, PILE, at=at(100)) == Refusal(Reason.NO_TARIFF)
    scene.assign("v2")
    scene.ring(100)
    assert scene.pushes == []
    assert push.push(scene.session, PILE, by="user:1", at=at(100)) == Refusal(Reason.PILE_BUSY)


def test_a_level_of_an_earlier_login_keeps_no_table_away(scene: Scene) -> None:
    gun_level(scene.session, AT_GUN, level(GunState.CHARGING, 2, "9" * 32), BEGIN)
    scene.status(2, "v1", at(200), login=at(200))
    scene.assign("v2", 210)
    scene.ring(240)
    assert len(scene.pushes) == 1


def test_a_pile_that_is_away_waits_and_one_that_just_came_asks_by_itself(scene: Scene) -> None:
    scene.status(2, None, at(50), online=False)
    scene.assign("v2")
    scene.ring(100)
    assert scene.pushes == []
    scene.status(3, None, at(200), login=at(200))
    scene.ring(205)
    assert scene.pushes == []
    scene.status(4, "v2", at(203), login=at(200))
    scene.ring(500)
    assert scene.pushes == []


def test_a_refusal_is_tried_again_with_back_off_and_told_with_the_piles_words(scene: Scene) -> None:
    scene.assign("v2")
    now = 64.0
    for tries in range(1, 4):
        scene.ring(now)
        assert len(scene.pushes) == tries
        scene.answer(Outcome.REFUSED, now + 1, Reason.PILE_REFUSED, "时段不支持")
        assert (scene.row.tries, scene.row.last_reason, scene.row.last_text_zh) == (tries, "pile_refused", "时段不支持")
        wait = FIRST_BACKOFF.total_seconds() * 2 ** (tries - 1)
        scene.ring(now + wait - 1)
        assert len(scene.pushes) == tries
        now += 1 + wait


def test_a_push_without_an_answer_is_given_up_and_tried_again(scene: Scene) -> None:
    scene.assign("v2")
    scene.ring(64)
    (told,) = scene.pushes
    deadline = scene.session.get_one(PileCommandRow, told.id).deadline_at
    assert deadline is not None
    answers.give_up(scene.session, told.id, at=deadline)
    assert scene.row.last_reason == "timed_out"
    scene.ring((deadline + FIRST_BACKOFF - BEGIN).total_seconds())
    assert len(scene.pushes) == 2


def test_an_answer_to_an_older_push_changes_nothing(scene: Scene) -> None:
    scene.assign("v2")
    scene.ring(64)
    scene.assign("v1", 65)
    scene.answer(Outcome.REFUSED, 66, Reason.PILE_REFUSED, "x")
    assert (scene.row.version_id, scene.row.tries, scene.row.last_reason) == ("v1", 0, None)


def test_a_person_may_have_it_tried_at_once(scene: Scene) -> None:
    scene.assign("v2")
    scene.ring(64)
    scene.answer(Outcome.REFUSED, 65, Reason.PILE_REFUSED)
    assert push_again(scene.session, scene.tariff, [PILE], at=at(70)) == (PILE,)
    scene.ring(70)
    assert len(scene.pushes) == 2
    assert push_again(scene.session, scene.tariff + 1, [PILE], at=at(70)) == ()


def test_a_table_that_a_pile_cannot_express_is_refused_for_it_with_the_reason(scene: Scene) -> None:
    before = scene.pile.wanted_tariff_version_id, scene.pile.revision
    (done,) = assign(scene.session, scene.session.get_one(TariffVersion, "deep"), [PILE], by="user:1", at=at(60))
    assert done.refusal is not None
    assert done.refusal.reason is Reason.TARIFF_NOT_EXPRESSIBLE
    assert "深谷" in done.refusal.sentence.zh
    assert "deep valley" in done.refusal.sentence.en
    assert (scene.pile.wanted_tariff_version_id, scene.pile.revision) == before
    scene.pile.wanted_tariff_version_id = "deep"
    scene.session.flush()
    scene.ring(100)
    assert scene.pushes == []
    given = push.push(scene.session, PILE, at=at(100))
    assert isinstance(given, Refusal)
    assert given.reason is Reason.TARIFF_NOT_EXPRESSIBLE


def test_a_version_of_a_later_day_takes_effect_then(scene: Scene) -> None:
    scene.assign("v2")
    scene.assign("later", 61)
    assert scene.pile.wanted_tariff_version_id == "v2"
    scene.ring(3599)
    assert [one.tariff_version for one in scene.pushes] == ["v2"]
    scene.status(2, "v2", at(3599))
    scene.ring(3600)
    assert scene.pile.wanted_tariff_version_id == "later"
    assert scene.row.scheduled_version_id is None
    scene.ring(3604)
    assert [one.tariff_version for one in scene.pushes] == ["v2", "later"]


def test_busy_piles_do_not_hide_those_behind_them(scene: Scene) -> None:
    session, second = scene.session, "32010600019237"
    first = scene.pile
    session.add(
        Pile(
            number=second,
            station_code=first.station_code,
            transformer_code=first.transformer_code,
            name="2",
            rated_kw=first.rated_kw,
            wanted_tariff_version_id="v2",
            source_networks=[],
            created_at=BEGIN,
        )
    )
    live = session.get_one(PileLive, PILE)
    session.flush()
    session.add(
        PileLive(
            pile_number=second,
            online=True,
            since=BEGIN,
            version=1,
            bridge=live.bridge,
            bridge_started_ms=live.bridge_started_ms,
            link="other-link",
            login_at=BEGIN,
            updated_at=BEGIN,
        )
    )
    scene.books.order(None, state=OrderState.CHARGING)
    first.wanted_tariff_version_id = "v2"
    session.flush()
    looked = []
    for seconds in (60.0, 65.0):
        (one,) = push.due(session, at=at(seconds), most=1)
        push.push_if_due(session, one.pile, at=at(seconds))
        looked.append(one.pile)
    assert looked == [PILE, second]
    assert [one.link for one in scene.pushes] == ["other-link"]


def test_a_wanted_version_that_nobody_assigned_is_brought_too(scene: Scene) -> None:
    """What a seed or an import wrote into the pile's row."""
    scene.pile.wanted_tariff_version_id = "v2"
    scene.session.flush()
    assert scene.session.scalars(select(TariffRollout)).all() == []
    scene.ring(60)
    assert [one.tariff_version for one in scene.pushes] == ["v2"]


# --- pure


def facts(**changes: object) -> Facts:
    usual: dict[str, object] = {
        "is_confirmed": False,
        "missing": frozenset(),
        "is_pushing": False,
        "is_online": True,
        "is_busy": False,
        "last_reason": None,
        "last_text": Sentence("", ""),
    }
    return Facts(**{**usual, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"is_scheduled": True, "is_confirmed": True}, RolloutState.SCHEDULED),
        ({"is_confirmed": True, "is_online": False}, RolloutState.CONFIRMED),
        ({"missing": frozenset({TariffBand.DEEP_VALLEY}), "is_online": False}, RolloutState.NOT_EXPRESSIBLE),
        ({"is_online": False, "last_reason": "pile_refused"}, RolloutState.OFFLINE),
        ({"is_pushing": True}, RolloutState.PUSHING),
        ({"is_busy": True, "last_reason": "pile_refused"}, RolloutState.CHARGING),
        ({"last_reason": "pile_refused"}, RolloutState.REFUSED),
        ({"last_reason": "timed_out"}, RolloutState.NO_ANSWER),
        ({"last_reason": "pile_busy"}, RolloutState.NOT_TRIED),
        ({}, RolloutState.NOT_TRIED),
    ],
)
def test_where_a_pile_stands(changes: dict[str, object], state: RolloutState) -> None:
    stands = standing(facts(**changes))
    assert stands.state is state
    assert stands.sentence.zh.endswith("。")
    assert stands.sentence.en.endswith(".")
    assert "{" not in stands.sentence.zh + stands.sentence.en


def test_every_state_has_its_sentence() -> None:
    assert set(TEXTS) == set(RolloutState)


def test_ykc_has_four_bands_and_what_we_do_not_know_is_held_to_them() -> None:
    assert missing_bands("ykc", SLOTS) == frozenset()
    assert missing_bands("ykc", DEEP) == missing_bands("other", DEEP) == {TariffBand.DEEP_VALLEY}


def test_back_off_doubles_up_to_an_hour_and_what_was_not_the_pile_is_tried_soon() -> None:
    waited = [next_try(n, "pile_refused", at=BEGIN) - BEGIN for n in range(1, 12)]
    assert waited[0] == FIRST_BACKOFF
    assert all(later == min(earlier * 2, BACKOFF_AT_MOST) for earlier, later in itertools.pairwise(waited))
    assert waited[-1] == BACKOFF_AT_MOST
    assert next_try(100_000, "pile_refused", at=BEGIN) - BEGIN == BACKOFF_AT_MOST
    assert next_try(9, Reason.PILE_BUSY, at=BEGIN) - BEGIN == SOON < timedelta(minutes=1)
