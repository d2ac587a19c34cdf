"""Recharges as they go over HTTP."""

from dataclasses import dataclass

from marshmallow import Schema, fields

from webapi.customers.schemas import WalletSchema
from webapi.http.fields import Body, Instant, out, text, whole

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
