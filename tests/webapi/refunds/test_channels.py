"""Parts by channel: sent once, asked for while unknown, paid or given back; a gateway that keeps what it was told."""

from datetime import timedelta
from threading import Lock

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from evcs.runtime.clock import ManualClock
from tests.webapi.books import BEGIN, Books
from webapi.customers.models import Customer
from webapi.database import sessions
from webapi.ledger.invariants import check, figures
from webapi.ledger.models import Wallet
from webapi.payments.gateway import RefundAnswer, RefundAnswered, RefundOrder
from webapi.recharges.place import RechargeOrder, place_recharge
from webapi.refunds.models import PartState, RefundPart
from webapi.refunds.withdraw import approve_withdrawal, ask_withdrawal
from webapi.worker.refund_jobs import RefundJobs
from webapi.worker.shards import Shards

WECHAT = "wechat"


class Channel:
    """A channel that keeps refunds by their number, as WeChat Pay does; it can be away before or after it heard."""

    def __init__(self) -> None:
        self.paid: dict[str, RefundOrder] = {}
        self.says = RefundAnswered.SUCCEEDED
        self.calls: list[str] = []
        self.away = ""

    def refund(self, order: RefundOrder) -> RefundAnswer:
        self.calls.append("refund")
        if self.away == "before":
            raise TimeoutError
        assert self.paid.setdefault(order.out_refund_no, order) == order
        if self.away == "after":
            raise TimeoutError
        return self._answer()

    def query_refund(self, out_refund_no: str) -> RefundAnswer | None:
        self.calls.append("query")
        if self.away:
            raise TimeoutError
        return self._answer() if out_refund_no in self.paid else None

    def _answer(self) -> RefundAnswer:
        return RefundAnswer(self.says, "5030", "账户异常" if self.says is RefundAnswered.FAILED else None)


class Desk:
    """A customer with 100 yuan and a gift of 20 by the channel, 40 yuan of it approved to go back, and the job."""

    def __init__(self, engine: Engine) -> None:
        self.clock = ManualClock(BEGIN)
        self.channel = Channel()
        self.maker = sessions(engine)
        with self.maker.begin() as session:
            customer = Books(session).build().customer()
            self.customer = customer.id
            paid = RechargeOrder(customer.id, 10_000, number="42000", reason="x", channel=WECHAT, gift_fen=2_000)
            place_recharge(session, paid, at=BEGIN, by="channel")
            asked = ask_withdrawal(session, customer, 4_000, "x", at=BEGIN, by=f"customer:{customer.id}")
            assert not asked.two_persons
            approve_withdrawal(session, asked, None, at=BEGIN, by="user:1")

    def ring(self, *, connected: bool = True, seconds: float = 0) -> None:
        self.clock.advance(seconds)
        gateways = {WECHAT: self.channel} if connected else {}
        RefundJobs(self.maker, self.clock, Shards(), Lock(), gateways).send()

    def part(self) -> RefundPart:
        with self.maker() as session:
            return session.scalars(select(RefundPart)).one()

    def stands(self, state: PartState, available: int, gift: int) -> None:
        with self.maker() as session:
            part = session.scalars(select(RefundPart)).one()
            wallet = session.get_one(Wallet, self.customer)
            assert (part.state, wallet.available_fen, wallet.gift_fen) == (state, available, gift)
            assert check(session) == []


@pytest.fixture
def desk(engine: Engine) -> Desk:
    """Over a fresh database."""
    return Desk(engine)


def test_a_part_is_sent_and_paid_with_its_share_of_the_gift(desk: Desk) -> None:
    desk.stands(PartState.APPROVED, 10_000, 2_000)
    desk.ring()
    desk.stands(PartState.SUCCEEDED, 6_000, 1_200)
    desk.ring(seconds=7200)
    assert desk.channel.calls == ["refund"]
    (order,) = desk.channel.paid.values()
    assert (order.channel_payment_no, order.amount_fen, order.total_fen) == ("42000", 4_000, 10_000)
    with desk.maker() as session:
        assert figures(session).paid_in == 6_000


def test_without_a_gateway_it_waits_and_says_so(desk: Desk) -> None:
    desk.ring(connected=False)
    desk.stands(PartState.APPROVED, 10_000, 2_000)
    assert "not connected" in (desk.part().why or "")
    desk.ring()
    desk.stands(PartState.SUCCEEDED, 6_000, 1_200)
    assert desk.part().why is None


@pytest.mark.parametrize(("away", "asked"), [("before", ["refund", "query", "refund"]), ("after", ["refund", "query"])])
def test_an_unknown_one_is_asked_for_and_never_paid_twice(desk: Desk, away: str, asked: list[str]) -> None:
    desk.channel.away = away
    desk.ring()
    desk.stands(PartState.UNKNOWN, 6_000, 1_200)
    desk.channel.away = ""
    desk.ring(seconds=59)
    assert desk.channel.calls == ["refund"], "not yet"
    desk.ring(seconds=1)
    desk.stands(PartState.SUCCEEDED, 6_000, 1_200)
    assert (desk.channel.calls, len(desk.channel.paid)) == (asked, 1)


def test_what_the_channel_refuses_goes_back_with_the_gift(desk: Desk) -> None:
    desk.channel.says = RefundAnswered.ACCEPTED
    desk.ring()
    desk.stands(PartState.SUBMITTED, 6_000, 1_200)
    desk.channel.says = RefundAnswered.FAILED
    desk.ring(seconds=60)
    desk.stands(PartState.FAILED, 10_000, 2_000)
    assert desk.part().why == "账户异常"
    with desk.maker.begin() as session:
        again = ask_withdrawal(
            session, session.get_one(Customer, desk.customer), 10_000, "x", at=BEGIN + timedelta(hours=1), by="user:1"
        )
        assert [part.gift_back_fen for part in again.parts] == [2_000]


def test_what_was_held_meanwhile_is_not_sent(desk: Desk) -> None:
    with desk.maker.begin() as session:
        books = Books(session, tenant_id=session.get_one(Customer, desk.customer).tenant_id)
        books.order(session.get_one(Customer, desk.customer), hold_fen=500)
    desk.ring()
    desk.stands(PartState.FAILED, 9_500, 2_000)
    assert desk.channel.calls == []
    assert "5.00" in (desk.part().why or "")


def test_only_one_owner_sends(engine: Engine, session: Session) -> None:
    rung: list[str] = []

    class Rings:
        def every(self, seconds: float, name: str, ring: object) -> None:
            rung.append(name)

    for owner in (1, 2):
        RefundJobs(sessions(engine), ManualClock(BEGIN), Shards(owner, 2), Lock(), {}).ring_on(Rings())  # type: ignore[arg-type]
    assert rung == ["refunds"]
