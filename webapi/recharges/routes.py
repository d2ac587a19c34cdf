"""Recharging a customer by the platform over HTTP."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

import msgspec

from webapi.audit.record import record
from webapi.customers.queries import WalletView, find_customer, wallet_view
from webapi.http.call import Call
from webapi.http.problems import Code, not_found, problem
from webapi.http.serve import Served
from webapi.http.smorest import Endpoints
from webapi.ledger.post import lock_wallet
from webapi.recharges import schemas
from webapi.recharges.limits import left_today
from webapi.recharges.models import Recharge
from webapi.recharges.place import RechargeOrder, place_recharge
from webapi.refusals import yuan
from webapi.users.roles import Right

endpoints = Endpoints("充值 Recharges", "平台代充 · money put on wallets by the platform")


class Recharged(msgspec.Struct, frozen=True):
    """What the audit keeps of a recharge."""

    amount_fen: int
    reason: str
    voucher: str | None
    available_before_fen: int
    available_after_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RechargeView:
    """A recharge, with the wallet before and after it."""

    id: int
    customer_id: int
    channel: str
    amount_fen: int
    reason: str
    voucher: str | None
    paid_at: datetime
    transaction_id: int
    before: WalletView
    after: WalletView


@endpoints.post(
    "/customers/<row:customer_id>/recharges",
    Served(Right.RECHARGE, keyed=True, problems=(404, 409)),
    answers=schemas.RechargeSchema,
    body=schemas.RechargeBody,
    example={"amount_fen": 10000, "reason": "现金充值", "voucher": "收据 0007"},
    status=HTTPStatus.CREATED,
)
def recharge(call: Call, wish: schemas.RechargeWish, customer_id: int) -> RechargeView:
    """给用户充值 · Put money on a customer's wallet

    有欠费时先抵扣欠费。单笔超过限额须走充值申请由另一人复核；每人每日有累计限额。

    An open debt is paid out of it first. Above a limit another person has to approve (recharge-requests), and one
    person may recharge only so much in a day.
    """
    customer = find_customer(call.session, call.sees, customer_id)
    if customer is None:
        raise not_found()
    if call.recharge_limits.needs_second(wish.amount_fen):
        alone = yuan(call.recharge_limits.alone_fen)
        raise problem(HTTPStatus.CONFLICT, Code.RECHARGE_NEEDS_SECOND, alone=alone)
    within_day(call, wish.amount_fen)
    before = wallet_view(lock_wallet(call.session, customer.id))
    placed = place_recharge(
        call.session,
        RechargeOrder(customer.id, wish.amount_fen, number=_number(call), reason=wish.reason, voucher=wish.voucher),
        at=call.at,
        by=call.asker.key,
    )
    after = wallet_view(lock_wallet(call.session, customer.id))
    record(
        call,
        "recharge",
        tenant_id=customer.tenant_id,
        object_kind="customer",
        object_id=str(customer.id),
        details=Recharged(wish.amount_fen, wish.reason, wish.voucher, before.available_fen, after.available_fen),
    )
    return recharge_view(placed, before, after)


def within_day(call: Call, amount_fen: int) -> None:
    """See that a recharge by hand keeps to what its user may do in a day; a Problem where it does not."""
    user = call.user
    if user is None:
        raise not_found()
    left_fen = left_today(call.session, call.recharge_limits, user.id, user.key, at=call.at)
    if amount_fen > left_fen:
        raise problem(HTTPStatus.CONFLICT, Code.RECHARGE_OVER_DAY, left=yuan(left_fen))


def recharge_view(placed: Recharge, before: WalletView, after: WalletView) -> RechargeView:
    """A recharge as it is shown to who made it."""
    return RechargeView(
        id=placed.id,
        customer_id=placed.customer_id,
        channel=placed.channel,
        amount_fen=placed.amount_fen,
        reason=placed.reason,
        voucher=placed.voucher,
        paid_at=placed.paid_at,
        transaction_id=placed.transaction_id,
        before=before,
        after=after,
    )


def _number(call: Call) -> str:
    """The recharge's own number: owner and idempotency key, so that the books too know it as one deed."""
    return hashlib.sha256(f"{call.asker.key} {call.key}".encode()).hexdigest()[:40]
