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
    amount_fen = whole("fen", most=MOST_FEN, required=True)
    reason = text("why", required=True)
    voucher = text("number of the paper that it rests on", most=100, nullable=True)


class RechargeSchema(Schema):
    """A recharge, with the wallet before and after it."""

    id = out(fields.Integer, "number of the recharge")
    customer_id = out(fields.Integer, "whose")
    channel = out(fields.String, "manual")
    amount_fen = out(fields.Integer, "fen")
    reason = out(fields.String, "why")
    voucher = out(fields.String, "paper that it rests on", allow_none=True)
    paid_at = out(Instant, "when")
    transaction_id = out(fields.Integer, "number in the ledger")
    before = fields.Nested(WalletSchema)
    after = fields.Nested(WalletSchema)
