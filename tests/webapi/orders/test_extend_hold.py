"""A hold that runs low: lengthened from what is available, told to gate and pile; what is held may be used up."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from evcs.contracts import topics
from evcs.contracts.gun import LongerHold, Verdict, VerdictKind
from evcs.contracts.pile import PileCommand, PileCommandKind
from evcs.contracts.states import GoalKind, OrderState, StartSource
from evcs.contracts.topics import Address
from tests.webapi.books import BEGIN, PILE, STATION, Books, record
from tests.webapi.orders.test_place import at_once, link, sent
from tests.webapi.said import AT_GUN, at
from webapi.customers.models import Customer
from webapi.database import sessions
from webapi.ledger.holds import HoldTerms, covered_kwh, size_extension
from webapi.ledger.invariants import check
from webapi.ledger.models import Hold, Transaction, TransactionKind, Wallet
from webapi.orders import events
from webapi.orders.models import Order
from webapi.recharges.place import RechargeOrder, place_recharge

DEAREST_E5 = 172_345


def low(serial: str, covered: Decimal, seconds: float) -> Verdict:
    return Verdict(
        id=f"{serial}-hold-{seconds}",
        serial=serial,
        kind=VerdictKind.HOLD_LOW,
        covered_kwh=covered,
        goal=GoalKind.FULL,
        decided_at=at(seconds),
    )


def charging(books: Books, customer: Customer, hold_fen: int, *, gun: int = 1, **goal: object) -> Order:
    """An order that charges on a hold."""
    order = books.order(customer, hold_fen=hold_fen, gun=gun, **goal)  # type: ignore[arg-type]
    order.covered_energy_kwh = covered_kwh(hold_fen, DEAREST_E5)
    order.pile_balance_fen = hold_fen
    return order


def say_low(session: Session, order: Order, seconds: float, covered: Decimal | None = None) -> None:
    wanted = covered if covered is not None else order.covered_energy_kwh
    assert wanted is not None
    address = AT_GUN if order.gun_no == 1 else Address(station=STATION, pile=PILE, gun=2)
    events.verdict(session, address, low(order.serial, wanted, seconds), at(seconds))
    session.flush()


def longer(session: Session) -> list[LongerHold]:
    return [one for one in sent(session, topics.REQUEST) if isinstance(one, LongerHold)]


def balances(session: Session) -> list[PileCommand]:
    return [one for one in sent(session, topics.PILE_COMMAND) if one.kind is PileCommandKind.BALANCE]


def test_a_low_hold_is_lengthened_and_told_to_gate_and_pile(books: Books) -> None:
    link(books.session)
    customer = books.customer(recharged_fen=50_000)
    order = charging(books, customer, 20_000)
    order.source, order.card_number = StartSource.CARD, "00000000D14B0A54"
    say_low(books.session, order, 3_000)
    # As much as at the start once more: the most that is held for two hours.
    assert books.wallet(customer) == (10_000, 40_000, 0)
    assert order.covered_energy_kwh == covered_kwh(40_000, DEAREST_E5)
    (request,) = longer(books.session)
    assert (request.serial, request.covered_kwh) == (order.serial, order.covered_energy_kwh)
    (told,) = balances(books.session)
    assert (told.gun, told.serial, told.balance_fen) == (1, order.serial, 40_000)
    assert (told.card, told.bridge, told.link) == ("00000000D14B0A54", "b1", "b1-7-1")
    assert order.state is OrderState.CHARGING
    assert check(books.session) == []


def test_the_rest_of_a_wallet_is_taken_whole_then_the_hold_may_be_used_up(books: Books) -> None:
    """Nobody is stopped with money left: the gate stops when the covered energy is drawn. A recharge still counts."""
    link(books.session)
    customer = books.customer(recharged_fen=20_321)
    order = charging(books, customer, 20_000)
    say_low(books.session, order, 3_000)
    assert books.wallet(customer) == (0, 20_321, 0)
    assert sent(books.session, topics.STOP) == []
    say_low(books.session, order, 3_060)
    assert order.state is OrderState.CHARGING
    assert sent(books.session, topics.STOP) == []
    place_recharge(
        books.session, RechargeOrder(customer.id, 1_000, number="again", reason="test"), at=at(3_070), by="user:1"
    )
    say_low(books.session, order, 3_090)
    assert books.wallet(customer) == (0, 21_321, 0)
    assert check(books.session) == []


def test_a_repetition_that_knows_less_only_tells_the_gate_again(books: Books) -> None:
    link(books.session)
    customer = books.customer(recharged_fen=50_000)
    order = charging(books, customer, 20_000)
    before = order.covered_energy_kwh
    say_low(books.session, order, 3_000)
    say_low(books.session, order, 3_030, covered=before)
    assert books.wallet(customer) == (10_000, 40_000, 0)
    assert [one.covered_kwh for one in longer(books.session)] == [covered_kwh(40_000, DEAREST_E5)] * 2
    assert len({one.id for one in longer(books.session)}) == 2


def test_each_extension_is_a_posting_of_its_own_and_the_record_takes_from_all_of_it(books: Books) -> None:
    customer = books.customer(recharged_fen=50_000)
    order = charging(books, customer, 2_000)
    say_low(books.session, order, 3_000)
    say_low(books.session, order, 6_000)
    kinds = select(Transaction.key).where(Transaction.kind == TransactionKind.EXTEND_HOLD).order_by(Transaction.id)
    assert list(books.session.scalars(kinds)) == [f"hold:{order.serial}:1", f"hold:{order.serial}:2"]
    assert books.session.get_one(Hold, order.serial).extensions == 2
    events.record(books.session, AT_GUN, record(order.serial), at(8_500))
    assert order.state is OrderState.SETTLED
    assert books.wallet(customer) == (50_000 - 6_567, 0, 0)
    assert check(books.session) == []


def test_an_energy_goal_is_covered_and_never_more(books: Books) -> None:
    customer = books.customer(recharged_fen=50_000)
    order = charging(books, customer, 2_000, goal_energy_kwh=Decimal("20.0000"))
    say_low(books.session, order, 3_000)
    # 20.2 kWh (with the overshoot that the customer pays) at 1.72345 yuan
    assert books.session.get_one(Hold, order.serial).placed_fen == 3_482
    say_low(books.session, order, 3_600)
    assert books.session.get_one(Hold, order.serial).placed_fen == 3_482
    assert order.state is OrderState.CHARGING, "the goal ends it"


def test_an_amount_goal_is_never_passed(books: Books) -> None:
    customer = books.customer(recharged_fen=50_000)
    order = charging(books, customer, 2_000, goal_amount_fen=2_000)
    say_low(books.session, order, 3_000)
    assert books.session.get_one(Hold, order.serial).placed_fen == 2_000
    assert (order.state, longer(books.session)) == (OrderState.CHARGING, [])


def test_a_blocked_account_lends_no_more(books: Books) -> None:
    customer = books.customer(recharged_fen=50_000)
    order = charging(books, customer, 20_000)
    customer.blocked_at = BEGIN
    say_low(books.session, order, 3_000)
    assert books.wallet(customer) == (30_000, 20_000, 0)
    assert longer(books.session) == []
    assert order.state is OrderState.CHARGING


@pytest.mark.parametrize("state", [OrderState.STOPPING, OrderState.ENDED, OrderState.SETTLED, OrderState.COMMANDED])
def test_only_a_charge_is_lengthened(books: Books, state: OrderState) -> None:
    customer = books.customer(recharged_fen=50_000)
    order = charging(books, customer, 20_000)
    order.state = state
    say_low(books.session, order, 3_000)
    assert books.wallet(customer) == (30_000, 20_000, 0)
    assert longer(books.session) == []


def test_a_pile_that_is_away_is_not_told_but_the_gate_is(books: Books) -> None:
    customer = books.customer(recharged_fen=50_000)
    order = charging(books, customer, 20_000)
    say_low(books.session, order, 3_000)
    assert (len(longer(books.session)), balances(books.session)) == (1, [])


def test_two_charges_of_a_customer_never_lengthen_by_the_same_fen(engine: Engine, books: Books) -> None:
    customer = books.customer(recharged_fen=45_000)
    serials = [charging(books, customer, 20_000, gun=gun).serial for gun in (1, 2)]
    books.session.commit()
    jobs: list[Callable[[Session], object]] = [
        lambda session, serial=serial: say_low(session, session.get_one(Order, serial), 3_000)  # type: ignore[misc]
        for serial in serials
    ]
    at_once(engine, jobs)
    with sessions(engine)() as session:
        wallet = session.get_one(Wallet, customer.id)
        assert (wallet.available_fen, wallet.held_fen) == (0, 45_000)
        holds = sorted(session.scalars(select(Hold.placed_fen).where(Hold.order_serial.in_(serials))))
        assert holds == [20_000, 25_000], "the second finds nothing left"
        assert check(session) == []


@pytest.mark.parametrize(
    ("available", "needed", "extra"),
    [(100_000, None, 20_000), (7_000, None, 7_000), (0, None, 0), (100_000, 300, 300), (100_000, 0, 0)],
)
def test_how_much_is_added(available: int, needed: int | None, extra: int) -> None:
    sized = size_extension(
        available_fen=available, rated_kw=Decimal(120), dearest_e5=DEAREST_E5, most_needed_fen=needed
    )
    assert sized == extra


def test_a_small_gun_adds_what_it_can_draw() -> None:
    # 7 kW for two hours at 1.72345 yuan
    sized = size_extension(
        available_fen=100_000, rated_kw=Decimal(7), dearest_e5=DEAREST_E5, terms=HoldTerms(minimum_fen=500)
    )
    assert sized == 2_413
