"""From figures to money: who pays them, pure, and the posting, the bill and the order's figures that follow."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from evcs.contracts.times import civil_day
from webapi.ledger.accounts import (
    DISCOUNT_OVERSHOOT,
    REVENUE_ELECTRICITY,
    REVENUE_SERVICE,
    available,
    debt,
    gift,
    held,
)
from webapi.ledger.holds import close_hold, lock_hold
from webapi.ledger.models import HoldState, TransactionKind
from webapi.ledger.post import Move, Posting, lock_wallet, post
from webapi.orders.evidence_keep import fix_evidence
from webapi.orders.models import Bill, BillKind, BillLine, Order
from webapi.orders.reckon import Figures


@dataclass(frozen=True, slots=True)
class Payment:
    """Where the money comes from and what becomes of the hold, in fen; all figures are at least 0."""

    from_hold: int
    from_available: int
    from_gift: int
    owed: int
    released: int
    kept: int


def pay(total: int, *, hold: int, available_fen: int, gift_fen: int, keep: int = 0) -> Payment:
    """Pay a total from the hold, then from what is available (principal before gift); the rest is a debt.

    Of what the hold has left, up to `keep` stays held (a difference in dispute), the rest is released.
    """
    from_hold = min(total, hold)
    kept = min(keep, hold - from_hold)
    left = total - from_hold
    from_available = min(left, available_fen)
    from_gift = min(left - from_available, gift_fen)
    owed = left - from_available - from_gift
    return Payment(from_hold, from_available, from_gift, owed, hold - from_hold - kept, kept)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a bill rests on: the row of the charge record, and the pile's own amount in fen."""

    record_id: int | None = None
    pile_total_fen: int | None = None


NO_RECORD = Evidence()


def capture(
    session: Session,
    order: Order,
    figures: Figures,
    kind: BillKind,
    evidence: Evidence,
    *,
    keep_fen: int = 0,
    at: datetime,
    by: str,
) -> Payment:
    """Settle an order: take the figures from the hold, release the rest, write the bill. Single by its key.

    The transaction's key is `settlement:{serial}` for the record as for the provisional settlement, so an order has
    one of them. Needs a known payer unless the total is 0.
    """
    hold = lock_hold(session, order.serial)
    rest = hold.rest_fen if hold is not None and hold.state is HoldState.OPEN else 0
    payment = Payment(0, 0, 0, 0, 0, 0)
    if order.customer_id is not None:
        customer = order.customer_id
        wallet = lock_wallet(session, customer)
        payment = pay(
            figures.total_fen,
            hold=rest,
            available_fen=wallet.available_fen,
            gift_fen=wallet.gift_fen,
            keep=keep_fen,
        )
        moves = (
            Move(held(customer), -payment.from_hold - payment.released),
            Move(available(customer), payment.released - payment.from_available),
            Move(gift(customer), -payment.from_gift),
            Move(debt(customer), -payment.owed),
            *_earned(figures.priced.electricity_fen, figures.priced.service_fen, figures.discount_fen),
        )
        _post(session, order, f"settlement:{order.serial}", TransactionKind.SETTLEMENT, moves, at=at, by=by)
    elif figures.priced.total_fen:
        raise ValueError(f"{order.serial}: nobody is known who could pay")
    if hold is not None and hold.state is HoldState.OPEN:
        close_hold(hold, captured_fen=payment.from_hold, released_fen=payment.released, kept_fen=payment.kept, at=at)
    write_bill(session, order, figures, kind, evidence, at=at)
    return payment


def correct(
    session: Session, order: Order, before: Bill, figures: Figures, evidence: Evidence, *, at: datetime, by: str
) -> None:
    """Correct a settlement once: post the difference under `correction:{serial}`, write the new bill.

    More to pay comes from what is still held, from what is available, then from the gift, then it is a debt; less
    pays a debt first. The rest of the hold is given back in the same transaction.
    """
    _post_difference(session, order, before, figures, TransactionKind.CORRECTION, at=at, by=by)
    write_bill(session, order, figures, BillKind.CORRECTION, evidence, at=at)


def decide(
    session: Session, order: Order, before: Bill | None, figures: Figures, evidence: Evidence, *, at: datetime, by: str
) -> None:
    """Bill an order in review as a person has decided, once: post the difference under `decision:{serial}`.

    `before`: what was billed until now, where anything was. Money goes as in a correction. Needs a known payer unless
    the total is 0.
    """
    if order.customer_id is None and figures.priced.total_fen:
        raise ValueError(f"{order.serial}: nobody is known who could pay")
    if order.customer_id is not None:
        _post_difference(session, order, before, figures, TransactionKind.DECISION, at=at, by=by)
    write_bill(session, order, figures, BillKind.DECISION, evidence, at=at)


def _post_difference(
    session: Session,
    order: Order,
    before: Bill | None,
    figures: Figures,
    kind: TransactionKind,
    *,
    at: datetime,
    by: str,
) -> None:
    customer = _payer(order)
    hold = lock_hold(session, order.serial)
    rest = hold.rest_fen if hold is not None and hold.state is HoldState.OPEN else 0
    wallet = lock_wallet(session, customer)
    more = figures.total_fen - (before.total_fen if before else 0)
    payment = pay(max(0, more), hold=rest, available_fen=wallet.available_fen, gift_fen=wallet.gift_fen)
    back_to_debt = min(max(0, -more), wallet.debt_fen)
    moves = (
        Move(held(customer), -payment.from_hold - payment.released),
        Move(available(customer), max(0, -more) - back_to_debt + payment.released - payment.from_available),
        Move(gift(customer), -payment.from_gift),
        Move(debt(customer), back_to_debt - payment.owed),
        *_earned(
            figures.priced.electricity_fen - (before.electricity_fen if before else 0),
            figures.priced.service_fen - (before.service_fen if before else 0),
            figures.discount_fen - (before.discount_fen if before else 0),
        ),
    )
    _post(session, order, f"{kind.value}:{order.serial}", kind, moves, at=at, by=by)
    if hold is not None and hold.state is HoldState.OPEN:
        close_hold(hold, captured_fen=payment.from_hold, released_fen=payment.released, kept_fen=0, at=at)


def write_bill(
    session: Session, order: Order, figures: Figures, kind: BillKind, evidence: Evidence, *, at: datetime
) -> Bill:
    """Write a bill with its lines, put its figures on the order, and fix the evidence; the money is posted before."""
    priced = figures.priced
    bill = Bill(
        order_serial=order.serial,
        kind=kind,
        route=figures.route,
        tariff_version_id=order.tariff_version_id,
        record_id=evidence.record_id,
        energy_kwh=priced.energy_kwh,
        electricity_fen=priced.electricity_fen,
        service_fen=priced.service_fen,
        occupancy_fen=0,
        discount_fen=figures.discount_fen,
        discount_code="overshoot" if figures.discount_fen else None,
        total_fen=figures.total_fen,
        pile_total_fen=evidence.pile_total_fen,
        made_at=at,
        lines=[
            BillLine(
                band=line.band,
                energy_kwh=line.billed_kwh,
                metered_kwh=line.metered_kwh,
                energy_price_e5=line.energy_price_e5,
                service_price_e5=line.service_price_e5,
                electricity_fen=line.electricity_fen,
                service_fen=line.service_fen,
            )
            for line in priced.lines
        ],
    )
    session.add(bill)
    order.energy_kwh = priced.energy_kwh
    order.electricity_fen = priced.electricity_fen
    order.service_fen = priced.service_fen
    order.discount_fen = figures.discount_fen
    order.total_fen = figures.total_fen + order.occupancy_fen
    order.pile_total_fen = evidence.pile_total_fen
    order.provisional = kind is BillKind.PROVISIONAL
    order.settled_at = order.settled_at or at
    order.business_date = civil_day(order.ended_at or at)
    session.flush()
    fix_evidence(session, order, bill, at=at)
    return bill


def _payer(order: Order) -> int:
    if order.customer_id is None:
        raise ValueError(f"{order.serial}: nobody is known who could pay")
    return order.customer_id


def _earned(electricity_fen: int, service_fen: int, discount_fen: int) -> tuple[Move, ...]:
    return (
        Move(REVENUE_ELECTRICITY, electricity_fen),
        Move(REVENUE_SERVICE, service_fen),
        Move(DISCOUNT_OVERSHOOT, -discount_fen),
    )


def _post(
    session: Session, order: Order, key: str, kind: TransactionKind, moves: tuple[Move, ...], *, at: datetime, by: str
) -> None:
    """Post, unless not a single fen moves."""
    if any(move.amount_fen for move in moves):
        posting = Posting(key, kind, order.tenant_id, moves, customer_id=order.customer_id, order_serial=order.serial)
        post(session, posting, at=at, by=by)
