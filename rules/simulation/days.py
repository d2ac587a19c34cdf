"""Seeded days of one reference site under different rules: the comparison of docs/rules.md."""

from dataclasses import dataclass
from random import Random

from evcs.contracts.config import TransformerConfig
from rules.engine import Engine
from rules.simulation.drive import Drive
from rules.simulation.measure import Day, Seen
from rules.simulation.plant import Plant
from rules.simulation.site import DAY_S, TRANSFORMER, Site, Troubles, building, pile
from rules.simulation.variants import Variant
from rules.simulation.visits import arrivals

RATED_KVA = 630.0
GUNS, GUN_KW = 12, 120.0
PER_HOUR = 14.0
STEP_S = 15.0
PAUSE_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Weather:
    """How many batteries are cold."""

    code: str
    zh: str
    en: str
    cold_share: float


MILD = Weather("mild", "无冷电池", "no cold batteries", 0.0)
COOL = Weather("cool", "一半冷电池", "half cold", 0.5)
FROST = Weather("frost", "全部冷电池", "all cold", 1.0)
WEATHERS = (MILD, COOL, FROST)


def reference(seed: int, variant: Variant) -> Site:
    """630 kVA, 12 guns of 120 kW, a building with two humps and 12 kW of ripple, a meter 30 s late."""
    config = TransformerConfig(transformer=TRANSFORMER, rated_kva=RATED_KVA, has_meter=True, power_factor=0.95)
    return Site(
        transformer=variant.configure(config),
        piles=tuple(pile(f"{n:014d}", (GUN_KW,)) for n in range(1, GUNS + 1)),
        base=building(60.0, 50.0, 70.0, 12.0, phase=float(seed)),
        troubles=Troubles(lost_readings=0.02, handshakes_s=(15.0, 30.0, 60.0)),
    )


def drive_of(seed: int, variant: Variant, weather: Weather, *, per_hour: float = PER_HOUR) -> tuple[Drive, Seen]:
    """A day that is ready to run; the same seed brings the same cars under every rule."""
    visits = arrivals(Random(f"visits {seed}"), per_hour, cold_share=weather.cold_share, pause_share=PAUSE_SHARE)
    plant = Plant(reference(seed, variant), Random(f"troubles {seed}"), visits, step_s=STEP_S)
    seen = Seen(plant)
    return Drive(plant, Engine(decide=variant.decide), heed=seen.heed), seen


def run_day(seed: int, variant: Variant, weather: Weather, *, per_hour: float = PER_HOUR) -> tuple[Day, Seen]:
    """One whole day."""
    drive, seen = drive_of(seed, variant, weather, per_hour=per_hour)
    drive.begin()
    while drive.plant.now_s < DAY_S:
        drive.advance()
        seen.look()
    return seen.day(), seen
