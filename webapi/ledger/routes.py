"""The books over HTTP: their proof, and the payouts of the channels."""

from http import HTTPStatus

import msgspec

from webapi.audit.record import record
from webapi.http.call import Call
from webapi.http.paging import PageWish
from webapi.http.problems import Code, not_found, problem
from webapi.http.serve import Served
from webapi.http.smorest import Endpoints
from webapi.ledger import schemas
from webapi.ledger.errors import KeyTaken
from webapi.ledger.payout_list import Payouts, PayoutView, find_payout, list_payouts
from webapi.ledger.payouts import Payout, post_payout
from webapi.ledger.proof import Proof, may_prove, prove
from webapi.stations.schemas import PageQuery
from webapi.tenants.models import Tenant
from webapi.users.roles import Right

endpoints = Endpoints("账务 Ledger", "账务证明与渠道结算 · the proof of the books, payouts of channels")


class PaidOut(msgspec.Struct, frozen=True):
    """What the audit keeps of a payout."""

    channel: str
    number: str
    amount_fen: int
    fee_fen: int
    repeated: bool


@endpoints.get("/ledger/proof", Served(Right.SEE_AUDIT), answers=schemas.ProofSchema)
def ledger_proof(call: Call) -> Proof:
    """账务证明 · The proof that the books are right

    逐条验证规则；不成立的规则给出第一笔有误的行。证明涵盖全部运营商，故有多个运营商时仅平台管理员可看。

    Every rule, and the first row that breaks it. It runs over the books of all operators: where there are several,
    only the platform's administrator sees it.
    """
    if not may_prove(call.session, _tenant(call)):
        raise problem(HTTPStatus.FORBIDDEN, Code.PROOF_OF_ALL)
    return prove(call.session, at=call.at)


@endpoints.get("/ledger/payouts", Served(Right.POST_PAYOUTS), answers=schemas.PayoutsSchema, query=PageQuery)
def ledger_payouts(call: Call, wish: PageWish) -> Payouts:
    """渠道结算记录与待结算余额 · Payouts, newest first, and what each channel still has"""
    return list_payouts(call.session, _tenant(call), wish)


@endpoints.post(
    "/ledger/payouts",
    Served(Right.POST_PAYOUTS, keyed=True, problems=(404, 409)),
    answers=schemas.PayoutSchema,
    body=schemas.PayoutBody,
    example={"channel": "manual", "number": "缴款单 0031", "amount_fen": 10000, "fee_fen": 0},
    status=HTTPStatus.CREATED,
)
def payout(call: Call, wish: schemas.PayoutWish) -> PayoutView:
    """登记渠道结算 · Post a payout: what a channel collected arrives at the bank, less its fee

    同一渠道同一单号只入账一次。

    The same number of a channel is posted once.
    """
    tenant = _tenant(call)
    if tenant is None:
        if wish.tenant is None or call.session.get(Tenant, wish.tenant) is None:
            raise not_found("tenant")
        tenant = wish.tenant
    elif wish.tenant not in (None, tenant):
        raise not_found("tenant")
    wanted = Payout(tenant, wish.channel, wish.number, wish.amount_fen, wish.fee_fen)
    try:
        posted = post_payout(call.session, wanted, at=call.at, by=call.asker.key)
    except KeyTaken as error:
        raise problem(HTTPStatus.CONFLICT, Code.PAYOUT_TAKEN) from error
    record(
        call,
        "payout",
        tenant_id=tenant,
        object_kind="ledger_transaction",
        object_id=str(posted.transaction_id),
        details=PaidOut(wish.channel, wish.number, wish.amount_fen, wish.fee_fen, not posted.is_new),
    )
    return find_payout(call.session, posted.transaction_id)


def _tenant(call: Call) -> int | None:
    """Whose books the asker may see; none: those of all. Who sees only some stations sees no operator's books."""
    user = call.user
    if user is None or user.stations is not None:
        raise problem(HTTPStatus.FORBIDDEN, Code.NOT_ALLOWED)
    return user.tenant_id
