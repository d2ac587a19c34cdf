"""Asking for exports, looking at them and giving them up: everybody only the own ones."""

from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex

import msgspec
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from webapi.access import Asker, Driver
from webapi.database import ROW_LOCK
from webapi.exports.kinds import KINDS
from webapi.exports.models import Export, ExportState

MOST_AT_ONCE = 5
"""Exports of one person that wait or run."""

OPEN = (ExportState.WAITING, ExportState.RUNNING)


class ExportWish(msgspec.Struct, frozen=True):
    """A list to be exported: which, and the query that its page has."""

    kind: str
    filter: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportView:
    """How far an export is. `rows_total`: none until it is counted."""

    id: str
    kind: str
    state: ExportState
    filter: dict[str, str]
    language: str
    requested_at: datetime
    begun_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    rows_done: int
    rows_total: int | None
    file_bytes: int | None
    why: str | None


def export_view(export: Export) -> ExportView:
    """For its owner."""
    return ExportView(
        id=export.id,
        kind=export.kind,
        state=export.state,
        filter=msgspec.json.decode(export.filter_json, type=dict[str, str]),
        language=export.language,
        requested_at=export.requested_at,
        begun_at=export.begun_at,
        finished_at=export.finished_at,
        expires_at=export.expires_at,
        rows_done=export.rows_done,
        rows_total=export.rows_total,
        file_bytes=export.file_bytes,
        why=export.why,
    )


def ask_export(session: Session, asker: Asker, wish: ExportWish, language: str, *, at: datetime) -> Export | None:
    """Put it into the line; none where too many of this person's stand there already."""
    open_now = session.scalar(select(func.count()).select_from(Export).where(_own(asker), Export.state.in_(OPEN)))
    if (open_now or 0) >= MOST_AT_ONCE:
        return None
    export = Export(
        id=token_hex(16),
        user_id=None if isinstance(asker, Driver) else asker.id,
        customer_id=asker.id if isinstance(asker, Driver) else None,
        kind=KINDS[wish.kind].code,
        filter_json=msgspec.json.encode(wish.filter).decode(),
        language=language,
        state=ExportState.WAITING,
        requested_at=at,
    )
    session.add(export)
    session.flush()
    return export


def own_exports(session: Session, asker: Asker, *, most: int = 50) -> tuple[ExportView, ...]:
    """The newest ones."""
    found = session.scalars(select(Export).where(_own(asker)).order_by(Export.requested_at.desc()).limit(most))
    return tuple(export_view(one) for one in found)


def find_export(session: Session, asker: Asker, export_id: str, *, lock: bool = False) -> Export | None:
    """One of the own."""
    query: Select[Export] = select(Export).where(Export.id == export_id, _own(asker))
    if lock:
        query = query.with_for_update(key_share=ROW_LOCK.key_share)
    return session.scalars(query).one_or_none()


def cancel(export: Export, *, at: datetime) -> bool:
    """Give it up; whether that changed anything. A file that is there already goes with it."""
    if export.state not in (*OPEN, ExportState.DONE):
        return False
    export.state, export.finished_at, export.expires_at = ExportState.CANCELLED, at, None
    return True


def _own(asker: Asker) -> ColumnElement[bool]:
    return Export.customer_id == asker.id if isinstance(asker, Driver) else Export.user_id == asker.id
