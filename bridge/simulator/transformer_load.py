"""What a transformer carries besides the guns, and what its meter shows. Pure; all chance from its seed."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from math import exp
from random import Random

from evcs.contracts.transformer import TransformerReading

BEIJING = timezone(timedelta(hours=8))
POWER_FACTOR = 0.95
EFFICIENCY = 0.94
"""Output of a DC pile ÷ what the transformer carries."""
NOISE = 0.04
NOISE_S = 120.0
"""The noise of the base load wanders within about this."""
SKEW = (1.03, 1.0, 0.97)
"""Shares of the three phases."""
NOMINAL_V = 230.0
SAG_V = 6.0
"""What full load takes from the phase voltage."""
OIL_RISE_C = 45.0
OIL_S = 3 * 3600.0
"""Oil at full load ends so much above the air, and is two thirds of the way there after this."""
AIR_C = 24.0


def base_share(hour: float) -> float:
    """The building's load as a share of its daily peak: a hump at noon, a higher one in the evening."""

    def hump(at: float, width: float) -> float:
        apart = abs(hour - at)
        return exp(-((min(apart, 24 - apart) / width) ** 2))

    return min(1.0, 0.35 + 0.40 * hump(12.5, 2.2) + 0.65 * hump(19.5, 2.4))


@dataclass(frozen=True, slots=True)
class Load:
    """What flows at a moment; powers in kW at the transformer."""

    guns_kw: float
    base_kw: float

    @property
    def total_kw(self) -> float:
        return self.guns_kw + self.base_kw


class TransformerLoad:
    """State of one transformer: its base load wanders, its oil follows the load slowly."""

    def __init__(self, transformer: str, rated_kva: float, base_peak_kw: float, seed: int) -> None:
        self.transformer = transformer
        self._rated_kva = rated_kva
        self._base_peak_kw = base_peak_kw
        self._dice = Random(f"{seed}/{transformer}/load")
        self._wander = 0.0
        self._oil_c: float | None = None
        self._at: datetime | None = None

    def load(self, guns_w: float, at: datetime) -> Load:
        """The load at a moment when the guns put out so much; moments come in order."""
        passed_s = (at - self._at).total_seconds() if self._at is not None else NOISE_S
        self._at = at
        keep = exp(-max(0.0, passed_s) / NOISE_S)
        self._wander = keep * self._wander + (1 - keep * keep) ** 0.5 * self._dice.gauss(0, NOISE)
        local = at.astimezone(BEIJING)
        hour = local.hour + local.minute / 60 + local.second / 3600
        base_kw = max(0.0, self._base_peak_kw * base_share(hour) * (1 + self._wander))
        load = Load(guns_w / 1000 / EFFICIENCY, base_kw)
        share = load.total_kw / POWER_FACTOR / self._rated_kva
        warm_c = AIR_C + OIL_RISE_C * share * share
        if self._oil_c is None:
            self._oil_c = warm_c
        self._oil_c += (warm_c - self._oil_c) * (1 - exp(-max(0.0, passed_s) / OIL_S))
        return load

    def reading(self, load: Load, at: datetime) -> TransformerReading:
        """What the meter shows for a load: the phases add up to the whole."""
        kva = load.total_kw / POWER_FACTOR
        one, two, three = (kva * skew / sum(SKEW) for skew in SKEW)
        volts = [
            NOMINAL_V - SAG_V * 3 * phase / self._rated_kva + self._dice.uniform(-0.8, 0.8)
            for phase in (one, two, three)
        ]
        amps = [phase * 1000 / volt for phase, volt in zip((one, two, three), volts, strict=True)]
        return TransformerReading(
            transformer=self.transformer,
            received_at=at,
            apparent_kva=round(kva, 3),
            active_kw=round(load.total_kw, 3),
            phase_kva=(round(one, 3), round(two, 3), round(three, 3)),
            phase_voltage_v=(round(volts[0], 1), round(volts[1], 1), round(volts[2], 1)),
            phase_current_a=(round(amps[0], 1), round(amps[1], 1), round(amps[2], 1)),
            oil_temp_c=round(self._oil_c if self._oil_c is not None else AIR_C, 1),
        )
