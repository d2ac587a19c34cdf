"""Holds: money of a wallet set aside for one order, lengthened while it charges, taken or given back at its end."""

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evcs.contracts.money import exact_fen, round_half_up
from evcs.contracts.reasons import Reason
from webapi.database import ROW_LOCK
from webapi.ledger.accounts import available, held
from webapi.ledger.errors import NoOpenHold
from webapi.ledger.models import Hold, HoldState, Transaction, TransactionKind
from webapi.ledger.post import Move, Posting, lock_wallet, post
from webapi.orders.models import Order


@dataclass(frozen=True, slots=True)
class HoldTerms:
    """How much is held where no amount was asked for, in fen and hours."""

    minimum_fen: int = 500
    most_fen: int = 20_000
    hours: int = 2


DEFAULT_TERMS = HoldTerms()


@dataclass(frozen=True, slots=True)
class HoldRefusal:
    """Why nothing can be held, with the figures of the sentence, in fen."""

    reason: Reason
    available_fen: int
    minimum_fen: int = 0
    goal_fen: int = 0
    debt_fen: int = 0


def size_hold(
    *,
    goal_amount_fen: int | None,
    available_fen: int,
    debt_fen: int,
    rated_kw: Decimal,
    dearest_e5: int,
    terms: HoldTerms = DEFAULT_TERMS,
) -> int | HoldRefusal:
    """Decide how much to hold for a start, in fen, or why it cannot be.

    The amount goal where there is one; else the least of what is available, the gun's rated power for two hours
    at the dearest price, and 200 yuan. A debt and a balance below the minimum refuse.
    """
    if debt_fen > 0:
        return HoldRefusal(Reason.IN_DEBT, available_fen, debt_fen=debt_fen)
    if goal_amount_fen is not None and goal_amount_fen > available_fen:
        return HoldRefusal(Reason.GOAL_OVER_BALANCE, available_fen, goal_fen=goal_amount_fen)
    if available_fen < terms.minimum_fen:
        return HoldRefusal(Reason.BALANCE_TOO_LOW, available_fen, minimum_fen=terms.minimum_fen)
    if goal_amount_fen is not None:
        return goal_amount_fen
    full_power = round_half_up(exact_fen(rated_kw * terms.hours, dearest_e5))
    return min(available_fen, terms.most_fen, max(full_power, terms.minimum_fen))


def size_extension(
    *,
    available_fen: int,
    rated_kw: Decimal,
    dearest_e5: int,
    most_needed_fen: int | None = None,
    terms: HoldTerms = DEFAULT_TERMS,
) -> int:
    """Decide how much more to hold for a running charge, in fen; 0: nothing can be added.

    As much as at its start once more, of what is available; never beyond what its goal can still need. What remains
    of a wallet is taken whole, also below the minimum of a start: a car that charges is not turned away for it.
    """
    full_power = round_half_up(exact_fen(rated_kw * terms.hours, dearest_e5))
    wished = min(terms.most_fen, max(full_power, terms.minimum_fen))
    if most_needed_fen is not None:
        wished = min(wished, most_needed_fen)
    return max(0, min(wished, available_fen))


def covered_kwh(hold_fen: int, dearest_e5: int) -> Decimal:
    """The energy that a hold pays for at the dearest price of the version, in kWh, rounded down to 0.0001.

    A tariff that costs nothing is covered for ever; the figure is then as large as the wire can say.
    """
    if dearest_e5 == 0:
        return Decimal("429496.7295")
    return (Decimal(hold_fen) * 1000 / Decimal(dearest_e5)).quantize(Decimal("0.0001"), rounding=ROUND_DOWN)


def place_hold(session: Session, order: Order, amount_fen: int, *, at: datetime, by: str) -> Hold:
    """Set money aside for an order (available → held); raises InsufficientFunds when it is not there any more."""
    customer_id = _payer(order)
    post(session, _hold_posting(order, customer_id, amount_fen, f"hold:{order.serial}"), at=at, by=by)
    hold = Hold(order_serial=order.serial, customer_id=customer_id, placed_fen=amount_fen, placed_at=at)
    hold.captured_fen = hold.released_fen = hold.extensions = 0
    hold.state = HoldState.OPEN
    session.add(hold)
    session.flush()
    return hold


def lengthen_hold(session: Session, order: Order, extra_fen: int, *, at: datetime, by: str) -> Hold:
    """Set more money aside for a running order; raises InsufficientFunds or NoOpenHold."""
    hold = lock_hold(session, order.serial)
    if hold is None or hold.state is not HoldState.OPEN:
        raise NoOpenHold(order.serial)
    number = hold.extensions + 1
    posting = _hold_posting(order, hold.customer_id, extra_fen, f"hold:{order.serial}:{number}", more=True)
    post(session, posting, at=at, by=by)
    hold.extensions = number
    hold.placed_fen += extra_fen
    session.flush()
    return hold


def keep_held(session: Session, order: Order, keep_fen: int, *, at: datetime, by: str) -> int:
    """Have so much held in all for an order that is settled and in dispute; returns the fen added (or given back, < 0).

    More comes from what its settlement gave back, as far as it is still available. A hold that was given back before
    the settlement (an order that was closed and charged all the same) stays closed.
    """
    hold = lock_hold(session, order.serial)
    if hold is None or session.scalar(select(Transaction.id).where(Transaction.key == f"release:{order.serial}")):
        return 0
    more = max(keep_fen, 0) - hold.rest_fen
    if more > 0:
        more = min(more, hold.released_fen, lock_wallet(session, hold.customer_id).available_fen)
    if more == 0:
        return 0
    key = f"hold:{order.serial}:kept:"
    before = session.scalar(select(func.count()).where(Transaction.key.startswith(key, autoescape=True))) or 0
    posting = Posting(
        f"{key}{before + 1}",
        TransactionKind.HOLD if more > 0 else TransactionKind.RELEASE,
        order.tenant_id,
        (Move(available(hold.customer_id), -more), Move(held(hold.customer_id), more)),
        customer_id=hold.customer_id,
        order_serial=order.serial,
    )
    post(session, posting, at=at, by=by)
    hold.state, hold.closed_at = HoldState.OPEN, None
    close_hold(hold, captured_fen=0, released_fen=-more, kept_fen=hold.rest_fen + more, at=at)
    session.flush()
    return more


def release_hold(session: Session, order: Order, *, at: datetime, by: str) -> int:
    """Give back what is still held for an order and close the hold; returns the fen given back.

    Closed already, or never placed: nothing to do, 0.
    """
    hold = lock_hold(session, order.serial)
    if hold is None or hold.state is not HoldState.OPEN:
        return 0
    rest = hold.rest_fen
    if rest:
        moves = (Move(held(hold.customer_id), -rest), Move(available(hold.customer_id), rest))
        posting = Posting(
            f"release:{order.serial}",
            TransactionKind.RELEASE,
            order.tenant_id,
            moves,
            customer_id=hold.customer_id,
            order_serial=order.serial,
        )
        post(session, posting, at=at, by=by)
    close_hold(hold, captured_fen=0, released_fen=rest, kept_fen=0, at=at)
    session.flush()
    return rest


def close_hold(hold: Hold, *, captured_fen: int, released_fen: int, kept_fen: int, at: datetime) -> None:
    """Write down what was taken from and given back of a hold; it stays open while something is kept."""
    hold.captured_fen += captured_fen
    hold.released_fen += released_fen
    if hold.rest_fen != kept_fen:
        raise ValueError(f"hold of {hold.order_serial}: {hold.rest_fen} fen are left, {kept_fen} expected")
    if not kept_fen:
        hold.state = HoldState.CAPTURED if hold.captured_fen else HoldState.RELEASED
        hold.closed_at = at


def lock_hold(session: Session, serial: str) -> Hold | None:
    """Lock the hold of an order until the commit, behind its wallet: postings lock wallets first, everywhere."""
    customer_id = session.scalar(select(Hold.customer_id).where(Hold.order_serial == serial))
    if customer_id is None:
        return None
    lock_wallet(session, customer_id)
    return session.get_one(Hold, serial, with_for_update=ROW_LOCK, populate_existing=True)


def _payer(order: Order) -> int:
    if order.customer_id is None:
        raise NoOpenHold(f"{order.serial}: nobody is known who could pay")
    return order.customer_id


def _hold_posting(order: Order, customer_id: int, amount_fen: int, key: str, *, more: bool = False) -> Posting:
    if amount_fen <= 0:
        raise ValueError(f"{key}: a hold of {amount_fen} fen")
    return Posting(
        key,
        TransactionKind.EXTEND_HOLD if more else TransactionKind.HOLD,
        order.tenant_id,
        (Move(available(customer_id), -amount_fen), Move(held(customer_id), amount_fen)),
        customer_id=customer_id,
        order_serial=order.serial,
    )
