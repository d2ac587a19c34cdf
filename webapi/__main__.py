"""`python -m webapi`: the HTTP API, served by gunicorn threads, until SIGTERM."""

import gc
import sys

from evcs.contracts.measurements import ROLLUPS
from evcs.runtime import log
from evcs.runtime.clock import SystemClock
from evcs.runtime.settings import read
from evcs.store.open import beside, open_reader
from webapi.app import create_app
from webapi.database import open_database, sessions
from webapi.exports.runner import Runner
from webapi.http.call import Adapters
from webapi.http.limits import Rates
from webapi.http.server import Server
from webapi.mini.qr import GunCodes
from webapi.mini.secret import qr_secret
from webapi.recharges.limits import RechargeLimits
from webapi.settings import Settings


def main() -> int:
    settings = read(Settings)
    log.setup("webapi", settings.log_level, settings.log_format)

    def make() -> object:
        # Called in the worker process: nothing that is open crosses a fork.
        engine = open_database(settings.database_url, pool_size=settings.http_threads)
        adapters = Adapters(
            engine,
            sessions(engine),
            open_reader(settings.store_url, settings.store_secret),
            SystemClock(settings.clock_offset_file),
            {
                rollup.bucket: open_reader(beside(settings.store_url, rollup.bucket), settings.store_secret)
                for rollup in ROLLUPS
            },
            GunCodes(qr_secret(settings.qr_secret, settings.var), settings.public_url),
            settings.var / "exports",
            RechargeLimits(settings.recharge_alone_fen, settings.recharge_day_fen, settings.recharge_approval_h),
        )
        Runner(engine, adapters.clock, adapters.exports).start()
        rates = Rates(settings.http_reads_per_min, settings.http_changes_per_min, settings.http_strangers_per_min)
        app = create_app(adapters, body_kib=settings.http_body_kib, proxies=settings.http_proxies, rates=rates)
        # What is here now stays: a full collection that walks it each time takes 100 ms out of some answer.
        gc.collect()
        gc.freeze()
        return app

    Server(settings, make).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
