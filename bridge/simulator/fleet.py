"""Many simulated piles in one process: the service behind `python -m bridge.simulator`."""

import asyncio
import sys

from bridge.simulator import drivers
from bridge.simulator.counts import Counts
from bridge.simulator.link import SimulatedPile
from bridge.simulator.memory import MemoryFile
from bridge.simulator.nature import Mix, of_the_fleet
from bridge.simulator.options import PileOptions
from bridge.simulator.settings import Settings, span
from bridge.simulator.status import Watch, line
from bridge.simulator.transformer_meter import MeterNature, MeterSpec, TransformerMeter
from bridge.simulator.troubles import Troubles
from bridge.simulator.wheel import Wheel
from evcs.runtime.clock import Clock
from evcs.runtime.health import OK, Health, degraded
from evcs.runtime.log import get_logger
from evcs.runtime.run import spawn

log = get_logger()

PREFIX = "55031412"
"""The first eight digits of every simulated pile."""
TELL_EVERY_S = 60.0
SHOW_EVERY_S = 1.0
KEEP_FRAMES = 64
MANY = 200
"""Beyond so many piles none keeps its frames, and power counts as constant for MANY_STEP_S."""
STEP_S, MANY_STEP_S = 0.25, 2.0


def pile_number(index: int) -> str:
    """The number on the wire of the n-th simulated pile (n from 1): 14 digits."""
    return f"{PREFIX}{index:06d}"


def options_of(settings: Settings) -> PileOptions:
    """Settings → what all piles have in common."""
    customers = settings.customers
    usual_step_s = MANY_STEP_S if settings.simulator_piles > MANY else STEP_S
    return PileOptions(
        pile_w=settings.simulator_pile_kw * 1000,
        gun_w=settings.simulator_gun_kw * 1000,
        speed=settings.simulator_speed,
        energy_factor=settings.simulator_energy_factor,
        step_s=settings.simulator_step_s or usual_step_s,
        arrivals_per_hour=settings.simulator_arrivals,
        need_kwh=span(settings.simulator_need_kwh),
        patience_s=span(settings.simulator_patience_s),
        linger_s=span(settings.simulator_linger_s),
        start_delay_s=span(settings.simulator_start_delay_s),
        cold_share=settings.simulator_cold_share,
        manual_stop_share=settings.simulator_manual_stop_share,
        cards=drivers.cards(*customers) if customers is not None else (),
        vins=drivers.vins(*customers) if customers is not None else (),
        card_share=settings.simulator_card_share,
        vin_share=settings.simulator_vin_share,
        joint_share=settings.simulator_joint_share,
    )


def mix_of(settings: Settings) -> Mix:
    """Settings → how the piles differ."""
    return Mix(
        v15=settings.simulator_v15_share,
        high_first=settings.simulator_high_crc_share,
        own_echo=settings.simulator_own_echo_share,
        swapped_echo=settings.simulator_swapped_echo_share,
        fault_base_1=settings.simulator_fault_base_1_share,
        five_bands=settings.simulator_five_bands_share,
        ac=settings.simulator_ac_share,
        ground_locks=settings.simulator_lock_share,
        clock_error_s=settings.simulator_clock_error_s,
        clock_drift_ppm=settings.simulator_clock_drift_ppm,
    )


class Fleet:
    """All piles of this process, kept running until it is told to stop."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.counts = Counts()
        self._wheel = Wheel()
        options, mix = options_of(settings), mix_of(settings)
        indices = range(settings.simulator_first, settings.simulator_first + settings.simulator_piles)
        self.piles = [self._pile(pile_number(index), options, mix) for index in indices]
        self.meters = [self._meter(spec) for spec in settings.meters]
        self._where = f"{settings.host}:{settings.port}"
        self._tasks: list[asyncio.Task[None]] = []

    def _pile(self, number: str, options: PileOptions, mix: Mix) -> SimulatedPile:
        settings = self._settings
        folder, guns, seed = settings.state_folder, settings.simulator_guns, settings.simulator_seed
        return SimulatedPile(
            settings.host,
            settings.port,
            number,
            guns,
            seed,
            options=of_the_fleet(options, mix, number, guns, seed),
            troubles=Troubles(chances=settings.chances),
            clock=self._clock,
            memory_file=MemoryFile(folder, number) if folder is not None else None,
            keep=KEEP_FRAMES if settings.simulator_piles <= MANY else 0,
            wheel=self._wheel,
            counts=self.counts,
        )

    def _meter(self, spec: MeterSpec) -> TransformerMeter:
        settings = self._settings
        numbers = {pile_number(index) for index in range(spec.first, spec.last + 1)}
        guns = [gun for pile in self.piles if pile.number in numbers for gun in pile.pile.guns.values()]
        nature = MeterNature(
            settings.simulator_meter_every_s, settings.simulator_meter_lag_s, settings.simulator_meter_loss
        )
        user, password = settings.simulator_meter_username, settings.simulator_meter_password
        own = {"mqtt_username": user.format(transformer=spec.transformer), "mqtt_password": password} if user else {}
        return TransformerMeter(
            spec,
            nature,
            settings.model_copy(update=own),
            self._clock,
            settings.simulator_seed,
            lambda: float(sum(gun.power_w for gun in guns)),
        )

    async def start(self) -> None:
        """Start every pile; they connect by themselves as soon as somebody listens."""
        log.info(
            "fleet_started",
            piles=len(self.piles),
            first=self.piles[0].number,
            last=self.piles[-1].number,
            to=self._where,
            seed=self._settings.simulator_seed,
            meters=len(self.meters),
        )
        # Piles come one after the other, as after a power cut in a street, not all in one packet.
        apart_s = 1 / self._settings.simulator_connect_per_s
        for index, pile in enumerate(self.piles):
            self._tasks.append(spawn(self._run(pile, index * apart_s), pile.number))
        for meter in self.meters:
            self._tasks.append(spawn(meter.run(), "meter"))
        self._tasks.append(spawn(self._show() if sys.stderr.isatty() else self._tell(), "tell"))

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
        """For a log: now and then."""
        watch = Watch(self.piles, self.counts)
        while True:
            await asyncio.sleep(TELL_EVERY_S)
            status = watch.look(TELL_EVERY_S)
            log.info(
                "fleet",
                online=status.online,
                piles=status.piles,
                kw=status.kw,
                unconfirmed=status.unconfirmed,
                sent_per_s=round(status.sent_per_s, 1),
                received_per_s=round(status.received_per_s, 1),
                guns=dict(status.guns),
                troubles=dict(status.troubles),
            )

    async def _show(self) -> None:
        """For a terminal: a line that stays and is written anew."""
        watch = Watch(self.piles, self.counts)
        while True:
            await asyncio.sleep(SHOW_EVERY_S)
            sys.stderr.write(f"\r\x1b[2K{line(watch.look(SHOW_EVERY_S))}")
            sys.stderr.flush()
