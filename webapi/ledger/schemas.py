"""The proof of the books and the payouts of channels as they go over HTTP."""

from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from webapi.http.fields import Body, Instant, next_cursor, out, text, whole

CHANNELS = ("manual", "wechat", "alipay")
MOST_FEN = 1_000_000_000_000
"""Ten thousand million yuan in one payout: more is a slip of the finger."""


@dataclass(frozen=True, slots=True)
class PayoutWish:
    """What a channel's statement says."""

    channel: str
    number: str
    amount_fen: int
    fee_fen: int = 0
    tenant: int | None = None


class PayoutBody(Body):
    """渠道结算."""

    makes = PayoutWish
    channel = fields.String(
        required=True,
        validate=validate.OneOf(CHANNELS),
        metadata={"description": "渠道 · channel that paid out; manual: cash brought to the bank"},
    )
    number = text("结算单号 · the channel's own number of the payout", most=64, required=True)
    amount_fen = whole("结算总额，含手续费 · what was collected, fee included, fen", most=MOST_FEN, required=True)
    fee_fen = whole("手续费 · what the channel kept of it, fen", least=0, most=MOST_FEN)
    tenant = whole("运营商 · whose; only the platform's administrator names it")

    @validates_schema(skip_on_field_errors=True)
    def _fee(self, data: dict[str, Any], **_: object) -> None:
        if data.get("fee_fen", 0) > data["amount_fen"]:
            raise ValidationError(f"Must not be above {data['amount_fen']}.", "fee_fen")


class PayoutSchema(Schema):
    """A payout in the books, in fen."""

    id = out(fields.Integer, "账务流水号 · number in the ledger")
    tenant = out(fields.Integer, "运营商 · whose")
    channel = out(fields.String, "渠道 · channel")
    number = out(fields.String, "结算单号 · the channel's own number")
    amount_fen = out(fields.Integer, "结算总额 · collected, fee included")
    fee_fen = out(fields.Integer, "手续费 · kept by the channel")
    received_fen = out(fields.Integer, "到账 · what arrived at the bank")
    at = out(Instant, "入账时间 · when it was posted")
    by = out(fields.String, "操作者 · who posted it: user:7")


class ChannelSchema(Schema):
    """What a channel still has."""

    tenant = out(fields.Integer, "运营商 · whose")
    channel = out(fields.String, "渠道 · channel")
    waiting_fen = out(fields.Integer, "待结算 · collected and not yet paid out, fen; below 0: paid out too much")


class PayoutsSchema(Schema):
    """A page of payouts, newest first, and all channels."""

    channels = fields.List(fields.Nested(ChannelSchema))
    items = fields.List(fields.Nested(PayoutSchema))
    next = next_cursor()


class BrokenSchema(Schema):
    """A row that breaks a rule."""

    rule = out(fields.String, "规则代码 · code of the rule")
    where = out(fields.String, "哪一笔 · which row: key of a transaction, serial of an order, customer:12 …")
    expected = out(fields.Integer, "应为 · fen, 0.0001 kWh or a count")
    found = out(fields.Integer, "实为 · the same")


class RuleSchema(Schema):
    """One rule and what was found."""

    rule = out(fields.String, "规则 · what is proved")
    wrong = out(fields.Integer, "违反的行数 · rows that break it; 0: it holds")
    first = fields.Nested(BrokenSchema, allow_none=True)


class SumsSchema(Schema):
    """资金来源 = 资金去向: where money came from and where it is, in fen."""

    paid_in_fen = out(fields.Integer, "充值净额 · paid in, less what was paid back")
    debt_fen = out(fields.Integer, "欠费 · owed")
    sources_fen = out(fields.Integer, "来源合计 · paid in + owed")
    available_fen = out(fields.Integer, "可用 · in wallets")
    held_fen = out(fields.Integer, "冻结 · held for open orders")
    gift_fen = out(fields.Integer, "赠送 · gifts")
    spent_fen = out(fields.Integer, "已消费，减优惠 · spent, less discounts")
    in_transit_fen = out(fields.Integer, "退款途中 · on its way back")
    written_off_fen = out(fields.Integer, "核销 · written off")
    uses_fen = out(fields.Integer, "去向合计 · all of these; equals the sources")


class ProofSchema(Schema):
    """The books, proved on one snapshot."""

    at = out(Instant, "时间 · when")
    right = out(fields.Boolean, "账是否正确 · whether every rule holds")
    transactions = out(fields.Integer, "流水数 · transactions looked at")
    entries = out(fields.Integer, "分录数 · entries looked at")
    wallets = out(fields.Integer, "钱包数 · wallets looked at")
    rules = fields.List(fields.Nested(RuleSchema))
    sums = fields.Nested(SumsSchema)
