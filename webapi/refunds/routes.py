"""Refunds over HTTP: ask for a withdrawal or an order refund, list, approve, reject, confirm a transfer by hand."""

from http import HTTPStatus

import msgspec

from webapi.audit.record import record
from webapi.customers.queries import find_customer
from webapi.http.call import Call
from webapi.http.paging import Page
from webapi.http.problems import TEXTS, Code, FieldError, invalid, not_found, problem
from webapi.http.serve import Served
from webapi.http.smorest import Endpoints
from webapi.orders.queries import find_order
from webapi.refunds import post, schemas
from webapi.refunds.models import RefundKind, RefundRequest, RefundState
from webapi.refunds.order_refund import approve_order_refund, ask_order_refund
from webapi.refunds.queries import RefundFilter, RefundView, find_part, find_refund, list_refunds, refund_view
from webapi.refunds.withdraw import BY_HAND, approve_withdrawal, ask_withdrawal, reject
from webapi.users.roles import Right

endpoints = Endpoints("退款 Refunds", "余额退款、订单退款 · out of a wallet, and of an order to the wallet")

DECIDES = Served(Right.APPROVE_REFUNDS, keyed=True, problems=(404, 409))


class Refunded(msgspec.Struct, frozen=True):
    """What the audit keeps of a refund and of what became of it."""

    request_id: int
    kind: str
    amount_fen: int
    reason: str
    why: str | None = None
    order: str | None = None
    part: int | None = None


@endpoints.post(
    "/customers/<row:customer_id>/withdrawals",
    Served(Right.ASK_WITHDRAWALS, keyed=True, problems=(404, 409)),
    answers=schemas.RefundSchema,
    body=schemas.WithdrawalBody,
    example={"amount_fen": 4000, "reason": "不再使用"},
    status=HTTPStatus.CREATED,
)
def ask_for_withdrawal(call: Call, wish: schemas.WithdrawalWish, customer_id: int) -> RefundView:
    """申请余额退款 · Ask for principal back

    只退本金；有欠费或未完成的订单时不能申请。按充值从旧到新原路退回，渠道不再受理的由人工打款。审核前不动资金。

    Principal only, and not with a debt or an open order. The oldest recharges go back first, by their own way; what no
    channel takes back any more is paid by hand. No money moves before it is approved.
    """
    customer = find_customer(call.session, call.sees, customer_id)
    if customer is None:
        raise not_found()
    asked = ask_withdrawal(call.session, customer, wish.amount_fen, wish.reason, at=call.at, by=call.asker.key)
    _audit(call, "refund_ask", asked)
    return refund_view(asked)


@endpoints.post(
    "/orders/<serial:serial>/refunds",
    Served(Right.ASK_ORDER_REFUNDS, keyed=True, problems=(404, 409)),
    answers=schemas.RefundSchema,
    body=schemas.OrderRefundBody,
    example={"service_fen": 500, "reason": "设备故障，投诉"},
    status=HTTPStatus.CREATED,
)
def ask_for_order_refund(call: Call, wish: schemas.OrderRefundWish, serial: str) -> RefundView:
    """申请订单退款 · Ask for some of an order back

    按电费、服务费分别填写，退到用户余额；全部退完后订单变为已退款。

    By line; it goes to the wallet. An order of which all is given back is `refunded`.
    """
    order = find_order(call.session, call.sees, serial)
    if order is None:
        raise not_found()
    if not wish.electricity_fen + wish.service_fen:
        raise invalid(FieldError("electricity_fen", TEXTS[Code.INVALID]))
    asked = ask_order_refund(
        call.session,
        order,
        wish.electricity_fen,
        wish.service_fen,
        wish.reason,
        at=call.at,
        by=call.asker.key,
    )
    _audit(call, "refund_ask", asked)
    return refund_view(asked)


@endpoints.get("/refunds", Served(Right.ASK_WITHDRAWALS), answers=schemas.RefundsSchema, query=schemas.RefundsQuery)
def refunds(call: Call, wish: RefundFilter) -> Page[RefundView]:
    """退款列表，新的在前 · Refunds, newest first; a driver's own"""
    return list_refunds(call.session, call.sees, wish)


@endpoints.get(
    "/refunds/<row:request_id>", Served(Right.ASK_WITHDRAWALS, problems=(404,)), answers=schemas.RefundSchema
)
def refund(call: Call, request_id: int) -> RefundView:
    """退款详情 · One refund with its parts"""
    found = find_refund(call.session, call.sees, request_id)
    if found is None:
        raise not_found()
    return refund_view(found)


@endpoints.post(
    "/refunds/<row:request_id>/approve",
    DECIDES,
    answers=schemas.RefundSchema,
    body=schemas.RefundApprovalBody,
    example={"reason": "已核对"},
)
def approve_refund(call: Call, wish: schemas.Word, request_id: int) -> RefundView:
    """审核通过 · Approve

    订单退款立即入余额；余额退款：人工部分立即转入待付，渠道部分由系统提交。人工打款或超过限额时，申请人不能审核自己的申请。

    An order refund is on the wallet at once. Of a withdrawal the part that is paid by hand is set aside, the rest is
    sent to its channels. Who asked cannot approve a transfer by hand, or more than the limit.
    """
    asked = _waiting(call, request_id)
    if asked.kind is RefundKind.ORDER:
        approve_order_refund(call.session, asked, wish.reason, at=call.at, by=call.asker.key)
    else:
        approve_withdrawal(call.session, asked, wish.reason, at=call.at, by=call.asker.key)
    _audit(call, "refund_approve", asked)
    return refund_view(asked)


@endpoints.post(
    "/refunds/<row:request_id>/reject",
    DECIDES,
    answers=schemas.RefundSchema,
    body=schemas.RefundRejectionBody,
    example={"reason": "订单无异常"},
)
def reject_refund(call: Call, wish: schemas.Why, request_id: int) -> RefundView:
    """审核不通过 · Reject: nothing moves"""
    asked = _waiting(call, request_id)
    reject(call.session, asked, wish.reason, at=call.at, by=call.asker.key)
    _audit(call, "refund_reject", asked)
    return refund_view(asked)


@endpoints.post(
    "/refund-parts/<row:part_id>/confirm",
    DECIDES,
    answers=schemas.RefundSchema,
    body=schemas.TransferConfirmationBody,
    example={"succeeded": True, "reason": "网银回单 0031"},
)
def confirm_transfer(call: Call, wish: schemas.Confirmation, part_id: int) -> RefundView:
    """确认人工打款结果 · Say what became of a transfer by hand

    须由审核人以外的人确认。失败时金额退回余额。

    By another person than who approved it. What failed goes back to the wallet.
    """
    part = find_part(call.session, call.sees, part_id)
    if part is None:
        raise not_found()
    if part.channel != BY_HAND:
        raise problem(HTTPStatus.CONFLICT, Code.REFUND_NOT_BY_HAND)
    if part.state not in post.ON_ITS_WAY:
        raise problem(HTTPStatus.CONFLICT, Code.REFUND_DECIDED)
    if part.request.decided_by == call.asker.key:
        raise problem(HTTPStatus.CONFLICT, Code.REFUND_SAME_PERSON)
    by = call.asker.key
    if wish.succeeded:
        post.succeed(call.session, part, at=call.at, by=by, channel_refund_no=None, why=wish.reason)
    else:
        post.fail(call.session, part, wish.reason, at=call.at, by=by)
    _audit(call, "refund_paid" if wish.succeeded else "refund_failed", part.request, part.no, wish.reason)
    return refund_view(part.request)


def _waiting(call: Call, request_id: int) -> RefundRequest:
    """The refund, locked, that can still be decided, and by this person."""
    asked = find_refund(call.session, call.sees, request_id, lock=True)
    if asked is None:
        raise not_found()
    if asked.state is not RefundState.WAITING:
        raise problem(HTTPStatus.CONFLICT, Code.REFUND_DECIDED)
    if asked.two_persons and asked.asked_by == call.asker.key:
        raise problem(HTTPStatus.CONFLICT, Code.REFUND_SAME_PERSON)
    return asked


def _audit(call: Call, action: str, asked: RefundRequest, part: int | None = None, why: str | None = None) -> None:
    record(
        call,
        action,
        tenant_id=asked.tenant_id,
        object_kind="customer",
        object_id=str(asked.customer_id),
        details=Refunded(
            asked.id,
            asked.kind.value,
            asked.amount_fen,
            asked.reason,
            why or asked.decided_why,
            asked.order_serial,
            part,
        ),
    )
