"""JSON lines of contract messages → what happened at one transformer: orders, draws, building, the rule's answers."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from evcs.contracts.config import PileLimits, StationConfig, TransformerConfig
from evcs.contracts.gun import GunLevel, StartRequest, Telemetry, Verdict, VerdictKind
from evcs.contracts.reasons import Reason
from evcs.contracts.states import Band, GunState
from evcs.contracts.topics import Address
from evcs.contracts.transformer import TransformerPolicy, TransformerReading
from rules.codec import LineError, read_line
from rules.errors import RulesError
from rules.load import TELEMETRY_FRESH, reading_kva
from rules.messages import Heard, Message

BASE_EVERY = timedelta(minutes=2)
"""The building is taken as the median of so long: a gun's reading and the meter's are never of the same second."""


class NoRecording(RulesError):
    """The lines do not hold what a what-if needs."""


@dataclass(slots=True)
class Order:
    """A start that was asked for, and the charge that came of it."""

    serial: str
    pile: str
    gun: int
    asked_at: datetime
    verdict: VerdictKind | None = None
    reason: Reason | None = None
    cap_kw: float | None = None
    begun_at: datetime | None = None
    ended_at: datetime | None = None
    most_kw: float | None = None
    readings: list[tuple[datetime, float, float]] = field(default_factory=list)
    """(when, kW, SOC %)."""

    def energy_kwh(self) -> float:
        """What its readings come to; each holds until the next one."""
        ends = [at for at, _, _ in self.readings[1:]] + [self.ended_at or self.readings[-1][0]] if self.readings else []
        return sum(
            kw * max(0.0, (end - at).total_seconds()) / 3600
            for (at, kw, _), end in zip(self.readings, ends, strict=True)
        )


@dataclass(slots=True)
class Recording:
    """One transformer over the time of the lines."""

    station: str
    transformer: TransformerConfig
    piles: tuple[PileLimits, ...]
    begin: datetime
    end: datetime
    orders: list[Order]
    load: list[tuple[datetime, float]]
    """(when, kVA) as the meter, or without one the estimate, had it."""
    base: list[tuple[datetime, float]]
    """(from when, kW) of the building."""
    bands: int = 0
    """Changes of the band that were published."""


def read(lines: Iterable[bytes], station: str | None = None, transformer: str | None = None) -> Recording:
    """Raises LineError with the line's number, NoRecording where something is missing."""
    found = _Reader(station, transformer)
    for number, raw in enumerate(lines, 1):
        if raw.strip():
            try:
                found.take(*read_line(raw))
            except LineError as error:
                raise LineError(f"line {number}: {error}") from error
    return found.recording()


class _Reader:
    def __init__(self, station: str | None, transformer: str | None) -> None:
        self._station, self._transformer = station, transformer
        self._config: StationConfig | None = None
        self._begin: datetime | None = None
        self._end: datetime | None = None
        self._orders: dict[str, Order] = {}
        self._by_request: dict[str, Order] = {}
        self._meter: list[tuple[datetime, TransformerReading]] = []
        self._draws: dict[tuple[str, int], list[tuple[datetime, float]]] = {}
        self._band: Band | None = None
        self._bands = 0

    def take(self, at: datetime, message: Message) -> None:
        if not isinstance(message, Heard):
            return
        address = message.address
        if isinstance(message.payload, StationConfig):
            if self._station in (None, message.payload.station):
                self._station, self._config = message.payload.station, message.payload
            return
        if self._station is not None and address.station != self._station:
            return
        if not address.station:
            return
        self._begin = self._begin or at
        self._end = at
        match message.payload:
            case StartRequest() as request:
                self._by_request[request.id] = self._order(request.serial, address, at)
            case Verdict() as verdict:
                self._on_verdict(verdict)
            case GunLevel() as level:
                self._on_level(level, address)
            case Telemetry() as reading:
                self._on_reading(reading, address)
            case TransformerReading() as reading if self._transformer in (None, address.transformer):
                self._transformer = address.transformer
                self._meter.append((min(reading.received_at, at), reading))
            case TransformerPolicy(band=band) if self._transformer in (None, address.transformer):
                self._bands += self._band is not None and band is not self._band
                self._band = band

    def _order(self, serial: str, address: Address, at: datetime) -> Order:
        return self._orders.setdefault(serial, Order(serial, address.pile, address.gun, at))

    def _on_verdict(self, verdict: Verdict) -> None:
        order = self._by_request.get(verdict.request or "")
        if order is None or verdict.kind not in (VerdictKind.ADMITTED, VerdictKind.REFUSED):
            return
        order.verdict, order.reason, order.cap_kw = verdict.kind, verdict.reason, verdict.cap_kw

    def _on_level(self, level: GunLevel, address: Address) -> None:
        if level.serial is None:
            return
        if level.state is GunState.CHARGING:
            order = self._order(level.serial, address, level.since)
            order.begun_at = order.begun_at or level.since
        elif level.state is GunState.FINISHED and level.serial in self._orders:
            self._orders[level.serial].ended_at = level.since

    def _on_reading(self, reading: Telemetry, address: Address) -> None:
        if reading.power_kw is None:
            return
        at = reading.received_at
        self._draws.setdefault((address.pile, address.gun), []).append((at, reading.power_kw))
        if reading.serial is None or reading.state is not GunState.CHARGING:
            return
        order = self._order(reading.serial, address, at)
        order.begun_at = order.begun_at or at
        order.most_kw = reading.max_power_kw or order.most_kw
        order.readings.append((at, reading.power_kw, reading.soc_pct if reading.soc_pct is not None else 50.0))

    def recording(self) -> Recording:
        if self._config is None:
            raise NoRecording("no config/station in the lines: the piles and the transformer are not known")
        if self._begin is None or self._end is None or self._end <= self._begin:
            raise NoRecording(f"nothing is recorded of station {self._station}")
        code = self._transformer or self._config.transformers[0].transformer
        config = next((one for one in self._config.transformers if one.transformer == code), None)
        piles = tuple(pile for pile in self._config.piles if pile.transformer == code)
        if config is None or not piles:
            raise NoRecording(f"station {self._station} has no transformer {code} with piles")
        own = {(pile.pile, gun.gun) for pile in piles for gun in pile.guns}
        orders = sorted(
            (order for order in self._orders.values() if (order.pile, order.gun) in own), key=lambda one: one.asked_at
        )
        if not orders:
            raise NoRecording("nobody asked for a start and nothing charged in these lines")
        load, base = self._loads(config, {pile.pile: pile.efficiency for pile in piles}, own)
        return Recording(self._config.station, config, piles, self._begin, self._end, orders, load, base, self._bands)

    def _loads(
        self, config: TransformerConfig, efficiency: dict[str, float], own: set[tuple[str, int]]
    ) -> tuple[list[tuple[datetime, float]], list[tuple[datetime, float]]]:
        """The load as it was read, and the building: what is left of the meter without the guns, never below 0."""
        events: list[tuple[datetime, int, tuple[str, int] | None, float]] = []
        for gun in own & self._draws.keys():
            events += [(at, 0, gun, kw) for at, kw in self._draws[gun]]
        meter = [(at, kva) for at, one in self._meter if (kva := reading_kva(one, config)) is not None]
        if meter:
            events += [(at, 1, None, kva) for at, kva in meter]
        else:
            events += [(at, 1, None, -1.0) for at in {at for at, *_ in events}]
        draws: dict[tuple[str, int], tuple[datetime, float]] = {}
        load: list[tuple[datetime, float]] = []
        left: dict[datetime, list[float]] = {}
        for at, kind, place, value in sorted(events, key=lambda event: event[:2]):
            if kind == 0:
                assert place is not None
                draws[place] = (at, value)
                continue
            guns_kw = sum(
                kw / efficiency[pile] for (pile, _), (since, kw) in draws.items() if at - since <= TELEMETRY_FRESH
            )
            kva = value if value >= 0 else (guns_kw + config.base_load_kw) / config.power_factor
            load.append((at, kva))
            assert self._begin is not None
            left.setdefault(self._begin + (at - self._begin) // BASE_EVERY * BASE_EVERY, []).append(
                max(0.0, kva * config.power_factor - guns_kw)
            )
        return load, [(at, median(found)) for at, found in sorted(left.items())]
