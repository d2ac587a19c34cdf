"""Recharges that need two persons over HTTP: ask, list, approve, reject."""

from http import HTTPStatus

import msgspec

from webapi.audit.record import record
from webapi.customers.queries import find_customer, wallet_view
from webapi.http.call import Call
from webapi.http.paging import Page
from webapi.http.problems import Code, not_found, problem
from webapi.http.serve import Served
from webapi.http.smorest import Endpoints
from webapi.ledger.post import lock_wallet
from webapi.recharges import requests, schemas
from webapi.recharges.models import RechargeRequest, RequestState
from webapi.recharges.requests import RequestFilter, RequestView, request_view
from webapi.recharges.routes import RechargeView, recharge_view, within_day
from webapi.users.roles import Right

endpoints = Endpoints("充值复核 Recharge approvals", "大额代充，双人复核 · recharges that need two persons")

DECIDES = Served(Right.APPROVE_RECHARGES, keyed=True, problems=(404, 409))


class Asked(msgspec.Struct, frozen=True):
    """What the audit keeps of a request and of what became of it."""

    request_id: int
    amount_fen: int
    reason: str
    voucher: str
    why: str | None = None


@endpoints.post(
    "/customers/<row:customer_id>/recharge-requests",
    Served(Right.RECHARGE, keyed=True, problems=(404, 409)),
    answers=schemas.RequestSchema,
    body=schemas.RequestBody,
    example={"amount_fen": 800000, "reason": "对公转账", "voucher": "回单 0012"},
    status=HTTPStatus.CREATED,
)
def ask_recharge(call: Call, wish: schemas.RequestWish, customer_id: int) -> RequestView:
    """申请大额充值 · Ask for a recharge that another person approves

    在复核通过之前，不动任何资金。

    No money moves before that.
    """
    customer = find_customer(call.session, call.sees, customer_id)
    if customer is None:
        raise not_found()
    within_day(call, wish.amount_fen)
    made = requests.ask(
        call.session,
        customer,
        wish.amount_fen,
        wish.reason,
        wish.voucher,
        hours=call.recharge_limits.approval_h,
        at=call.at,
        by=call.asker.key,
    )
    _audit(call, "recharge_ask", made)
    return request_view(made, at=call.at)


@endpoints.get(
    "/recharge-requests", Served(Right.RECHARGE), answers=schemas.RequestsSchema, query=schemas.RequestsQuery
)
def recharge_requests(call: Call, wish: RequestFilter) -> Page[RequestView]:
    """充值申请列表，新的在前 · Requests for recharges, newest first"""
    return requests.list_requests(call.session, call.sees, wish, at=call.at)


@endpoints.post(
    "/recharge-requests/<row:request_id>/approve",
    DECIDES,
    answers=schemas.RechargeSchema,
    body=schemas.ApprovalBody,
    example={"reason": "已核对回单"},
)
def approve_recharge(call: Call, wish: schemas.Approval, request_id: int) -> RechargeView:
    """复核通过并入账 · Approve: the recharge is credited at once"""
    asked = _waiting(call, request_id)
    before = wallet_view(lock_wallet(call.session, asked.customer_id))
    placed = requests.approve(call.session, asked, wish.reason, at=call.at, by=call.asker.key)
    after = wallet_view(lock_wallet(call.session, asked.customer_id))
    _audit(call, "recharge_approve", asked)
    return recharge_view(placed, before, after)


@endpoints.post(
    "/recharge-requests/<row:request_id>/reject",
    DECIDES,
    answers=schemas.RequestSchema,
    body=schemas.RejectionBody,
    example={"reason": "回单金额不符"},
)
def reject_recharge(call: Call, wish: schemas.Rejection, request_id: int) -> RequestView:
    """复核不通过 · Reject: nothing is credited"""
    asked = _waiting(call, request_id)
    requests.reject(call.session, asked, wish.reason, at=call.at, by=call.asker.key)
    _audit(call, "recharge_reject", asked)
    return request_view(asked, at=call.at)


def _waiting(call: Call, request_id: int) -> RechargeRequest:
    """The request, locked, that this person may decide."""
    asked = requests.find_request(call.session, call.sees, request_id)
    if asked is None:
        raise not_found()
    if asked.state is not RequestState.WAITING:
        raise problem(HTTPStatus.CONFLICT, Code.RECHARGE_DECIDED)
    if requests.has_expired(asked, call.at):
        raise problem(HTTPStatus.CONFLICT, Code.RECHARGE_EXPIRED)
    if asked.asked_by == call.asker.key:
        raise problem(HTTPStatus.CONFLICT, Code.RECHARGE_SAME_PERSON)
    return asked


def _audit(call: Call, action: str, asked: RechargeRequest) -> None:
    record(
        call,
        action,
        tenant_id=asked.tenant_id,
        object_kind="customer",
        object_id=str(asked.customer_id),
        details=Asked(asked.id, asked.amount_fen, asked.reason, asked.voucher, asked.decided_why),
    )
