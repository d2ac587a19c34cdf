"""What cars want: a need with a cold battery, a ramp, a taper and pauses; and a charge as it was once recorded."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

COLD_KW = 6.0
"""A battery that heats itself takes no more (domain 4.8)."""
RAMP_S = 45.0
TAPER_FROM = 0.75
"""Of its need; above it a battery takes less and less."""
TAPER_TO = 0.1


class Car(Protocol):
    """A car at a gun, from its first current."""

    taken_kwh: float

    @property
    def stated_kw(self) -> float | None:
        """Its greatest power as it says it itself (0x17); None: it does not."""
        ...

    @property
    def is_done(self) -> bool:
        """Whether it has all that it wanted."""
        ...

    def wants_kw(self) -> float:
        """What it would draw now."""
        ...

    def soc_pct(self) -> float: ...

    def drew(self, kw: float, seconds: float) -> None:
        """It was given so much for so long."""
        ...


@dataclass(slots=True)
class Battery:
    """A car by its nature."""

    most_kw: float
    need_kwh: float
    cold_s: float = 0.0
    ramp_s: float = RAMP_S
    pauses: tuple[tuple[float, float], ...] = ()
    """Seconds after its first current in which it draws nothing."""
    leaves_s: float = 12 * 3600.0
    """Its driver comes back then, full or not."""
    soc_from: float = 20.0
    says_most: bool = True
    for_s: float = 0.0
    taken_kwh: float = 0.0

    @property
    def stated_kw(self) -> float | None:
        return self.most_kw if self.says_most else None

    @property
    def is_done(self) -> bool:
        return self.taken_kwh >= self.need_kwh - 1e-6 or self.for_s >= self.leaves_s

    def wants_kw(self) -> float:
        if any(begin <= self.for_s < end for begin, end in self.pauses):
            return 0.0
        if self.for_s < self.cold_s:
            return min(COLD_KW, self.most_kw)
        share = 1.0
        if self.ramp_s > 0:
            share = min(1.0, (self.for_s - self.cold_s + 1) / self.ramp_s)
        done = self.taken_kwh / self.need_kwh
        if done > TAPER_FROM:
            share = min(share, 1 - (1 - TAPER_TO) * min(1.0, (done - TAPER_FROM) / (1 - TAPER_FROM)))
        return max(self.most_kw * share, min(COLD_KW, self.most_kw))

    def soc_pct(self) -> float:
        return min(100.0, self.soc_from + (100 - self.soc_from) * self.taken_kwh / self.need_kwh)

    def drew(self, kw: float, seconds: float) -> None:
        self.for_s += seconds
        self.taken_kwh += kw * seconds / 3600


@dataclass(slots=True)
class Recorded:
    """A charge as it was recorded, which goes slower where it gets less and faster where it was held back then.

    A pause and the heating of a cold battery take the time that they took.
    """

    seconds: Sequence[float]
    """Since the first current, rising."""
    kw: Sequence[float]
    """What it drew from then on."""
    ends_s: float
    free_kw: float | None = None
    """What it is taken to want where its cap held it back; None: it never was."""
    held_kw: float | None = None
    """From here it was held back."""
    most_kw: float | None = None
    socs: Sequence[float] = ()
    place_s: float = 0.0
    """How far the recorded charge has come."""
    for_s: float = 0.0
    taken_kwh: float = 0.0
    late_kwh: float = 0.0
    """Of it, what it took after the time that it took then."""

    @property
    def stated_kw(self) -> float | None:
        return self.most_kw

    @property
    def is_done(self) -> bool:
        return self.place_s >= self.ends_s - 1e-6

    def whole_kwh(self) -> float:
        """What it took then."""
        ends = [*self.seconds[1:], self.ends_s]
        pairs = zip(self.seconds, ends, self.kw, strict=False)
        return sum(kw * max(0.0, end - begin) for begin, end, kw in pairs) / 3600

    def _at(self) -> int:
        return max(0, bisect_right(self.seconds, self.place_s) - 1)

    def wants_kw(self) -> float:
        kw = self.kw[self._at()] if self.kw else 0.0
        if self.free_kw is not None and self.held_kw is not None and kw >= self.held_kw:
            return max(kw, self.free_kw)
        return kw

    def soc_pct(self) -> float:
        return self.socs[self._at()] if self.socs else 50.0

    def drew(self, kw: float, seconds: float) -> None:
        then_kw = self.kw[self._at()] if self.kw else 0.0
        self.place_s += seconds * (kw / then_kw if then_kw > 0.1 else 1.0)
        self.for_s += seconds
        self.taken_kwh += kw * seconds / 3600
        if self.for_s > self.ends_s:
            self.late_kwh += kw * seconds / 3600


def draw_battery(
    dice: Random,
    *,
    most_kw: Sequence[float] = (60.0, 90.0, 120.0),
    need_kwh: tuple[float, float] = (15.0, 55.0),
    cold_share: float = 0.0,
    pause_share: float = 0.0,
) -> Battery:
    """A car of the measurements (domain, Appendix A): cold ones heat 3–10 min; pauses of 2–10 min once it is warm."""
    cold_s = dice.uniform(180, 600) if dice.random() < cold_share else 0.0
    pauses: tuple[tuple[float, float], ...] = ()
    if dice.random() < pause_share:
        begin = cold_s + dice.uniform(300, 1500)
        pauses = ((begin, begin + dice.uniform(120, 600)),)
    return Battery(dice.choice(most_kw), dice.uniform(*need_kwh), cold_s, pauses=pauses, soc_from=dice.uniform(10, 50))
