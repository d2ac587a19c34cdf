"""Who must have paid a bill, reckoned again from its bundle alone, pure."""

from collections.abc import Mapping

from webapi.ledger.accounts import DISCOUNT_OVERSHOOT, REVENUE_ELECTRICITY, REVENUE_SERVICE
from webapi.orders.capture import Payment, pay
from webapi.orders.evidence import Bundle, PostingFacts
from webapi.orders.explain.rebuild import Rebuilt
from webapi.orders.models import BillKind

KEYS = {
    BillKind.PROVISIONAL: "settlement",
    BillKind.FINAL: "settlement",
    BillKind.CORRECTION: "correction",
    BillKind.DECISION: "decision",
}


def posting_of(bundle: Bundle) -> PostingFacts | None:
    """The ledger's transaction of the bill; none where not a single fen moved."""
    key = f"{KEYS[BillKind(bundle.bill.kind)]}:{bundle.order.serial}"
    return next((one for one in bundle.postings if one.key == key), None)


def payment_of(bundle: Bundle, rebuilt: Rebuilt) -> Payment | None:
    """How the bill must have been paid; none of one whose payer is not known."""
    if bundle.order.customer is None or rebuilt.figures is None:
        return None
    balances = _before(bundle)
    more = rebuilt.figures.total_fen - (0 if bundle.before is None else bundle.before.total_fen)
    return pay(
        max(0, more),
        hold=_held_before(bundle),
        available_fen=balances["available"],
        gift_fen=balances["gift"],
        keep=rebuilt.keep_fen if bundle.bill.kind == BillKind.FINAL.value else 0,
    )


def moves_differ(bundle: Bundle, rebuilt: Rebuilt) -> tuple[tuple[str, str, str], ...]:
    """Every account on which another amount was moved than follows: its code, what it must be, what stands there."""
    figures = rebuilt.figures
    if figures is None:
        return ()
    posting = posting_of(bundle)
    moved = {} if posting is None else {entry.account: entry.amount_fen for entry in posting.entries}
    before = bundle.before
    expected = {
        REVENUE_ELECTRICITY.code: figures.priced.electricity_fen - (before.electricity_fen if before else 0),
        REVENUE_SERVICE.code: figures.priced.service_fen - (before.service_fen if before else 0),
        DISCOUNT_OVERSHOOT.code: (before.discount_fen if before else 0) - figures.discount_fen,
    }
    payment = payment_of(bundle, rebuilt)
    if payment is not None:
        expected |= _of_customer(bundle, figures.total_fen, payment)
    return tuple(
        (f"ledger.{name}", str(expected.get(name, 0)), str(moved.get(name, 0)))
        for name in sorted(expected.keys() | moved.keys())
        if expected.get(name, 0) != moved.get(name, 0)
    )


def _of_customer(bundle: Bundle, total_fen: int, payment: Payment) -> Mapping[str, int]:
    more = total_fen - (0 if bundle.before is None else bundle.before.total_fen)
    back = max(0, -more)
    to_debt = min(back, _before(bundle)["debt"])
    name = f"customer:{bundle.order.customer}"
    return {
        f"{name}:held": -payment.from_hold - payment.released,
        f"{name}:available": back - to_debt + payment.released - payment.from_available,
        f"{name}:gift": -payment.from_gift,
        f"{name}:debt": to_debt - payment.owed,
    }


def _before(bundle: Bundle) -> dict[str, int]:
    """The payer's balances before the bill's transaction, in fen; a debt positive."""
    wallet = bundle.wallet_after
    posting = posting_of(bundle)
    name = f"customer:{bundle.order.customer}"
    moved = {} if posting is None else {entry.account: entry.amount_fen for entry in posting.entries}
    return {
        "available": (wallet.available_fen if wallet else 0) - moved.get(f"{name}:available", 0),
        "gift": (wallet.gift_fen if wallet else 0) - moved.get(f"{name}:gift", 0),
        "debt": (wallet.debt_fen if wallet else 0) + moved.get(f"{name}:debt", 0),
    }


def _held_before(bundle: Bundle) -> int:
    """What was held for the order when it was billed: all that was moved to and from its hold before."""
    own = posting_of(bundle)
    name = f"customer:{bundle.order.customer}:held"
    return sum(
        entry.amount_fen
        for posting in bundle.postings
        if posting is not own
        for entry in posting.entries
        if entry.account == name
    )
