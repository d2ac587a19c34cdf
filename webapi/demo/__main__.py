"""`python -m webapi.demo seed | drive | town | load`: make the demo's operator; be its customers; give it a past."""

import argparse
import os
import sys
from pathlib import Path
from random import Random
from threading import Event

import msgspec

import webapi.models  # noqa: F401 (all tables must be mapped)
from evcs.contracts.envelope import encode
from evcs.runtime import log
from evcs.runtime.clock import SystemClock
from evcs.runtime.run import run_sync
from evcs.runtime.settings import read
from webapi.database import open_database, sessions, upgrade
from webapi.demo.client import Client, Endpoint
from webapi.demo.drive import Drive
from webapi.demo.load import TURN_S, load
from webapi.demo.past_lines import BadHistory
from webapi.demo.seed import Fleet, seed
from webapi.demo.settings import Settings
from webapi.demo.sign_in_file import NoSignIn, keep_sign_in, read_sign_in
from webapi.demo.town_file import town_of


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m webapi.demo", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    seeding = commands.add_parser("seed", help="make tenant, stations, piles, tariff, customers and a console user")
    seeding.add_argument("--piles", help="piles to make (EVCS_SIMULATOR_PILES)")
    seeding.add_argument("--guns", help="guns of each pile (EVCS_SIMULATOR_GUNS)")
    commands.add_parser("drive", help="recharge and order for the demo's customers until stopped")
    town = commands.add_parser("town", help="print stations, tariff and customers for `bridge.simulator history`")
    town.add_argument("--piles", help="its piles (EVCS_SIMULATOR_PILES)")
    town.add_argument("--guns", help="guns of each pile (EVCS_SIMULATOR_GUNS)")
    loading = commands.add_parser("load", help="post the orders of a past that `bridge.simulator history` wrote")
    loading.add_argument("folder", type=Path, help="its folder")
    given = parser.parse_args(arguments)
    if given.command == "drive":
        return _drive()
    if given.command == "load":
        return _load(given.folder)
    for name in ("piles", "guns"):
        if getattr(given, name) is not None:
            os.environ[f"EVCS_SIMULATOR_{name.upper()}"] = getattr(given, name)
    return _town() if given.command == "town" else _seed()


def _town() -> int:
    settings = read(Settings)
    fleet = Fleet(settings.simulator_piles, settings.simulator_guns, settings.simulator_first)
    sys.stdout.write(msgspec.json.format(encode(town_of(fleet)).decode(), indent=1) + "\n")
    return 0


def _load(folder: Path) -> int:
    settings = read(Settings)
    log.setup("demo", "warning", settings.log_format)
    engine = open_database(settings.database_url)
    upgrade(engine)
    try:
        clock = SystemClock(settings.clock_offset_file)
        loaded = load(engine, folder, clock, turn_s=TURN_S if engine.dialect.name == "sqlite" else 0.0)
    except BadHistory as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        engine.dispose()
    sys.stderr.write(f"{loaded}\n")
    return 0


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
