"""Writing one export: its rows in one snapshot, its progress beside it, its file whole or not at all."""

from datetime import timedelta
from pathlib import Path

import msgspec
from sqlalchemy import CursorResult, Engine, update
from sqlalchemy.orm import Session

from evcs.contracts.reasons import Sentence
from evcs.runtime.clock import Clock
from evcs.runtime.log import get_logger
from webapi.access import Asker, visible
from webapi.customers.models import Customer
from webapi.database import ROW_LOCK, reading, sessions
from webapi.exports.declare import ExportKind, Say
from webapi.exports.kinds import KINDS
from webapi.exports.models import Export, ExportState
from webapi.exports.sheet import Sheet
from webapi.users.askers import console_user, driver
from webapi.users.models import User

log = get_logger()

KEPT = timedelta(days=7)
"""How long a file is kept."""


class CancelledError(Exception):
    """Somebody does not want it any more."""


def file_of(folder: Path, export_id: str) -> Path:
    """Where its file is."""
    return folder / f"{export_id}.xlsx"


def write_export(engine: Engine, clock: Clock, folder: Path, export_id: str) -> None:
    """Write the file of an export that waits; its row tells how it went."""
    begun = _begin(engine, clock, export_id)
    if begun is None:
        return
    kind = KINDS[begun.kind]
    wanted = file_of(folder, export_id)
    part = wanted.with_suffix(".part")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        count = _write(engine, clock, begun, kind, part)
        size = part.stat().st_size
        part.replace(wanted)
        now = clock.now()
        kept = _mark(
            engine,
            export_id,
            state=ExportState.DONE,
            finished_at=now,
            expires_at=now + KEPT,
            rows_done=count,
            rows_total=count,
            file_bytes=size,
        )
        if not kept:
            raise CancelledError
        log.info("export_written", export=export_id, kind=kind.code, rows=count, bytes=size)
    except CancelledError:
        wanted.unlink(missing_ok=True)
        log.info("export_cancelled", export=export_id)
    except NotAllowedError:
        _mark(engine, export_id, state=ExportState.FAILED, finished_at=clock.now(), why="not_allowed")
    finally:
        part.unlink(missing_ok=True)


class NotAllowedError(Exception):
    """Who asked may not see this list any more."""


def _begin(engine: Engine, clock: Clock, export_id: str) -> Export | None:
    with sessions(engine).begin() as session:
        export = session.get(Export, export_id, with_for_update=ROW_LOCK)
        if export is None or export.state is not ExportState.WAITING:
            return None
        now = clock.now()
        export.state, export.begun_at, export.seen_at = ExportState.RUNNING, now, now
        export.rows_done = 0
        return export


def _write(engine: Engine, clock: Clock, export: Export, kind: ExportKind, part: Path) -> int:
    say = _say(export.language)
    with reading(engine) as session:
        asker = _asker(session, export)
        if asker is None or kind.right not in asker.rights:
            raise NotAllowedError
        sees = visible(asker)
        wish = kind.filter_of(msgspec.json.decode(export.filter_json, type=dict[str, str]))
        total = kind.count(session, sees, wish)
        sheet = Sheet(kind.title, kind.columns, say)
        done = 0
        for batch in kind.rows(session, sees, wish, say):
            for row in batch:
                sheet.add(row)
            done += len(batch)
            if not _mark(engine, export.id, rows_done=done, rows_total=total, seen_at=clock.now()):
                sheet.abandon()
                raise CancelledError
        sheet.save(part)
        return done


def _asker(session: Session, export: Export) -> Asker | None:
    """With the rights and stations of now, not of when it was asked for."""
    if export.user_id is not None:
        user = session.get(User, export.user_id)
        return None if user is None or user.disabled_at is not None else console_user(session, user)
    customer = session.get(Customer, export.customer_id)
    return None if customer is None or customer.archived_at is not None else driver(customer)


def _mark(engine: Engine, export_id: str, **values: object) -> bool:
    """Write into its row while it runs; false: it does not any more."""
    with sessions(engine).begin() as session:
        done = session.execute(
            update(Export).where(Export.id == export_id, Export.state == ExportState.RUNNING).values(**values)
        )
        return isinstance(done, CursorResult) and done.rowcount == 1


def _say(language: str) -> Say:
    def say(sentence: Sentence) -> str:
        return sentence.en if language == "en" else sentence.zh

    return say
