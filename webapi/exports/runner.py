"""Has exports written, one after another, each by a process of its own.

Writing a hundred thousand rows is half a minute of pure computing: in a thread of the API every request would wait for
the interpreter, in the worker every start and stop. A child process with a lower priority takes neither, its memory
goes back as a whole, and a death of it is one export's.
"""

import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from threading import Event, Thread

from sqlalchemy import Engine, select, update
from sqlalchemy.exc import DBAPIError

from evcs.runtime.clock import Clock
from evcs.runtime.log import get_logger
from webapi.database import reading, sessions
from webapi.exports.models import Export, ExportState
from webapi.exports.write import file_of

log = get_logger()

LOOK_EVERY_S = 1.0
CLEAN_EVERY_S = 60.0
SILENT = timedelta(minutes=3)
"""Whoever writes it gives a sign with each thousand rows; after so long without one it is begun anew."""
MOST_TRIES = 3
ENDS_WITHIN_S = 10.0

Spawn = Callable[[str], Popen[bytes]]


def spawn(export_id: str) -> Popen[bytes]:
    """A process that writes one export, with the settings of this one."""
    return Popen([sys.executable, "-m", "webapi.exports", export_id])


class Runner:
    """The thread that has them written; one per process of the API."""

    def __init__(
        self, engine: Engine, clock: Clock, folder: Path, start: Spawn = spawn, look_every_s: float = LOOK_EVERY_S
    ) -> None:
        self._engine, self._clock, self._folder, self._spawn = engine, clock, folder, start
        self._look_every_s = look_every_s
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="exports", daemon=True)
        self._cleaned_at = clock.monotonic() - CLEAN_EVERY_S

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Let nothing new begin; what is being written is ended, and begun anew later."""
        self._stopping.set()
        self._thread.join(ENDS_WITHIN_S + LOOK_EVERY_S)

    def _run(self) -> None:
        while not self._stopping.wait(self._look_every_s):
            try:
                if self._clock.monotonic() - self._cleaned_at >= CLEAN_EVERY_S:
                    self._cleaned_at = self._clock.monotonic()
                    self.clean()
                waiting = self._next()
                if waiting is not None:
                    self._write(waiting)
            except DBAPIError as error:
                log.warning("exports_wait", reason=type(error).__name__)

    def _next(self) -> str | None:
        with reading(self._engine) as session:
            query = select(Export.id).where(Export.state == ExportState.WAITING).order_by(Export.requested_at).limit(1)
            return session.scalar(query)

    def _write(self, export_id: str) -> None:
        """Until it is written, or nobody wants it any more."""
        self._try(export_id)
        child = self._spawn(export_id)
        while child.poll() is None:
            if self._stopping.wait(self._look_every_s) or not self._is_wanted(export_id):
                child.terminate()
                try:
                    child.wait(ENDS_WITHIN_S)
                except TimeoutExpired:
                    child.kill()
                    child.wait()
        if child.returncode:
            log.warning("export_died", export=export_id, code=child.returncode)
            self._begin_anew(export_id)
        file = file_of(self._folder, export_id)
        if not self._is_wanted(export_id):
            file.with_suffix(".part").unlink(missing_ok=True)

    def _try(self, export_id: str) -> None:
        """Counted here: a child may die before it comes as far as its row."""
        with sessions(self._engine).begin() as session:
            session.execute(update(Export).where(Export.id == export_id).values(tries=Export.tries + 1))

    def _is_wanted(self, export_id: str) -> bool:
        with reading(self._engine) as session:
            export = session.get(Export, export_id)
            return export is not None and export.state is not ExportState.CANCELLED

    def _begin_anew(self, export_id: str) -> None:
        with sessions(self._engine).begin() as session:
            export = session.get(Export, export_id)
            if export is not None and export.state in (ExportState.RUNNING, ExportState.WAITING):
                _again(export, self._clock)

    def clean(self) -> None:
        """Delete files whose time is over or whose export was given up; begin anew what nobody writes any more."""
        now = self._clock.now()
        with sessions(self._engine).begin() as session:
            over = session.scalars(
                select(Export).where(Export.state == ExportState.DONE, Export.expires_at <= now)
            ).all()
            for export in over:
                export.state = ExportState.EXPIRED
            silent = session.scalars(
                select(Export).where(Export.state == ExportState.RUNNING, Export.seen_at <= now - SILENT)
            ).all()
            for export in silent:
                _again(export, self._clock)
            kept = set(
                session.scalars(select(Export.id).where(Export.state.in_([ExportState.DONE, ExportState.RUNNING])))
            )
        for file in self._folder.glob("*"):
            if file.suffix in (".xlsx", ".part") and file.stem not in kept:
                file.unlink(missing_ok=True)


def _again(export: Export, clock: Clock) -> None:
    if export.tries < MOST_TRIES:
        export.state = ExportState.WAITING
    else:
        export.state, export.finished_at, export.why = ExportState.FAILED, clock.now(), "gave_up"
