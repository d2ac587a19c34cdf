"""Cards through the worker on real brokers and databases: started, refused, and a hold that runs low."""

from datetime import timedelta
from decimal import Decimal

from evcs.contracts import topics
from evcs.contracts.gun import (
    CardMode,
    CardRequest,
    GunEvent,
    GunEventKind,
    LongerHold,
    StartRequest,
    Verdict,
    VerdictKind,
)
from evcs.contracts.pile import PileCommandKind
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GoalKind, GunState, OrderState
from tests.webapi import said
from tests.webapi.worker.scene import Scene, _books, until
from webapi.cards.bind import NewCard, bind_card
from webapi.cards.models import CardAttempt
from webapi.database import sessions

UID = "00000000D14B0A54"


def card_of(scene: Scene, recharged_fen: int) -> int:
    """A customer with a card; the customer's number."""
    with sessions(scene.engine).begin() as session:
        customer = _books(session).customer(recharged_fen=recharged_fen)
        assert bind_card(session, customer, NewCard(uid=UID, printed_no="42"), at=scene.clock.now()) is not None
        return customer.id


def swipe(scene: Scene, id: str, card: str = UID) -> None:
    """The driver holds a card against the pile."""
    now = scene.clock.now()
    asked = CardRequest(mode=CardMode.CARD, card=card, expires_at=now + timedelta(seconds=10))
    link = said.pile().link
    event = GunEvent(
        id=id,
        receipt=said.receipt(),
        kind=GunEventKind.CARD_REQUEST,
        received_at=now,
        link=link,
        card_request=asked,
    )
    scene.peer.say(topics.GUN_EVENT, event)


def refused(scene: Scene, request: str) -> Reason | None:
    """Await what the pile is told about a request."""
    _, command = scene.observer.wait(
        topics.PILE_COMMAND, lambda one: one.kind is PileCommandKind.REFUSE_CARD and one.card_request == request
    )
    assert command.link == said.pile().link
    return command.reason


def request_of_card(scene: Scene, request: str) -> StartRequest:
    _, asked = scene.observer.wait(
        topics.REQUEST, lambda one: isinstance(one, StartRequest) and one.card_request == request
    )
    assert isinstance(asked, StartRequest)
    return asked


def test_a_card_charges_and_its_hold_is_lengthened(scene: Scene) -> None:
    scene.start()
    scene.peer.log_in()
    scene.peer.level(GunState.PLUGGED, 1)
    customer = card_of(scene, 50_000)
    swipe(scene, "e-1")
    asked = request_of_card(scene, "e-1")
    assert (asked.card, asked.printed_card, asked.balance_fen) == (UID, "42", 20_000)
    scene.peer.say(topics.VERDICT, said.verdict(asked.id, asked.serial, VerdictKind.ADMITTED))
    scene.peer.level(GunState.STARTING, 2, asked.serial, 2)
    scene.peer.level(GunState.CHARGING, 3, asked.serial, 5)
    scene.reaches(asked.serial, OrderState.CHARGING)
    low = Verdict(
        id="low-1",
        serial=asked.serial,
        kind=VerdictKind.HOLD_LOW,
        covered_kwh=asked.covered_kwh,
        goal=GoalKind.FULL,
        decided_at=said.at(3_000),
    )
    for _ in range(2):
        scene.peer.say(topics.VERDICT, low)
    _, longer = scene.observer.wait(topics.REQUEST, lambda one: isinstance(one, LongerHold))
    assert isinstance(longer, LongerHold)
    assert (longer.serial, longer.covered_kwh) == (asked.serial, Decimal("232.0926"))
    _, told = scene.observer.wait(topics.PILE_COMMAND, lambda one: one.kind is PileCommandKind.BALANCE)
    assert (told.serial, told.balance_fen, told.card) == (asked.serial, 40_000, UID)
    assert scene.wallet(customer) == (10_000, 40_000, 0), "the same verdict again lengthens nothing more"


def test_refusals_reach_the_pile_from_worker_and_gate(scene: Scene) -> None:
    scene.start()
    scene.peer.log_in()
    scene.peer.level(GunState.PLUGGED, 1)
    customer = card_of(scene, 50_000)
    swipe(scene, "e-1", "00000000AAAAAAAA")
    assert refused(scene, "e-1") is Reason.CARD_UNKNOWN
    swipe(scene, "e-2")
    asked = request_of_card(scene, "e-2")
    scene.peer.say(topics.VERDICT, said.verdict(asked.id, asked.serial, VerdictKind.REFUSED, Reason.NO_HEADROOM))
    assert refused(scene, "e-2") is Reason.NO_HEADROOM
    assert scene.wallet(customer) == (50_000, 0, 0)


def test_without_an_engine_the_hold_is_released_when_the_pile_waits_no_more(scene: Scene) -> None:
    scene.start()
    scene.peer.log_in()
    customer = card_of(scene, 50_000)
    swipe(scene, "e-1")
    asked = request_of_card(scene, "e-1")
    assert scene.wallet(customer) == (30_000, 20_000, 0)
    scene.later(11)
    order = scene.reaches(asked.serial, OrderState.REFUSED)
    assert order.refusal_code == Reason.ENGINE_AWAY.value
    assert scene.wallet(customer) == (50_000, 0, 0)
    assert scene.observer.of(topics.START) == [], "nothing was ever started"


def test_a_redelivered_request_is_the_same_order(scene: Scene) -> None:
    scene.start()
    scene.peer.log_in()
    card_of(scene, 50_000)
    for _ in range(3):
        swipe(scene, "e-1")
    swipe(scene, "e-2", "00000000AAAAAAAA")
    assert refused(scene, "e-2") is Reason.CARD_UNKNOWN

    def serials() -> set[str | None]:
        with sessions(scene.engine)() as session:
            return {one.order_serial for one in session.query(CardAttempt)}

    assert until(lambda: len(serials()) == 2, "one attempt with an order, one without")
    requests = [one for _, _, one in scene.observer.of(topics.REQUEST) if isinstance(one, StartRequest)]
    assert len({one.serial for one in requests}) == 1
