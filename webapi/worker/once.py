"""Events without a natural key of their own: handled once, however often they come."""

from datetime import datetime

from sqlalchemy.orm import Session

from webapi.worker.models import HandledEvent


def is_first(session: Session, event_id: str, *, at: datetime) -> bool:
    """Whether an event has not had its effect yet; from this transaction on it has."""
    if session.get(HandledEvent, event_id) is not None:
        return False
    session.add(HandledEvent(event_id=event_id, handled_at=at))
    session.flush()
    return True
