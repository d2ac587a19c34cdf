"""Everything that moves a wallet's money, drawn by a seeded chance: what is to be done, and how it is done once."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts.gun import Goal
from evcs.contracts.ids import serial_number
from evcs.contracts.states import GoalKind, OrderState
from evcs.contracts.times import beijing_digits
from tests.webapi.books import BEGIN, FLAT, PEAK, PILE, VALLEY, changed, mark, record
from webapi.customers.models import Customer
from webapi.http.idempotency import Answered, Asked, once
from webapi.ledger.holds import lengthen_hold, release_hold
from webapi.ledger.payouts import Payout, post_payout
from webapi.orders.life import RecordOutcome
from webapi.orders.marks import keep_mark
from webapi.orders.models import Order
from webapi.orders.place import Past, PlaceOrder, place_order
from webapi.orders.provisional import settle_provisionally
from webapi.orders.reckon_anew import reckon_anew
from webapi.orders.review import close_review
from webapi.orders.review_decide import decide_review
from webapi.orders.settle import settle_record
from webapi.orders.two_sides import Side
from webapi.recharges.place import RechargeOrder, place_recharge
from webapi.refunds.models import PartState, RefundKind, RefundPart, RefundRequest, RefundState
from webapi.refunds.order_refund import approve_order_refund, ask_order_refund
from webapi.refunds.post import fail, submit, succeed
from webapi.refunds.withdraw import approve_withdrawal, ask_withdrawal, reject

AFTER = BEGIN + timedelta(hours=3)
RECENT = 8
"""Orders of a customer among which a deed finds its own: the older ones rest."""
DAY_OF_SERIALS = 9_999
E4 = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Deed:
    """One transaction. Doing it twice is allowed where `again` says so: it then has no second effect."""

    name: str
    customer: int
    do: Callable[[Session], None]
    again: bool
    recharged_fen: int = 0


@dataclass
class Drawing:
    """Draws deeds. It remembers serials and numbers, never balances: those only the books know."""

    chance: Random
    tenant: int
    customers: tuple[int, ...]
    serials: dict[int, list[str]] = field(default_factory=dict)
    drawn: int = 0

    def deed(self) -> Deed:
        """The next one."""
        self.drawn += 1
        customer = self.chance.choice(self.customers)
        own = self.serials.setdefault(customer, [])[-RECENT:]
        if not own:
            return self._recharge(customer) if self.chance.random() < 0.5 else self._start(customer)
        kinds = (self._recharge, self._start, self._payout, self._withdraw, self._decide_refund, self._pay_refund)
        of_order = (
            *(self._lengthen, self._release, self._marks, self._record, self._reckon_anew, self._close_review),
            *(self._decide_review, self._refund_order),
        )
        if self.chance.random() < 0.5:
            return self.chance.choices(kinds, (9, 10, 1, 5, 2, 3))[0](customer)
        return self.chance.choices(of_order, (2, 1, 2, 6, 1, 1, 2, 3))[0](customer, self.chance.choice(own))

    def _fen(self) -> int:
        return self.chance.choice((1, 500, self.chance.randint(1, 2_000), self.chance.randint(1, 20_000)))

    def _recharge(self, customer: int) -> Deed:
        gift = self.chance.choice((0, 0, self._fen()))
        channel = self.chance.choice(("manual", "wechat"))
        wish = RechargeOrder(customer, self._fen(), f"n{self.drawn}", "x", channel=channel, gift_fen=gift)

        def do(session: Session) -> None:
            place_recharge(session, wish, at=BEGIN, by="user:1")

        return Deed("recharge", customer, do, again=True, recharged_fen=wish.amount_fen)

    def _payout(self, customer: int) -> Deed:
        amount = self._fen()
        wish = Payout(self.tenant, "manual", f"p{self.drawn}", amount, self.chance.randint(0, amount))

        def do(session: Session) -> None:
            post_payout(session, wish, at=BEGIN, by="user:1")

        return Deed("payout", customer, do, again=True)

    def _start(self, customer: int) -> Deed:
        n = self.drawn
        minute = BEGIN - timedelta(days=1) + timedelta(seconds=n // DAY_OF_SERIALS)
        serial = serial_number(PILE, 1, beijing_digits(minute), n % DAY_OF_SERIALS)
        goal = Goal(kind=GoalKind.FULL)
        if self.chance.random() < 0.3:
            goal = Goal(kind=GoalKind.AMOUNT, amount_fen=self._fen())
        past = Past(serial=serial, tariff_version="v1")
        by = f"customer:{customer}"
        wish = PlaceOrder(customer_id=customer, pile=PILE, gun=1, goal=goal, by=by, past=past)
        self.serials[customer].append(serial)

        def start(session: Session) -> Answered:
            placed = place_order(session, wish, at=BEGIN - timedelta(seconds=20))
            if not isinstance(placed, Order):
                return Answered(409, placed.reason.value, "text/plain")
            placed.state, placed.started_at = OrderState.CHARGING, BEGIN
            return Answered(201, placed.serial, "text/plain")

        def do(session: Session) -> None:
            once(session, Asked(by, serial, serial), lambda: start(session), at=BEGIN)

        return Deed("start", customer, do, again=True)

    def _lengthen(self, customer: int, serial: str) -> Deed:
        more = self._fen()

        def do(session: Session) -> None:
            order = _order(session, serial)
            if order is not None:
                lengthen_hold(session, order, more, at=BEGIN, by="worker")

        return Deed("lengthen", customer, do, again=False)

    def _release(self, customer: int, serial: str) -> Deed:
        def do(session: Session) -> None:
            order = _order(session, serial, OrderState.CHARGING)
            if order is not None:
                release_hold(session, order, at=BEGIN, by="worker")
                order.state = OrderState.CANCELLED

        return Deed("release", customer, do, again=True)

    def _marks(self, customer: int, serial: str) -> Deed:
        energy = E4 * self.chance.randint(0, 400_000)

        def do(session: Session) -> None:
            order = _order(session, serial, OrderState.CHARGING)
            if order is not None:
                keep_mark(session, order, mark(serial, 0, "0"))
                keep_mark(session, order, mark(serial, 60, str(energy)))
                settled = settle_provisionally(session, order, at=AFTER)
                order.state = OrderState.SETTLED if settled else OrderState.REVIEW

        return Deed("provisional", customer, do, again=True)

    def _record(self, customer: int, serial: str) -> Deed:
        peak, flat, valley = (E4 * self.chance.choice((0, self.chance.randint(0, 200_000))) for _ in range(3))
        exact = int((peak * 152_345 + flat * 112_345 + valley * 72_345) / 10)
        amount_e4 = max(0, exact + 100 * self.chance.choice((0, 0, 1, 900, -900)))
        said = record(serial, ((PEAK, peak), (FLAT, flat), (VALLEY, valley)), amount_e4)
        said = changed(said, clock_offset_s=self.chance.choice((0.0, 0.0, 90.0)))

        def do(session: Session) -> None:
            order = _order(session, serial)
            if order is None:
                return
            settled = settle_record(session, said, at=AFTER)
            if order.state is not OrderState.SETTLED:
                if settled.outcome is RecordOutcome.SETTLED:
                    order.state = OrderState.SETTLED
                elif settled.outcome in (RecordOutcome.REVIEW, RecordOutcome.AWAITS_MARKS):
                    order.state = OrderState.REVIEW

        return Deed("record", customer, do, again=True)

    def _reckon_anew(self, customer: int, serial: str) -> Deed:
        def do(session: Session) -> None:
            order = _order(session, serial, OrderState.REVIEW, OrderState.SETTLED)
            if order is not None:
                outcome = reckon_anew(session, order, at=AFTER, by="worker")
                if outcome is not None:
                    order.state = OrderState.REVIEW if outcome is RecordOutcome.REVIEW else OrderState.SETTLED

        return Deed("reckon_anew", customer, do, again=False)

    def _close_review(self, customer: int, serial: str) -> Deed:
        def do(session: Session) -> None:
            order = _order(session, serial, OrderState.REVIEW)
            if order is not None:
                close_review(session, order, at=AFTER, by="worker")
                order.state = OrderState.SETTLED

        return Deed("close_review", customer, do, again=True)

    def _decide_review(self, customer: int, serial: str) -> Deed:
        side = self.chance.choice(tuple(Side))

        def do(session: Session) -> None:
            order = _order(session, serial, OrderState.REVIEW)
            if order is not None:
                decide_review(session, order, side, at=AFTER, by="user:1")

        return Deed("decide_review", customer, do, again=True)

    def _refund_order(self, customer: int, serial: str) -> Deed:
        """Some or all of an order's lines, asked for by one person and mostly approved at once by another."""
        whole, approved = self.chance.choice((100, self.chance.randint(1, 100))), self.chance.random() < 0.7

        def refund(session: Session) -> Answered:
            order = _order(session, serial, OrderState.SETTLED)
            if order is not None and not order.provisional and order.total_fen:
                electricity, service = order.electricity_fen * whole // 100, order.service_fen * whole // 100
                if electricity + service:
                    asked = ask_order_refund(session, order, electricity, service, "x", at=AFTER, by="user:1")
                    if approved:
                        approve_order_refund(session, asked, None, at=AFTER, by="user:2")
            return Answered(201, "", "text/plain")

        return self._once("refund_order", customer, refund)

    def _withdraw(self, customer: int) -> Deed:
        """Everything that runs is ended, since nothing may be held; then some principal is asked for."""
        own = self.serials[customer][-RECENT:]
        amount, approved = self._fen(), self.chance.random() < 0.6

        def withdraw(session: Session) -> Answered:
            for order in filter(None, (_order(session, one, OrderState.CHARGING, OrderState.REVIEW) for one in own)):
                release_hold(session, order, at=AFTER, by="worker")
                order.state = OrderState.CANCELLED if order.settled_at is None else OrderState.SETTLED
            asked = ask_withdrawal(session, session.get_one(Customer, customer), amount, "x", at=AFTER, by="user:1")
            if approved:
                approve_withdrawal(session, asked, None, at=AFTER, by="user:2")
            return Answered(201, "", "text/plain")

        return self._once("withdraw", customer, withdraw)

    def _decide_refund(self, customer: int) -> Deed:
        approved = self.chance.random() < 0.7

        def do(session: Session) -> None:
            waiting = select(RefundRequest).where(
                RefundRequest.customer_id == customer, RefundRequest.state == RefundState.WAITING
            )
            asked = session.scalars(waiting.order_by(RefundRequest.id).limit(1)).one_or_none()
            if asked is None:
                return
            if not approved:
                reject(session, asked, "x", at=AFTER, by="user:2")
            elif asked.kind is RefundKind.WITHDRAWAL:
                approve_withdrawal(session, asked, None, at=AFTER, by="user:2")
            else:
                approve_order_refund(session, asked, None, at=AFTER, by="user:2")

        return Deed("decide_refund", customer, do, again=False)

    def _pay_refund(self, customer: int) -> Deed:
        """The next part of a withdrawal: sent to its channel, or paid, or failed there."""
        paid = self.chance.random() < 0.7

        def do(session: Session) -> None:
            on_its_way = (PartState.APPROVED, PartState.SUBMITTED)
            parts = (
                select(RefundPart)
                .join(RefundPart.request)
                .where(RefundRequest.customer_id == customer, RefundPart.state.in_(on_its_way))
            )
            part = session.scalars(parts.order_by(RefundPart.id).limit(1)).one_or_none()
            if part is None:
                return
            if part.state is PartState.APPROVED:
                submit(session, part, at=AFTER, by="worker")
            elif paid:
                succeed(session, part, at=AFTER, by="worker", channel_refund_no="c", why=None)
            else:
                fail(session, part, "x", at=AFTER, by="worker")

        return Deed("pay_refund", customer, do, again=False)

    def _once(self, name: str, customer: int, work: Callable[[Session], Answered]) -> Deed:
        """A deed under an idempotency key."""
        key = f"{name}{self.drawn}"

        def do(session: Session) -> None:
            once(session, Asked("user:1", key, key), lambda: work(session), at=AFTER)

        return Deed(name, customer, do, again=True)


def _order(session: Session, serial: str, *states: OrderState) -> Order | None:
    """The order, locked, where it is in one of the states (none named: any); a refused start has left none."""
    order = session.get(Order, serial, with_for_update=True)
    return order if order is not None and (not states or order.state in states) else None
