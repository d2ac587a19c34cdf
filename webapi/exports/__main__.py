"""`python -m webapi.exports ID`: write one export; started by the API (webapi.exports.runner)."""

import os
import sys

import webapi.models  # noqa: F401 - rows of one folder refer to those of others
from evcs.runtime import log
from evcs.runtime.clock import SystemClock
from evcs.runtime.settings import read
from webapi.database import open_database
from webapi.exports.write import write_export
from webapi.settings import Settings

NICE = 10


def main() -> int:
    """Settings, log, one export."""
    settings = read(Settings)
    log.setup("webapi-exports", settings.log_level, settings.log_format)
    os.nice(NICE)
    engine = open_database(settings.database_url, pool_size=2)
    write_export(engine, SystemClock(settings.clock_offset_file), settings.var / "exports", sys.argv[1])
    engine.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main())
