"""Whose card or car it is: by the number as it came, and as other makers' piles would have sent it."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapi.cards.models import Card, CardState, Vehicle
from webapi.cards.numbers import is_uid, spellings


def find_card(session: Session, tenant_id: int, uid: str) -> Card | None:
    """The card in use with this chip number, blocked ones too; the spelling as it came goes before the others."""
    if not is_uid(uid):
        return None
    wanted = spellings(uid)
    found = session.scalars(
        select(Card).where(Card.tenant_id == tenant_id, Card.uid.in_(wanted), Card.state != CardState.UNBOUND)
    ).all()
    return min(found, key=lambda card: wanted.index(card.uid), default=None)


def find_card_at(
    session: Session, tenant_id: int, uid: str, at: datetime, slack: timedelta = timedelta(0)
) -> Card | None:
    """The card as it was bound at a time: an offline charge belongs to whoever had the card then.

    `slack`: how much later it may have been bound, since the time is another clock's. Of two the later binding counts.
    """
    if not is_uid(uid):
        return None
    wanted = spellings(uid)
    found = session.scalars(
        select(Card)
        .where(
            Card.tenant_id == tenant_id,
            Card.uid.in_(wanted),
            Card.bound_at <= at + slack,
            (Card.unbound_at.is_(None)) | (Card.unbound_at > at),
        )
        .order_by(Card.id.desc())
    ).all()
    return min(found, key=lambda card: wanted.index(card.uid), default=None)


def find_vehicle(session: Session, tenant_id: int, vin: str) -> Vehicle | None:
    """The car in use with this VIN, blocked ones too."""
    return session.scalars(
        select(Vehicle).where(Vehicle.tenant_id == tenant_id, Vehicle.vin == vin, Vehicle.state != CardState.UNBOUND)
    ).one_or_none()
