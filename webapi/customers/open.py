"""Opening an account (开户): customer, wallet and the wallet's four accounts at once."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from webapi.customers.models import Customer
from webapi.ledger.accounts import account_id, available, debt, gift, held
from webapi.ledger.models import Wallet


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """Who it is; `phone` is unique within the tenant."""

    tenant_id: int
    name: str
    phone: str | None = None
    first_station_code: str | None = None


def open_customer(session: Session, new: NewCustomer, *, at: datetime) -> Customer:
    """Make a customer with an empty wallet. A phone that the tenant knows raises IntegrityError."""
    customer = Customer(
        tenant_id=new.tenant_id,
        name=new.name,
        phone=new.phone,
        first_station_code=new.first_station_code,
        opened_at=at,
    )
    session.add(customer)
    session.flush()
    session.add(Wallet(customer_id=customer.id, available_fen=0, held_fen=0, gift_fen=0, debt_fen=0))
    session.flush()
    for name in (available(customer.id), held(customer.id), gift(customer.id), debt(customer.id)):
        account_id(session, new.tenant_id, name)
    return customer
