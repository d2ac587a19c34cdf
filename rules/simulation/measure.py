"""What a simulated day came to: changes of band and caps, starts, energy, peaks, minutes above the thresholds."""

from dataclasses import dataclass, field
from datetime import datetime

from evcs.contracts.gun import Verdict, VerdictKind
from evcs.contracts.pile import PowerAllowance
from evcs.contracts.session import SessionLevel
from evcs.contracts.states import Band
from evcs.contracts.transformer import TransformerPolicy
from rules.messages import Action, Clear, Message
from rules.simulation.plant import Plant
from rules.simulation.visits import Fate

PICTURE_S = 60.0


@dataclass(slots=True)
class Seen:
    """Follows a drive; every figure of the load is the real one."""

    plant: Plant
    bands: int = 0
    caps: int = 0
    """Changes of what a running session may draw, its first cap among them."""
    band: Band | None = None
    peak_pct: float = 0.0
    over_s: dict[float, float] = field(default_factory=dict)
    """Threshold % → seconds above it."""
    curve: list[tuple[float, float]] = field(default_factory=list)
    """(seconds, highest % of the minute)."""
    bands_at: list[tuple[float, Band]] = field(default_factory=list)
    admitted_at: list[float] = field(default_factory=list)
    refused_at: list[float] = field(default_factory=list)
    thresholds: tuple[float, ...] = (80.0, 100.0)
    _caps: dict[tuple[int, str], float | None] = field(default_factory=dict)

    def heed(self, _: Message, actions: list[Action], at: datetime) -> None:
        for action in actions:
            if isinstance(action, Clear):
                continue
            match action.payload:
                case TransformerPolicy(band=band):
                    if band is not self.band:
                        self.bands += self.band is not None
                        self.band = band
                        self.bands_at.append((self.plant.now_s, band))
                case SessionLevel(held=held) as level:
                    if held is not None:
                        key = (level.gun, held.serial)
                        if self._caps.get(key) != held.cap_kw:
                            self.caps += 1
                            self._caps[key] = held.cap_kw
                case Verdict(kind=VerdictKind.ADMITTED):
                    self.admitted_at.append(self.plant.now_s)
                case Verdict(kind=VerdictKind.REFUSED):
                    self.refused_at.append(self.plant.now_s)
                case PowerAllowance():
                    pass

    def look(self) -> None:
        """After each step of the site."""
        pct, plant = self.plant.real_pct, self.plant
        self.peak_pct = max(self.peak_pct, pct)
        for threshold in self.thresholds:
            if pct > threshold + 1e-6:
                self.over_s[threshold] = self.over_s.get(threshold, 0.0) + plant.step_s
        minute = plant.now_s // PICTURE_S * PICTURE_S
        if self.curve and self.curve[-1][0] == minute:
            self.curve[-1] = (minute, max(pct, self.curve[-1][1]))
        else:
            self.curve.append((minute, pct))

    def day(self) -> "Day":
        stays = self.plant.stays
        begun = [stay for stay in stays if stay.begun_s is not None]
        return Day(
            bands=self.bands,
            caps=self.caps,
            power_commands=self.plant.power_commands,
            asked=sum(stay.fate is not Fate.NO_GUN for stay in stays),
            no_gun=sum(stay.fate is Fate.NO_GUN for stay in stays),
            admitted=sum(stay.fate in (Fate.ADMITTED, Fate.FAILED) for stay in stays),
            capped=sum(stay.fate is Fate.ADMITTED and stay.cap_kw is not None for stay in stays),
            refused=sum(stay.fate is Fate.REFUSED for stay in stays),
            stopped=sum(stay.stopped is not None for stay in stays),
            energy_kwh=sum(stay.energy_kwh for stay in begun),
            peak_pct=self.peak_pct,
            over_80_min=self.over_s.get(80.0, 0.0) / 60,
            over_100_min=self.over_s.get(100.0, 0.0) / 60,
        )


@dataclass(frozen=True, slots=True)
class Day:
    """The figures of one day."""

    bands: int
    caps: int
    power_commands: int
    asked: int
    no_gun: int
    admitted: int
    capped: int
    refused: int
    stopped: int
    energy_kwh: float
    peak_pct: float
    over_80_min: float
    over_100_min: float
