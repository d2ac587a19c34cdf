"""Retained levels of piles that no configuration names any more: found after each connection and nightly, and cleared.

Reads P/status, G/state and config/pile in a session of its own that lives for the sweep; clears P/status and G/state.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import date, timedelta

from bridge.fleet import Fleet
from bridge.moment import Moment
from bridge.settings import Settings
from evcs.contracts.times import Instant
from evcs.contracts.topics import CONFIG_PILE, GUN_STATE, PILE_STATUS, Address
from evcs.runtime.clock import Clock
from evcs.runtime.log import get_logger
from evcs.runtime.mqtt import AsyncSession, Delivery, view_session

log = get_logger()

LOOK_EVERY_S = 30.0
PICTURE_WITHIN_S = 60.0
NIGHT_BEGINS = timedelta(hours=8) - timedelta(hours=3, minutes=40)
"""Added to UTC it makes the date change at 03:40 in Beijing."""


def night_of(at: Instant) -> date:
    """The night that a time belongs to; it changes when the nightly sweep is due."""
    return (at + NIGHT_BEGINS).date()


def is_stray(address: Address, fleet: Fleet) -> bool:
    """Whether a status (gun 0) or gun level stands for something that the configuration does not have there."""
    config = fleet.config_of(address.pile)
    if config is None or config.station != address.station:
        return True
    return address.gun != 0 and address.gun not in {gun.gun for gun in config.guns}


class Sweeper:
    """Compares what stands at the broker with the configuration, and brings the broker to hold no more than that."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        fleet: Fleet,
        session: AsyncSession,
        clear: Callable[[Iterable[str]], None],
        is_ready: Callable[[], bool],
        now: Callable[[], Moment],
        again_s: float = LOOK_EVERY_S,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._fleet = fleet
        self._session = session
        self._clear = clear
        self._is_ready = is_ready
        """Whether the worker, whose configuration it is, is there."""
        self._now = now
        self._again_s = again_s
        self._asked = asyncio.Event()
        self._night = night_of(clock.now())
        self._missing: set[str] = set()
        """Piles whose configuration did not stand at the last nightly sweep."""

    def connected(self) -> None:
        """The broker may have come back with an older store."""
        self._asked.set()

    async def run(self) -> None:
        """Sweep whenever it is due."""
        while True:
            try:
                async with asyncio.timeout(self._again_s):
                    await self._asked.wait()
            except TimeoutError:
                if night_of(self._clock.now()) == self._night:
                    continue
            if not self._is_ready() or not self._fleet.piles:
                self._asked.set()  # without the worker the configuration may be incomplete
                await asyncio.sleep(self._again_s)
                continue
            self._asked.clear()
            night = night_of(self._clock.now())
            await self.sweep(is_nightly=night != self._night)
            self._night = night

    async def sweep(self, *, is_nightly: bool = False) -> int:
        """Look once; returns how many topics were cleared."""
        levels: set[str] = set()
        configs: set[str] = set()
        view = view_session(self._settings, self._clock, client_id=f"bridge-{self._settings.bridge_id}-sweep")
        for topic, found in ((PILE_STATUS, levels), (GUN_STATE, levels), (CONFIG_PILE, configs)):
            view.subscribe(topic.everywhere, 0, _into(found))
        try:
            async with asyncio.timeout(PICTURE_WITHIN_S):
                await view.start()
                await view.picture()
                await self._session.confirm()  # what was configured meanwhile has arrived here too
        except TimeoutError:
            log.warning("sweep_given_up", seconds=PICTURE_WITHIN_S)
            return 0
        finally:
            await view.stop(0)
        if is_nightly:
            self._let_go(configs)
        return self._clear_strays(levels)

    def _clear_strays(self, levels: set[str]) -> int:
        strays = sorted(topic for topic in levels if self._is_stray(topic))
        if strays:
            log.warning("strays_cleared", topics=len(strays), first=strays[:5])
            self._clear(strays)
        return len(strays)

    def _is_stray(self, topic: str) -> bool:
        address = PILE_STATUS.parse(topic) or GUN_STATE.parse(topic)
        return address is not None and is_stray(address, self._fleet)

    def _let_go(self, standing: set[str]) -> None:
        """A configuration that was taken away while this bridge was not connected. Believed at the second night:

        a broker that lost its store gets its configuration again from the worker.
        """
        missing = {number for number in self._fleet.piles if CONFIG_PILE.at(pile=number) not in standing}
        for number in missing & self._missing:
            log.warning("pile_not_configured", pile=number)
            self._fleet.unconfigured(number, self._now())
        self._missing = missing if standing else set()


def _into(found: set[str]) -> Callable[[Delivery], None]:
    def take(delivery: Delivery) -> None:
        delivery.ack()
        if delivery.payload:
            found.add(delivery.topic)
        else:
            found.discard(delivery.topic)

    return take
