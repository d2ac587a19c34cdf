"""`python -m ingest`."""

import gc

from evcs.runtime import log
from evcs.runtime.clock import SystemClock
from evcs.runtime.run import run
from evcs.runtime.settings import read
from evcs.store.open import open_store
from ingest.settings import Settings
from ingest.worker import Worker

YOUNG = 200_000
"""Objects after which the collector looks for cycles: some batches. By its default of 700 it looks through the
messages in hand again and again, a quarter of all CPU time, and they have no cycles."""


def main() -> int:
    """Settings, log, adapters, run."""
    settings = read(Settings)
    log.setup("ingest", settings.log_level, settings.log_format)
    clock = SystemClock(settings.clock_offset_file)
    worker = Worker(settings, open_store(settings.store_url, settings.store_secret), clock)
    gc.freeze()
    gc.set_threshold(YOUNG, 20, 50)
    return run(worker, settings, name="ingest", clock=clock)


if __name__ == "__main__":
    raise SystemExit(main())
