"""Customers, wallets and statements as they go over HTTP."""

from dataclasses import dataclass

from marshmallow import Schema, fields, validate

from webapi.customers.queries import CustomerFilter, StatementFilter
from webapi.http.fields import Body, Instant, code, next_cursor, out, text
from webapi.ledger.models import TransactionKind
from webapi.stations.schemas import PageQuery


@dataclass(frozen=True, slots=True)
class CustomerWish:
    """A customer to be opened."""

    name: str
    phone: str | None = None
    first_station: str | None = None


@dataclass(frozen=True, slots=True)
class Why:
    """Why something is done to an account."""

    reason: str


class WhyAccountBody(Body):
    """Why an account is blocked or let go on."""

    makes = Why
    reason = text("原因 · why", required=True)


class CustomersQuery(PageQuery):
    """Which customers."""

    makes = CustomerFilter
    q = text("姓名、手机号、卡号、车牌或 VIN · part of the name, or phone number, card, plate or VIN", most=64)
    blocked = fields.Boolean(metadata={"description": "是否已冻结 · only those that are blocked, or only the others"})


class CustomerBody(Body):
    """开户."""

    makes = CustomerWish
    name = text("名称 · name", most=64, required=True)
    phone = fields.String(
        validate=validate.Regexp(r"\+?[0-9]{5,19}\Z"),
        metadata={"description": "手机号 · phone number, unique within the operator"},
    )
    first_station = code("来源充电站 · station by which the customer came; needed from who sees only some stations")


class WalletSchema(Schema):
    """Balances in fen."""

    available_fen = out(fields.Integer, "可用 · can be spent")
    held_fen = out(fields.Integer, "冻结: set aside for open orders")
    gift_fen = out(fields.Integer, "赠送 · gifts")
    debt_fen = out(fields.Integer, "欠费")


class CustomerSchema(Schema):
    """用户 (driver)."""

    id = out(fields.Integer, "编号 · number")
    name = out(fields.String, "名称 · name")
    phone = out(fields.String, "手机号，按权限脱敏 · phone number; masked for who does not need it", allow_none=True)
    first_station = out(fields.String, "来源充电站 · station by which the customer came", allow_none=True)
    opened_at = out(Instant, "开户")
    blocked_at = out(Instant, "冻结账户: since when nothing starts", allow_none=True)
    blocked_reason = out(fields.String, "原因 · why", allow_none=True)
    wallet = fields.Nested(WalletSchema)


class CustomersSchema(Schema):
    """A page of customers, newest first."""

    items = fields.List(fields.Nested(CustomerSchema))
    next = next_cursor()


class StatementQuery(PageQuery):
    """Which lines."""

    makes = StatementFilter
    kind = fields.List(
        fields.Enum(TransactionKind, by_value=True),
        metadata={"description": "类型，可重复 · kinds, may be repeated"},
    )
    since = Instant(metadata={"description": "不早于 · posted at or after"})
    until = Instant(metadata={"description": "早于 · posted before"})


class StatementLineSchema(Schema):
    """One line of a statement."""

    id = out(fields.Integer, "流水编号 · number of the transaction")
    at = out(Instant, "入账时间 · when it was posted")
    kind = out(fields.Enum, "类型 · what it was", enum=TransactionKind, by_value=True)
    change_fen = out(fields.Integer, "变动 · money that came (+) or went (−), fen")
    balance_fen = out(fields.Integer, "之后的余额 · available + held + gift − debt after it, fen")
    after = fields.Nested(WalletSchema)
    serial = out(fields.String, "所付订单 · order that it paid", allow_none=True)
    station = out(fields.String, "该订单的充电站 · station of that order", allow_none=True)
    energy_kwh = out(fields.Decimal, "该订单电量 · energy of that order, kWh", allow_none=True)
    channel = out(fields.String, "充值渠道 · of a recharge: manual, wechat, alipay", allow_none=True)
    reason = out(fields.String, "充值信息 · of a recharge", allow_none=True)
    voucher = out(fields.String, "充值信息 · of a recharge", allow_none=True)
    by = out(fields.String, "操作者 · who did it: user:7, worker …")


class StatementSchema(Schema):
    """A page of a statement, newest first."""

    items = fields.List(fields.Nested(StatementLineSchema))
    next = next_cursor()
