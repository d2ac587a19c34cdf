"""A consumer process that takes and never acknowledges, to be killed: says `ready`, and `full` once it holds enough."""

import asyncio
import sys

from evcs.runtime import log
from evcs.runtime.clock import SystemClock
from evcs.runtime.mqtt import Delivery
from evcs.runtime.mqtt.sessions import AsyncSession
from evcs.runtime.mqtt.sync_client import SyncSession
from tests.evcs.runtime.peers import settings_for


async def hold_async(port: int, most: int) -> None:
    session = AsyncSession(settings_for(port), SystemClock(), client_id="holder")
    held: list[Delivery] = []

    def keep(delivery: Delivery) -> None:
        held.append(delivery)
        if len(held) == most:
            print("full", flush=True)

    session.subscribe("t/+", 1, keep)
    await session.start()
    print("ready", flush=True)
    await asyncio.Event().wait()


def hold_sync(port: int, most: int) -> None:
    session = SyncSession(settings_for(port), SystemClock(), client_id="holder")
    session.subscribe("t/+", 1)
    session.start()
    print("ready", flush=True)
    held: list[Delivery] = []
    told = False
    while True:
        held += session.take(1000, 60)
        if len(held) >= most and not told:
            told = True
            print("full", flush=True)


if __name__ == "__main__":
    kind, port, most = sys.argv[1:]
    log.setup("holder")
    if kind == "async":
        asyncio.run(hold_async(int(port), int(most)))
    else:
        hold_sync(int(port), int(most))
