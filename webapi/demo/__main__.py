"""`python -m webapi.demo seed | drive`: make the demo's operator; be its customers."""

import argparse
import os
import sys
from random import Random
from threading import Event

import webapi.models  # noqa: F401 (all tables must be mapped)
from evcs.runtime import log
from evcs.runtime.clock import SystemClock
from evcs.runtime.run import run_sync
from evcs.runtime.settings import read
from webapi.database import open_database, sessions, upgrade
from webapi.demo.client import Client, Endpoint
from webapi.demo.drive import Drive
from webapi.demo.seed import Fleet, seed
from webapi.demo.settings import Settings
from webapi.demo.sign_in_file import NoSignIn, keep_sign_in, read_sign_in


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m webapi.demo", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    seeding = commands.add_parser("seed", help="make tenant, stations, piles, tariff, customers and a console user")
    seeding.add_argument("--piles", help="piles to make (EVCS_SIMULATOR_PILES)")
    seeding.add_argument("--guns", help="guns of each pile (EVCS_SIMULATOR_GUNS)")
    commands.add_parser("drive", help="recharge and order for the demo's customers until stopped")
    given = parser.parse_args(arguments)
    if given.command == "drive":
        return _drive()
    for name in ("piles", "guns"):
        if getattr(given, name) is not None:
            os.environ[f"EVCS_SIMULATOR_{name.upper()}"] = getattr(given, name)
    return _seed()


def _seed() -> int:
    settings = read(Settings)
    log.setup("demo", settings.log_level, settings.log_format)
    sign_in = keep_sign_in(settings.sign_in_file)
    engine = open_database(settings.database_url)
    upgrade(engine)
    fleet = Fleet(settings.simulator_piles, settings.simulator_guns, settings.simulator_first)
    with sessions(engine)() as session:
        seed(session, fleet, sign_in, at=SystemClock(settings.clock_offset_file).now())
        session.commit()
    engine.dispose()
    log.get_logger().info("demo_seeded", piles=fleet.piles, guns=fleet.guns, sign_in=str(settings.sign_in_file))
    return 0


def _drive() -> int:
    settings = read(Settings)
    log.setup("demo", settings.log_level, settings.log_format)
    try:
        sign_in = read_sign_in(settings.sign_in_file)
    except NoSignIn as error:
        sys.stderr.write(f"{error}\n")
        return 2
    stopping, failed = Event(), Event()
    client = Client(Endpoint(settings.http_host, settings.http_port), sign_in, stopping)
    clock = SystemClock(settings.clock_offset_file)
    drive = Drive(client, clock, Random(settings.simulator_seed), stopping, failed)
    return run_sync(drive, settings, name="demo", failed=failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
