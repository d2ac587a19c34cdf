"""One past station, step by step: its guns, its transformers, and who may start."""

from dataclasses import dataclass, field
from datetime import timedelta

from bridge.simulator.biller import PileTariff
from bridge.simulator.history.demand import cold_share
from bridge.simulator.history.drivers import Drivers
from bridge.simulator.history.folds import MeterFold
from bridge.simulator.history.gate import Asked, Decision, decide
from bridge.simulator.history.gun import PastGun
from bridge.simulator.history.paper import Paper
from bridge.simulator.history.sink import RAW, Sink
from bridge.simulator.history.visits import Wish, draw_wish
from bridge.simulator.transformer_load import TransformerLoad
from evcs.contracts.config import PileLimits, StationConfig, TransformerConfig
from evcs.contracts.gun import Figures, Verdict, VerdictKind
from evcs.contracts.history import PastOrder
from evcs.contracts.measurements import TRANSFORMER, TRANSFORMER_1M, TRANSFORMER_15M
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GunState, StartSource
from evcs.contracts.times import from_ms
from evcs.store.interface import Point

SHOWN_MS = 180_000
"""A charge that draws has shown itself after this; a cold battery when it is warm."""
TRIES_FAULTED = 0.3
"""Share of the drivers who ask at a gun with a fault before they see it."""
UNPLUGGED = 0.012
"""Share of the drivers who ask before they have plugged in; they try again soon."""
AGAIN_MS = 90_000
STAYS_MS = (60_000, 240_000)
"""A car that got no power stays so long."""


@dataclass(frozen=True, slots=True)
class Nature:
    """What is alike for all stations of a past; powers of cars in kWh that they lack."""

    seed: int
    begin_ms: int
    visits_a_day: float
    need_kwh: tuple[float, float]
    tariff: PileTariff
    tariff_version: str


@dataclass(slots=True)
class PastPile:
    """Guns that share a pile's power."""

    limits: PileLimits
    guns: list[PastGun]

    def free_w(self, but: PastGun) -> int:
        """What the other guns leave."""
        used = sum(gun.charge.drew_w for gun in self.guns if gun.charge is not None and gun is not but)
        return round(self.limits.rated_kw * 1000) - used


@dataclass(slots=True)
class PastTransformer:
    """A transformer with its piles, and its meter where it has one."""

    config: TransformerConfig
    piles: list[PastPile]
    load: TransformerLoad
    folds: tuple[tuple[str, MeterFold], ...]
    base_kw: float = 0.0
    _tags: tuple[str, ...] = field(default=())

    def loads_pct(self, at_ms: int) -> tuple[float, float]:
        """Load and planned load, % of the rating: charges that have not shown themselves count as expected."""
        drawn = planned = 0.0
        for pile in self.piles:
            efficiency = pile.limits.efficiency
            for gun in pile.guns:
                charge = gun.charge
                if charge is None:
                    continue
                battery = charge.wish.car.battery
                expected = min(charge.cap_w, battery.max_power_w, gun.gun.gun_w)
                shown = at_ms - charge.began_ms >= SHOWN_MS and not battery.is_cold
                drawn += charge.drew_w / efficiency
                planned += (charge.drew_w if shown else max(expected, charge.drew_w)) / efficiency
        scale = 100 / self.config.power_factor / self.config.rated_kva
        return (drawn / 1000 + self.base_kw) * scale, (planned / 1000 + self.base_kw) * scale

    def measure(self, at_ms: int, sink: Sink, *, raw: bool) -> None:
        """One look of the meter; without one only the configured base load counts."""
        if not self.config.has_meter:
            self.base_kw = self.config.base_load_kw
            return
        guns_w = sum(gun.charge.drew_w for pile in self.piles for gun in pile.guns if gun.charge is not None)
        at = from_ms(at_ms)
        load = self.load.load(guns_w, at)
        self.base_kw = load.base_kw
        said = self.load.reading(load, at)
        for bucket, fold in self.folds:
            rows = fold.read(at_ms, said.apparent_kva or 0.0, said.active_kw or 0.0, said.oil_temp_c or 0.0)
            sink.points[bucket].extend(rows)
        if raw:
            nothing = (None, None, None)
            fields = (
                said.apparent_kva,
                said.active_kw,
                *(said.phase_kva or nothing),
                *(said.phase_voltage_v or nothing),
                *(said.phase_current_a or nothing),
                said.oil_temp_c,
            )
            sink.points[RAW].append(Point(TRANSFORMER, self._tags, fields, at))


class PastStation:
    """See the module. `step` is called in order of time, with one span for all stations."""

    def __init__(self, config: StationConfig, nature: Nature, drivers: Drivers, sink: Sink) -> None:
        self._config, self._nature, self._drivers, self._sink = config, nature, drivers, sink
        self.piles = [self._pile(limits) for limits in config.piles]
        self._transformers = {one.transformer: self._transformer(one) for one in config.transformers}
        self._all = [(pile, gun) for pile in self.piles for gun in pile.guns]
        self.refused = self.charged = 0

    def _pile(self, limits: PileLimits) -> PastPile:
        nature = self._nature
        paper = Paper(nature.begin_ms)
        guns = [
            PastGun(
                (self._config.station, limits.pile, gun.gun),
                round(gun.rated_kw * 1000),
                paper,
                self._sink,
                nature.begin_ms,
                nature.seed,
                nature.visits_a_day,
            )
            for gun in limits.guns
        ]
        return PastPile(limits, guns)

    def _transformer(self, config: TransformerConfig) -> PastTransformer:
        piles = [pile for pile in self.piles if pile.limits.transformer == config.transformer]
        load = TransformerLoad(config.transformer, config.rated_kva, config.base_load_kw, self._nature.seed)
        tags = (self._config.station, config.transformer)
        begin = self._nature.begin_ms
        folds = (
            (TRANSFORMER_1M.bucket, MeterFold(TRANSFORMER_1M, tags, begin)),
            (TRANSFORMER_15M.bucket, MeterFold(TRANSFORMER_15M, tags, begin)),
        )
        return PastTransformer(config, piles, load, folds, _tags=tags)

    def step(self, at_ms: int, span_ms: int, *, raw: bool, closing: bool) -> None:
        """Let a span pass. `closing`: the past ends soon: nothing starts any more, what runs is stopped."""
        for transformer in self._transformers.values():
            transformer.measure(at_ms, self._sink, raw=raw)
        for pile, gun in self._all:
            charge = gun.charge
            if charge is not None:
                free_w = pile.free_w(gun)
                if gun.advance(charge, at_ms + gun.phase_ms, span_ms, free_w, raw=raw, must_stop=closing):
                    self.charged += 1
                continue
            if at_ms < gun.look_ms:
                continue
            gun.rest(at_ms, raw=raw)
            if at_ms >= gun.arrival_ms and not closing:
                self._arrive(pile, gun, at_ms, raw=raw)

    def day_over(self, end_ms: int) -> None:
        """Rows of all windows that end by then."""
        for _, gun in self._all:
            gun.close_windows(end_ms)
        for transformer in self._transformers.values():
            for bucket, fold in transformer.folds:
                self._sink.points[bucket].extend(fold.until(end_ms))

    def _arrive(self, pile: PastPile, gun: PastGun, at_ms: int, *, raw: bool) -> None:
        if gun.state is GunState.FAULTED and gun.dice.random() >= TRIES_FAULTED:
            gun.next_car(at_ms)
            return
        if gun.state is GunState.FINISHED:
            gun.arrival_ms = gun.change_ms or at_ms  # it waits until the bay is free
            return
        now_ms = at_ms + gun.phase_ms
        requested_ms = now_ms - round(gun.dice.uniform(5_000, 11_000))
        customer = self._drivers.choose(gun.dice)
        self._sink.lines += self._drivers.prepare(customer, self._config.station, requested_ms)
        wish = draw_wish(gun.dice, customer, self._nature.need_kwh, cold_share(at_ms))
        is_early = gun.dice.random() < UNPLUGGED
        order, decision = self._ask(pile, gun, wish, requested_ms, now_ms, is_early=is_early)
        if decision.reason is not None:
            self.refused += 1
            self._sink.lines.append(order)
            if decision.reason is Reason.GUN_NOT_PLUGGED:
                gun.arrival_ms = at_ms + AGAIN_MS
            else:
                self._turned_away(gun, at_ms)
        elif wish.failed_code is not None:
            self._sink.lines.append(gun.fail(order, wish, self._nature.tariff, now_ms))
            self._turned_away(gun, at_ms)
        else:
            customer.busy = True
            cap_kw = decision.cap_kw if decision.cap_kw is not None else pile.limits.rated_kw
            gun.begin(order, wish, self._nature.tariff, round(cap_kw * 1000), now_ms, raw=raw)

    def _turned_away(self, gun: PastGun, at_ms: int) -> None:
        if gun.state is GunState.FAULTED:
            gun.next_car(at_ms)
            return
        gun.occupied(GunState.PLUGGED, at_ms, at_ms + round(gun.dice.uniform(*STAYS_MS)))

    def _ask(
        self, pile: PastPile, gun: PastGun, wish: Wish, requested_ms: int, now_ms: int, *, is_early: bool
    ) -> tuple[PastOrder, Decision]:
        transformer = self._transformers[pile.limits.transformer]
        if gun.state is GunState.FAULTED:
            decision = Decision(Reason.GUN_FAULTED, None, Figures())
        elif is_early and wish.source is StartSource.APP:
            decision = Decision(Reason.GUN_NOT_PLUGGED, None, Figures())
        else:
            load_pct, planned_pct = transformer.loads_pct(now_ms)
            asked = Asked(gun.gun.gun_w / 1000, pile.free_w(gun) / 1000, pile.limits.efficiency, load_pct, planned_pct)
            decision = decide(asked, transformer.config)
        serial = gun.serial(requested_ms)
        driver = wish.customer.driver
        order = PastOrder(
            serial=serial,
            phone=driver.phone,
            station=self._config.station,
            pile=gun.pile,
            gun=gun.number,
            goal=wish.goal,
            source=wish.source,
            tariff_version=self._nature.tariff_version,
            card=driver.card if wish.source is StartSource.CARD else None,
            vin=driver.vin if wish.source is StartSource.VIN else None,
            requested_at=from_ms(requested_ms),
            verdict=_verdict(serial, decision, requested_ms),
        )
        return order, decision


def _verdict(serial: str, decision: Decision, requested_ms: int) -> Verdict:
    admitted = decision.reason is None
    return Verdict(
        id=f"history-verdict-{serial}",
        serial=serial,
        kind=VerdictKind.ADMITTED if admitted else VerdictKind.REFUSED,
        reason=decision.reason,
        figures=decision.figures,
        cap_kw=decision.cap_kw,
        decided_at=from_ms(requested_ms) + timedelta(milliseconds=350),
    )
