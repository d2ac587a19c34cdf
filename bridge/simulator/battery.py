"""A car's battery as the pile sees it: what it asks for, and what energy does to it. Pure."""

from dataclasses import dataclass, replace
from random import Random

KNEE_PCT = 75.0
"""Up to here of its way (from where it came to where it stops) a battery takes all it can; from here it tapers."""
TAPER_TO = 0.15
"""Share of its greatest power that a battery still takes when it is full."""
COLD_C = 5.0
HEATING_W = 6_000
"""A cold battery heats itself with this before it takes a charge (seen as minutes at 6 kW, then a ramp)."""
HEATING_C_PER_S = 0.02
"""From -7 … 1 ℃ to COLD_C: 200 to 600 s."""
COLD_RAMP = 8
"""The ramp behind the heating is so many times longer."""
HOT_C, TOO_HOT_C = 45.0, 55.0
WARMING_C = 20.0
WARMING_S = 900.0
MOST_A = 250.0
"""What one cable carries."""


@dataclass(frozen=True, slots=True)
class Battery:
    """State and nature of a battery; powers in W, state of charge in %, temperatures in ℃, energies in Wh."""

    capacity_wh: float
    soc_pct: float
    max_power_w: int
    nominal_v: float
    temp_c: float = 22.0
    ambient_c: float = 22.0
    target_soc_pct: float = 100.0
    ramp_s: float = 8.0
    first_soc_pct: float = -1.0
    """Where it came from; set by itself."""

    def __post_init__(self) -> None:
        if self.first_soc_pct < 0:
            object.__setattr__(self, "first_soc_pct", self.soc_pct)

    @property
    def is_cold(self) -> bool:
        """Whether it still heats itself."""
        return self.temp_c < COLD_C

    @property
    def need_wh(self) -> float:
        """What is missing up to where the car stops."""
        return max(0.0, (self.target_soc_pct - self.soc_pct) / 100 * self.capacity_wh)

    @property
    def is_full(self) -> bool:
        """Whether the car has what it wanted (a thousandth of a percent is not worth a minute of trickle)."""
        return self.soc_pct >= self.target_soc_pct - 0.001

    @property
    def voltage_v(self) -> float:
        """Pack voltage, which rises with the state of charge."""
        return self.nominal_v * (0.9 + 0.15 * self.soc_pct / 100)

    def demand_w(self, taking_s: float) -> float:
        """Power it asks for, W: heating, ramp, plateau, taper, heat limit; `taking_s` counts from the heating's end."""
        if self.is_full:
            return 0.0
        if self.is_cold:
            return float(min(HEATING_W, self.max_power_w))
        ramp_s = self.ramp_s * (COLD_RAMP if self.ambient_c < COLD_C else 1)
        power = self.max_power_w * min(1.0, (taking_s + 0.5) / max(ramp_s, 0.5))
        way = self.target_soc_pct - self.first_soc_pct
        done = 100 * (self.soc_pct - self.first_soc_pct) / way if way > 0 else 100.0
        if done > KNEE_PCT:
            power *= 1 - (1 - TAPER_TO) * (done - KNEE_PCT) / (100 - KNEE_PCT)
        if self.temp_c > HOT_C:
            power *= max(0.3, 1 - (self.temp_c - HOT_C) / (TOO_HOT_C - HOT_C))
        return power

    def charged(self, energy_wh: float, seconds: float) -> "Battery":
        """The battery after it took `energy_wh` within `seconds`."""
        if self.is_cold:
            return replace(self, temp_c=self.temp_c + HEATING_C_PER_S * seconds)
        share = energy_wh * 3600 / seconds / self.max_power_w if seconds > 0 else 0.0
        towards = self.ambient_c + WARMING_C * min(1.0, share)
        return replace(
            self,
            soc_pct=min(self.target_soc_pct, self.soc_pct + 100 * energy_wh / self.capacity_wh),
            temp_c=self.temp_c + (towards - self.temp_c) * min(1.0, seconds / WARMING_S),
        )


POWERS_W = (60_000, 90_000, 120_000)
NOMINAL_V = (352.0, 368.0, 403.0, 614.0)


def draw_battery(need_kwh: float, dice: Random, *, cold_share: float = 0.0, ramp_s: float = 8.0) -> Battery:
    """A believable battery that lacks `need_kwh`, up to full."""
    soc = round(dice.uniform(12, 55), 1)
    cold = dice.random() < cold_share
    ambient = dice.uniform(-7, 1) if cold else dice.uniform(12, 30)
    return Battery(
        capacity_wh=need_kwh * 1000 / (1 - soc / 100),
        soc_pct=soc,
        max_power_w=dice.choice(POWERS_W),
        nominal_v=dice.choice(NOMINAL_V),
        temp_c=round(ambient + dice.uniform(0, 4) if not cold else ambient, 1),
        ambient_c=round(ambient, 1),
        ramp_s=ramp_s,
    )
