"""Refunds as they go over HTTP."""

from dataclasses import dataclass

from marshmallow import Schema, fields, validate

from webapi.http.fields import Body, Instant, next_cursor, number, out, text, whole
from webapi.recharges.schemas import MOST_FEN
from webapi.refunds.models import PartState, RefundKind, RefundState
from webapi.refunds.queries import RefundFilter
from webapi.stations.schemas import PageQuery


@dataclass(frozen=True, slots=True)
class WithdrawalWish:
    """Principal to be paid out, in fen."""

    amount_fen: int
    reason: str


@dataclass(frozen=True, slots=True)
class OrderRefundWish:
    """What of an order's lines goes back, in fen."""

    reason: str
    electricity_fen: int = 0
    service_fen: int = 0


@dataclass(frozen=True, slots=True)
class Word:
    """A word about an approval, if any."""

    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Why:
    """Why not."""

    reason: str


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What became of a transfer by hand; `reason` names the paper, or says why it failed."""

    succeeded: bool
    reason: str


class WithdrawalBody(Body):
    """余额退款申请."""

    makes = WithdrawalWish
    amount_fen = whole("金额 · fen of principal", most=MOST_FEN, required=True)
    reason = text("原因 · why", most=80, required=True)


class OrderRefundBody(Body):
    """订单退款申请."""

    makes = OrderRefundWish
    electricity_fen = whole("电费 · fen of electricity", least=0, most=MOST_FEN)
    service_fen = whole("服务费 · fen of service", least=0, most=MOST_FEN)
    reason = text("原因 · why", required=True)


class RefundApprovalBody(Body):
    """审核通过."""

    makes = Word
    reason = text("说明 · a word about it", nullable=True)


class RefundRejectionBody(Body):
    """审核不通过."""

    makes = Why
    reason = text("原因 · why", required=True)


class TransferConfirmationBody(Body):
    """确认打款结果."""

    makes = Confirmation
    succeeded = fields.Boolean(
        required=True,
        truthy={True},
        falsy={False},
        metadata={"description": "是否已到账 · whether the customer has it"},
    )
    reason = text("凭证号或失败原因 · the paper it rests on, or why it failed", required=True)


class RefundsQuery(PageQuery):
    """Which refunds."""

    makes = RefundFilter
    customer = number("用户 · whose")
    kind = fields.Enum(RefundKind, by_value=True, metadata={"description": "类型 · withdrawal, order"})
    state = fields.Enum(RefundState, by_value=True, metadata={"description": "状态 · waiting, approved, rejected"})
    order = fields.String(
        validate=validate.Regexp(r"[0-9A-Fa-f]{32}\Z"), metadata={"description": "订单 · serial of an order"}
    )


class RefundPartSchema(Schema):
    """A part of a withdrawal."""

    id = out(fields.Integer, "编号 · number of the part")
    no = out(fields.Integer, "序号 · from 1")
    recharge_id = out(fields.Integer, "充值 · recharge that it goes back of")
    channel = out(fields.String, "渠道 · way; manual: paid by a person")
    amount_fen = out(fields.Integer, "金额 · fen")
    gift_back_fen = out(fields.Integer, "收回赠送 · fen of gift that is taken back")
    out_refund_no = out(fields.String, "退款单号 · our number at the channel")
    state = out(
        fields.Enum,
        "状态 · requested, approved, submitted, succeeded, failed, unknown",
        enum=PartState,
        by_value=True,
    )
    next_query_at = out(Instant, "下次处理 · when it is sent or asked for", allow_none=True)
    submitted_at = out(Instant, "提交时间 · when it was set aside", allow_none=True)
    channel_refund_no = out(fields.String, "渠道退款号 · the channel's number", allow_none=True)
    settled_at = out(Instant, "完成时间 · when it succeeded or failed", allow_none=True)
    settled_by = out(fields.String, "确认人 · who said so", allow_none=True)
    why = out(fields.String, "说明 · the channel's words, or a person's", allow_none=True)


class RefundSchema(Schema):
    """A refund that was asked for."""

    id = out(fields.Integer, "退款申请号 · number of the request")
    customer_id = out(fields.Integer, "用户 · whose")
    customer_name = out(fields.String, "姓名 · name")
    kind = out(fields.Enum, "类型 · withdrawal: out of the wallet, order: back to it", enum=RefundKind, by_value=True)
    order = out(fields.String, "订单 · serial", allow_none=True)
    amount_fen = out(fields.Integer, "金额 · fen")
    electricity_fen = out(fields.Integer, "电费 · fen of it; 0 for a withdrawal")
    service_fen = out(fields.Integer, "服务费 · fen of it; 0 for a withdrawal")
    reason = out(fields.String, "原因 · why")
    two_persons = out(fields.Boolean, "双人 · whether another person than who asked approves")
    state = out(fields.Enum, "状态 · waiting, approved, rejected", enum=RefundState, by_value=True)
    asked_by = out(fields.String, "申请人 · who asked")
    asked_at = out(Instant, "申请时间 · when")
    decided_by = out(fields.String, "审核人 · who decided", allow_none=True)
    decided_at = out(Instant, "审核时间 · when", allow_none=True)
    decided_why = out(fields.String, "审核说明 · what was said", allow_none=True)
    transaction_id = out(fields.Integer, "账务流水号 · in the ledger, of an order refund", allow_none=True)
    parts = fields.List(fields.Nested(RefundPartSchema))


class RefundsSchema(Schema):
    """A page of refunds, newest first."""

    items = fields.List(fields.Nested(RefundSchema))
    next = next_cursor()
