"""The audit of what came over HTTP: who, what, when, from where, under which request."""

import msgspec

from webapi.audit.note import note
from webapi.http.call import Call


def record(
    call: Call,
    action: str,
    *,
    outcome: str = "done",
    tenant_id: int | None = None,
    station: str | None = None,
    object_kind: str | None = None,
    object_id: str | None = None,
    details: msgspec.Struct | None = None,
) -> None:
    """Add an entry in the transaction of the request."""
    note(
        call.session,
        at=call.at,
        actor=call.asker.key,
        action=action,
        outcome=outcome,
        tenant_id=tenant_id if tenant_id is not None else call.asker.tenant_id,
        station=station,
        object_kind=object_kind,
        object_id=object_id,
        address=call.origin.address,
        request_id=call.origin.request_id,
        details=details,
    )
