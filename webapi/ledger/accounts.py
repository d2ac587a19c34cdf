"""The chart of accounts: how an account is called, and finding or opening it in a tenant's books."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from webapi.ledger.models import Account, AccountKind


@dataclass(frozen=True, slots=True)
class AccountName:
    """An account by its name; `customer_id` for the four that stand in a wallet."""

    code: str
    kind: AccountKind
    customer_id: int | None = None


def available(customer_id: int) -> AccountName:
    """What a customer may spend."""
    return AccountName(f"customer:{customer_id}:available", AccountKind.AVAILABLE, customer_id)


def held(customer_id: int) -> AccountName:
    """What is set aside for a customer's open orders."""
    return AccountName(f"customer:{customer_id}:held", AccountKind.HELD, customer_id)


def gift(customer_id: int) -> AccountName:
    """What a customer was given; spent after the principal, never paid out."""
    return AccountName(f"customer:{customer_id}:gift", AccountKind.GIFT, customer_id)


def debt(customer_id: int) -> AccountName:
    """What a customer owes; its balance is the debt with the sign turned."""
    return AccountName(f"customer:{customer_id}:debt", AccountKind.DEBT, customer_id)


def clearing(channel: str) -> AccountName:
    """Money on its way through a channel (manual, wechat, alipay); back at zero when the channel has paid out."""
    return AccountName(f"channel:{channel}:clearing", AccountKind.CLEARING)


REVENUE_ELECTRICITY = AccountName("revenue:electricity", AccountKind.REVENUE)
REVENUE_SERVICE = AccountName("revenue:service", AccountKind.REVENUE)
REVENUE_OCCUPANCY = AccountName("revenue:occupancy", AccountKind.REVENUE)
DISCOUNT_OVERSHOOT = AccountName("discount:overshoot", AccountKind.DISCOUNT)
DISCOUNT_GIFT = AccountName("discount:gift", AccountKind.DISCOUNT)
REFUND_PAYABLE = AccountName("refund:payable", AccountKind.PAYABLE)
BANK = AccountName("bank", AccountKind.BANK)
CHANNEL_FEE = AccountName("channel_fee", AccountKind.CHANNEL_FEE)
ROUNDING = AccountName("rounding", AccountKind.ROUNDING)
"""Must stay 0: every split is by largest remainder."""
WRITEOFF = AccountName("writeoff", AccountKind.WRITEOFF)


def account_id(session: Session, tenant_id: int, name: AccountName) -> int:
    """Find an account in a tenant's books; opened at its first use, also when two ask at once."""
    query = select(Account.id).where(Account.tenant_id == tenant_id, Account.code == name.code)
    found = session.scalar(query)
    if found is not None:
        return found
    values: dict[str, Any] = {
        "tenant_id": tenant_id,
        "code": name.code,
        "kind": name.kind,
        "customer_id": name.customer_id,
    }
    if session.get_bind().dialect.name == "postgresql":
        session.execute(postgresql_insert(Account).values(values).on_conflict_do_nothing())
    elif session.get_bind().dialect.name == "sqlite":
        session.execute(sqlite_insert(Account).values(values).on_conflict_do_nothing())
    else:
        session.execute(insert(Account).values(values))
    return session.scalars(query).one()
