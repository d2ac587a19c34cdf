"""Many simulated piles in one process: the service behind `python -m bridge.simulator`."""

import asyncio
from collections import Counter

from bridge.simulator.link import SimulatedPile
from bridge.simulator.memory import MemoryFile
from bridge.simulator.options import PileOptions
from bridge.simulator.settings import Settings, span
from evcs.runtime.clock import Clock
from evcs.runtime.health import OK, Health, degraded
from evcs.runtime.log import get_logger
from evcs.runtime.run import spawn

log = get_logger()

PREFIX = "55031412"
"""The first eight digits of every simulated pile."""
TELL_EVERY_S = 60.0
KEEP_FRAMES = 64
CONNECT_APART_S = 0.02
"""Piles come one after the other, as after a power cut in a street, not all in one packet."""


def pile_number(index: int) -> str:
    """The number on the wire of the n-th simulated pile (n from 1): 14 digits."""
    return f"{PREFIX}{index:06d}"


def options_of(settings: Settings) -> PileOptions:
    """Settings → nature of the piles."""
    return PileOptions(
        pile_w=settings.simulator_pile_kw * 1000,
        gun_w=settings.simulator_gun_kw * 1000,
        speed=settings.simulator_speed,
        energy_factor=settings.simulator_energy_factor,
        arrivals_per_hour=settings.simulator_arrivals,
        need_kwh=span(settings.simulator_need_kwh),
        patience_s=span(settings.simulator_patience_s),
        linger_s=span(settings.simulator_linger_s),
        start_delay_s=span(settings.simulator_start_delay_s),
        cold_share=settings.simulator_cold_share,
        manual_stop_share=settings.simulator_manual_stop_share,
    )


class Fleet:
    """All piles of this process, kept running until it is told to stop."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        folder = settings.state_folder
        options = options_of(settings)
        numbers = [pile_number(settings.simulator_first + index) for index in range(settings.simulator_piles)]
        self.piles = [
            SimulatedPile(
                settings.host,
                settings.port,
                number,
                settings.simulator_guns,
                settings.simulator_seed,
                options=options,
                clock=clock,
                memory_file=MemoryFile(folder, number) if folder is not None else None,
                keep=KEEP_FRAMES,
            )
            for number in numbers
        ]
        self._where = f"{settings.host}:{settings.port}"
        self._seed = settings.simulator_seed
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start every pile; they connect by themselves as soon as somebody listens."""
        log.info(
            "fleet_started",
            piles=len(self.piles),
            first=self.piles[0].number,
            last=self.piles[-1].number,
            to=self._where,
            seed=self._seed,
        )
        for index, pile in enumerate(self.piles):
            self._tasks.append(spawn(self._run(pile, index * CONNECT_APART_S), pile.number))
        self._tasks.append(spawn(self._tell(), "tell"))

    async def stop(self) -> None:
        """Cut the power: running sessions become records at the next start, where a folder keeps them."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def health(self) -> Health:
        """Degraded while some pile is not logged in."""
        away = sum(not pile.is_online for pile in self.piles)
        return degraded(f"{away} of {len(self.piles)} piles are not logged in at {self._where}") if away else OK

    async def _run(self, pile: SimulatedPile, wait_s: float) -> None:
        await asyncio.sleep(wait_s)
        await pile.run()

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            phases = Counter(
                gun.session.phase.name.lower() if gun.session else "plugged" if gun.is_plugged else "free"
                for pile in self.piles
                for gun in pile.pile.guns.values()
            )
            log.info(
                "fleet",
                online=sum(pile.is_online for pile in self.piles),
                piles=len(self.piles),
                kw=sum(gun.power_w for pile in self.piles for gun in pile.pile.guns.values()) // 1000,
                unconfirmed=sum(len(pile.pile.records) for pile in self.piles),
                **phases,
            )
