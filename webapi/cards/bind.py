"""Binding a card or vehicle to a customer, blocking it, setting its password, unbinding it: each keeps what was before.

The caller commits, and writes the audit. What is unbound is history: it is never changed, and never deleted.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from webapi.cards.find import find_card, find_vehicle
from webapi.cards.models import Card, CardState, Vehicle
from webapi.cards.numbers import password_of
from webapi.customers.models import Customer
from webapi.users.secrets_of import hash_password


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCard:
    """A card for a customer; `uid` as `numbers.spell_uid` writes it, `pin` as the driver types it."""

    uid: str
    printed_no: str = ""
    offline_allowed: bool = False
    pin: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVehicle:
    """A car for a customer."""

    vin: str
    plate: str = ""
    plug_and_charge: bool = True


def bind_card(session: Session, customer: Customer, new: NewCard, *, at: datetime) -> Card | None:
    """Give a customer a card; None where the number, in any spelling of it, is somebody's already."""
    if find_card(session, customer.tenant_id, new.uid) is not None:
        return None
    card = Card(
        tenant_id=customer.tenant_id,
        customer=customer,
        uid=new.uid,
        printed_no=new.printed_no,
        state=CardState.BOUND,
        state_since=at,
        password_hash=None if new.pin is None else hash_password(password_of(new.pin)),
        offline_allowed=new.offline_allowed,
        bound_at=at,
    )
    return card if _is_first(session, card) else None


def bind_vehicle(session: Session, customer: Customer, new: NewVehicle, *, at: datetime) -> Vehicle | None:
    """Give a customer a car; None where the VIN is somebody's already."""
    if find_vehicle(session, customer.tenant_id, new.vin) is not None:
        return None
    vehicle = Vehicle(
        tenant_id=customer.tenant_id,
        customer=customer,
        vin=new.vin,
        plate=new.plate,
        plug_and_charge=new.plug_and_charge,
        state=CardState.BOUND,
        state_since=at,
        bound_at=at,
    )
    return vehicle if _is_first(session, vehicle) else None


def set_password(card: Card, pin: str | None) -> None:
    """The PIN that is typed at the pile from now on; none: no password."""
    card.password_hash = None if pin is None else hash_password(password_of(pin))


def block(bound: Card | Vehicle, reason: str, *, at: datetime) -> None:
    """Nothing starts with it any more; blocked already: only the reason is the newer one."""
    if bound.state is CardState.BOUND:
        bound.state, bound.state_since = CardState.BLOCKED, at
    bound.reason = reason


def unblock(bound: Card | Vehicle, *, at: datetime) -> None:
    """It starts charges again."""
    if bound.state is CardState.BLOCKED:
        bound.state, bound.state_since = CardState.BOUND, at
        bound.reason = None


def unbind(bound: Card | Vehicle, reason: str, *, at: datetime) -> None:
    """It is the customer's no more, and free for another."""
    bound.state, bound.state_since, bound.unbound_at, bound.reason = CardState.UNBOUND, at, at, reason
    if isinstance(bound, Card):
        bound.password_hash = None


def _is_first(session: Session, row: Card | Vehicle) -> bool:
    """Two at once: the database's own rule tells, and only this row is taken back."""
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        return False
    return True
