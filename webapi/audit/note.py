"""Writing the audit: who did what, to what, with which outcome."""

from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from webapi.audit.models import AuditEntry


def note(
    session: Session,
    *,
    at: datetime,
    actor: str,
    action: str,
    outcome: str = "done",
    tenant_id: int | None = None,
    station: str | None = None,
    object_kind: str | None = None,
    object_id: str | None = None,
    address: str | None = None,
    request_id: str | None = None,
    details: msgspec.Struct | None = None,
) -> None:
    """Add an entry in the transaction of the deed; it holds no secret."""
    session.add(
        AuditEntry(
            at=at,
            actor=actor,
            action=action,
            outcome=outcome,
            tenant_id=tenant_id,
            station_code=station,
            object_kind=object_kind,
            object_id=object_id,
            address=address,
            request_id=request_id,
            details_json=None if details is None else msgspec.json.encode(details).decode(),
        )
    )
