"""Customers, wallets and statements as they go over HTTP."""

from dataclasses import dataclass

from marshmallow import Schema, fields, validate

from webapi.customers.queries import CustomerFilter
from webapi.http.fields import Body, Instant, code, next_cursor, out, text
from webapi.ledger.models import TransactionKind
from webapi.stations.schemas import PageQuery


@dataclass(frozen=True, slots=True)
class CustomerWish:
    """A customer to be opened."""

    name: str
    phone: str | None = None
    first_station: str | None = None


class CustomersQuery(PageQuery):
    """Which customers."""

    makes = CustomerFilter
    q = text("part of the name, or the phone number", most=64)


class CustomerBody(Body):
    """开户."""

    makes = CustomerWish
    name = text("name", most=64, required=True)
    phone = fields.String(
        validate=validate.Regexp(r"\+?[0-9]{5,19}\Z"),
        metadata={"description": "phone number, unique within the operator"},
    )
    first_station = code("station by which the customer came; needed from who sees only some stations")


class WalletSchema(Schema):
    """Balances in fen."""

    available_fen = out(fields.Integer, "can be spent")
    held_fen = out(fields.Integer, "冻结: set aside for open orders")
    gift_fen = out(fields.Integer, "gifts")
    debt_fen = out(fields.Integer, "欠费")


class CustomerSchema(Schema):
    """用户 (driver)."""

    id = out(fields.Integer, "number")
    name = out(fields.String, "name")
    phone = out(fields.String, "phone number; masked for who does not need it", allow_none=True)
    first_station = out(fields.String, "station by which the customer came", allow_none=True)
    opened_at = out(Instant, "开户")
    blocked_at = out(Instant, "冻结账户: since when nothing starts", allow_none=True)
    blocked_reason = out(fields.String, "why", allow_none=True)
    wallet = fields.Nested(WalletSchema)


class CustomersSchema(Schema):
    """A page of customers, newest first."""

    items = fields.List(fields.Nested(CustomerSchema))
    next = next_cursor()


class StatementLineSchema(Schema):
    """One line of a statement."""

    id = out(fields.Integer, "number of the transaction")
    at = out(Instant, "when it was posted")
    kind = out(fields.Enum, "what it was", enum=TransactionKind, by_value=True)
    change_fen = out(fields.Integer, "money that came (+) or went (−), fen")
    balance_fen = out(fields.Integer, "available + held + gift − debt after it, fen")
    serial = out(fields.String, "order that it paid", allow_none=True)
    station = out(fields.String, "station of that order", allow_none=True)
    energy_kwh = out(fields.Decimal, "energy of that order, kWh", allow_none=True)
    channel = out(fields.String, "of a recharge: manual, wechat, alipay", allow_none=True)
    reason = out(fields.String, "of a recharge", allow_none=True)
    voucher = out(fields.String, "of a recharge", allow_none=True)
    by = out(fields.String, "who did it: user:7, worker …")


class StatementSchema(Schema):
    """A page of a statement, newest first."""

    items = fields.List(fields.Nested(StatementLineSchema))
    next = next_cursor()
