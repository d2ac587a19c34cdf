"""`python -m webapi.worker`."""

from threading import Event

import webapi.models  # noqa: F401 - rows of one folder refer to those of others
from evcs.runtime import log
from evcs.runtime.clock import SystemClock
from evcs.runtime.run import run_sync
from evcs.runtime.settings import read
from webapi.database import open_database
from webapi.worker.settings import Settings
from webapi.worker.worker import Worker


def main() -> int:
    """Settings, log, adapters, run."""
    settings = read(Settings)
    log.setup("worker", settings.log_level, settings.log_format)
    failed = Event()
    worker = Worker(settings, open_database(settings.database_url), SystemClock(settings.clock_offset_file), failed)
    return run_sync(worker, settings, name="worker", failed=failed)


if __name__ == "__main__":
    raise SystemExit(main())
