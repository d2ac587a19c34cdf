"""Recharges as they go over HTTP."""

from dataclasses import dataclass

from marshmallow import Schema, fields, validate

from webapi.customers.schemas import WalletSchema
from webapi.http.fields import Body, Instant, next_cursor, number, out, text, whole
from webapi.recharges.models import RequestState
from webapi.recharges.requests import EXPIRED, RequestFilter
from webapi.stations.schemas import PageQuery

MOST_FEN = 10_000_000
"""100,000 yuan in one recharge: more is a slip of the finger."""


@dataclass(frozen=True, slots=True)
class RechargeWish:
    """Money to be put on a wallet."""

    amount_fen: int
    reason: str
    voucher: str | None = None


class RechargeBody(Body):
    """充值 by the platform."""

    makes = RechargeWish
    amount_fen = whole("金额 · fen", most=MOST_FEN, required=True)
    reason = text("原因 · why", required=True)
    voucher = text("凭证号 · number of the paper that it rests on", most=100, nullable=True)


class RechargeSchema(Schema):
    """A recharge, with the wallet before and after it."""

    id = out(fields.Integer, "充值编号 · number of the recharge")
    customer_id = out(fields.Integer, "用户 · whose")
    channel = out(fields.String, "渠道 · manual")
    amount_fen = out(fields.Integer, "金额 · fen")
    reason = out(fields.String, "原因 · why")
    voucher = out(fields.String, "凭证号 · paper that it rests on", allow_none=True)
    paid_at = out(Instant, "时间 · when")
    transaction_id = out(fields.Integer, "账务流水号 · number in the ledger")
    before = fields.Nested(WalletSchema)
    after = fields.Nested(WalletSchema)


STATES = (*(state.value for state in RequestState), EXPIRED)


@dataclass(frozen=True, slots=True)
class RequestWish:
    """A recharge that another person is to approve."""

    amount_fen: int
    reason: str
    voucher: str


@dataclass(frozen=True, slots=True)
class Approval:
    """What who approves has to say, if anything."""

    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why not."""

    reason: str


class RequestBody(Body):
    """充值申请."""

    makes = RequestWish
    amount_fen = whole("金额 · fen", most=MOST_FEN, required=True)
    reason = text("原因 · why", required=True)
    voucher = text("凭证号 · number of the paper that it rests on", most=100, required=True)


class ApprovalBody(Body):
    """复核通过."""

    makes = Approval
    reason = text("说明 · a word about it", nullable=True)


class RejectionBody(Body):
    """复核不通过."""

    makes = Rejection
    reason = text("原因 · why", required=True)


class RequestsQuery(PageQuery):
    """Which requests."""

    makes = RequestFilter
    customer = number("用户 · whose")
    state = fields.String(
        validate=validate.OneOf(STATES), metadata={"description": "状态 · waiting, approved, rejected, expired"}
    )


class RequestSchema(Schema):
    """A recharge that waits, or waited, for a second person."""

    id = out(fields.Integer, "申请编号 · number of the request")
    customer_id = out(fields.Integer, "用户 · whose")
    customer_name = out(fields.String, "姓名 · name")
    amount_fen = out(fields.Integer, "金额 · fen")
    reason = out(fields.String, "原因 · why")
    voucher = out(fields.String, "凭证号 · paper that it rests on")
    state = out(fields.String, "状态 · waiting, approved, rejected, expired", validate=validate.OneOf(STATES))
    asked_by = out(fields.String, "申请人 · who asked")
    asked_at = out(Instant, "申请时间 · when")
    expires_at = out(Instant, "有效期至 · until when it can be decided")
    decided_by = out(fields.String, "复核人 · who decided", allow_none=True)
    decided_at = out(Instant, "复核时间 · when", allow_none=True)
    decided_why = out(fields.String, "复核说明 · what was said", allow_none=True)
    recharge_id = out(fields.Integer, "充值编号 · the recharge that came of it", allow_none=True)


class RequestsSchema(Schema):
    """A page of requests, newest first."""

    items = fields.List(fields.Nested(RequestSchema))
    next = next_cursor()
