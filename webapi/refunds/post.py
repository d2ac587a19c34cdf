"""The money of a withdrawal's part: available → payable at submission, payable → clearing or back at its end.

Each step is single by its key, made of the part's number at its channel. The caller has locked the part and commits.
"""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapi.http.problems import Code
from webapi.ledger.accounts import DISCOUNT_GIFT, REFUND_PAYABLE, available, clearing, gift
from webapi.ledger.models import Hold, HoldState, TransactionKind, Wallet
from webapi.ledger.post import Move, Posting, lock_wallet, post
from webapi.refunds.errors import RefundRefused
from webapi.refunds.models import PartState, RefundPart
from webapi.refusals import yuan

ON_ITS_WAY = frozenset({PartState.SUBMITTED, PartState.UNKNOWN})
WHY_LENGTH = 200


def check_free(session: Session, wallet: Wallet) -> None:
    """See that nothing is owed and nothing held; the caller has locked the wallet."""
    if wallet.debt_fen:
        raise RefundRefused(Code.REFUND_IN_DEBT, debt=yuan(wallet.debt_fen))
    open_holds = session.scalar(
        select(func.count())
        .select_from(Hold)
        .where(Hold.customer_id == wallet.customer_id, Hold.state == HoldState.OPEN)
    )
    if open_holds or wallet.held_fen:
        raise RefundRefused(Code.REFUND_HOLD_OPEN, held=yuan(wallet.held_fen))


def submit(session: Session, part: RefundPart, *, at: datetime, by: str) -> None:
    """Set a part's money aside to be paid out, and take back its share of the gift, as far as that is still there.

    Raises RefundRefused where the wallet has changed since it was asked for.
    """
    customer = part.request.customer_id
    wallet = lock_wallet(session, customer)
    check_free(session, wallet)
    if wallet.available_fen < part.amount_fen:
        raise RefundRefused(Code.REFUND_OVER_PRINCIPAL, left=yuan(wallet.available_fen))
    gift_fen = min(part.gift_back_fen, wallet.gift_fen)
    _post(
        session,
        part,
        "submitted",
        TransactionKind.REFUND_SUBMITTED,
        (Move(available(customer), -part.amount_fen), Move(REFUND_PAYABLE, part.amount_fen)),
        at=at,
        by=by,
    )
    if gift_fen:
        taken = (Move(gift(customer), -gift_fen), Move(DISCOUNT_GIFT, gift_fen))
        _post(session, part, "gift_taken_back", TransactionKind.GIFT_TAKEN_BACK, taken, at=at, by=by)
    part.gift_back_fen = gift_fen
    part.state = PartState.SUBMITTED
    part.submitted_at = at
    session.flush()


def succeed(
    session: Session, part: RefundPart, *, at: datetime, by: str, channel_refund_no: str | None, why: str | None
) -> None:
    """The customer has it: payable → clearing of the channel. Only of a part that is on its way."""
    _must_be_on_its_way(part)
    paid = (Move(REFUND_PAYABLE, -part.amount_fen), Move(clearing(part.channel), part.amount_fen))
    _post(session, part, "paid", TransactionKind.REFUND_PAID, paid, at=at, by=by)
    part.channel_refund_no = channel_refund_no or part.channel_refund_no
    _settle(session, part, PartState.SUCCEEDED, why, at=at, by=by)


def fail(session: Session, part: RefundPart, why: str, *, at: datetime, by: str) -> None:
    """Nothing will be paid; what was set aside goes back to the wallet, and so does the gift that was taken."""
    if part.state in ON_ITS_WAY:
        customer = part.request.customer_id
        back = (Move(REFUND_PAYABLE, -part.amount_fen), Move(available(customer), part.amount_fen))
        _post(session, part, "failed", TransactionKind.REFUND_FAILED, back, at=at, by=by)
        if part.gift_back_fen:
            given = (Move(DISCOUNT_GIFT, -part.gift_back_fen), Move(gift(customer), part.gift_back_fen))
            _post(session, part, "gift_given_back", TransactionKind.GIFT, given, at=at, by=by)
    _settle(session, part, PartState.FAILED, why, at=at, by=by)


def _settle(session: Session, part: RefundPart, state: PartState, why: str | None, *, at: datetime, by: str) -> None:
    part.state = state
    part.settled_at = at
    part.settled_by = by
    part.next_query_at = None
    part.why = None if why is None else why[:WHY_LENGTH]
    session.flush()


def _must_be_on_its_way(part: RefundPart) -> None:
    if part.state not in ON_ITS_WAY:
        raise ValueError(f"{part.out_refund_no} is {part.state.value}, not on its way")


def _post(
    session: Session,
    part: RefundPart,
    step: str,
    kind: TransactionKind,
    moves: tuple[Move, ...],
    *,
    at: datetime,
    by: str,
) -> None:
    request = part.request
    posting = Posting(
        f"refund:{part.out_refund_no}:{step}",
        kind,
        request.tenant_id,
        moves,
        customer_id=request.customer_id,
        note=request.reason,
    )
    post(session, posting, at=at, by=by)
