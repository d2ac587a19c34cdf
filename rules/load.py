"""What a transformer carries and what is planned for it: meter, estimate, reservations, staleness, worst phase.

Powers of guns are output in kW; the transformer carries output ÷ efficiency ÷ power factor, in kVA (domain 4.8).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import isfinite

from evcs.contracts.config import TransformerConfig
from evcs.contracts.states import GunState
from evcs.contracts.transformer import TransformerReading
from evcs.contracts.waits import METER_FRESH_S, TELEMETRY_FRESH_S
from rules.bands import lasted
from rules.station import HIGH_WITHIN, Gun, Pile, Session, Station, Transformer

SHOWN_SHARE = 0.9
SHOWN_AGAIN_SHARE = 0.995
"""After a rise: a gun at its former limit draws 90 % of a limit that is a little higher before it has begun to rise."""
PAUSE_SHARE = 0.25
HIGH_SOC_PCT = 80.0
HIGH_SOC_S = 180.0
FIRST_READING_S = 15.0
"""A charge that has just begun may be without a reading for one reporting period; its reservation covers it."""
IMPOSSIBLE_METER = 5.0
"""Times the rated power: a meter that says more is broken."""
IMPOSSIBLE_GUN = 2.0
ROUNDING_KW = 1e-9
TELEMETRY_FRESH = timedelta(seconds=TELEMETRY_FRESH_S)


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a gun draws and may come to draw, kW."""

    limit_kw: float
    """Its rating, or the car's stated maximum where that is lower."""
    draw_kw: float = 0.0
    at_meter_kw: float = 0.0
    """What it drew when the transformer's meter was read."""
    is_blind: bool = False
    """It runs and nothing trustworthy says what it draws: counts by its cap or rating."""
    has_session: bool = False
    is_charging: bool = False
    is_settled: bool = False
    """Has shown itself by its time or its SOC."""
    peak_kw: float = 0.0
    shown_share: float = SHOWN_SHARE
    """Of what it may draw: so much of it, once, shows what the car takes."""
    high_kw: float = 0.0
    """Highest draw of the last 15 min."""
    after_pause_kw: float = 0.0
    """What a pause may end with: that draw, or all that it may where a neighbour had squeezed it."""
    serial: str = ""

    def planned_kw(self, allowance_kw: float, rises: bool) -> float:
        """Draw and reservation under an allowance of its pile; `rises`: the allowance is new to it.

        Until a session has shown itself all that it may draw stays reserved, and again while it pauses (domain 4.8).
        """
        expected_kw = min(self.limit_kw, allowance_kw)
        if self.is_blind:
            return expected_kw
        if not self.has_session:
            return self.draw_kw
        # What it drew under a lower allowance, at its limit or before a cut, says nothing about what it would draw.
        has_shown = not rises and (self.is_settled or self.peak_kw >= self.shown_share * expected_kw)
        if not self.is_charging or not has_shown:
            return max(self.draw_kw, expected_kw)
        if self.draw_kw < PAUSE_SHARE * self.high_kw:
            return max(self.draw_kw, min(self.after_pause_kw, expected_kw))
        return self.draw_kw


@dataclass(frozen=True, slots=True)
class Change:
    """A start or a release that is weighed."""

    pile: str
    allowance_kw: float | None
    """For the pile; None: nothing is sent to it."""
    gun: int | None = None
    """The gun that would start; None: a release."""


@dataclass(frozen=True, slots=True)
class PileLoad:
    """Output of a pile, kW."""

    draw_kw: float
    planned_kw: float
    at_meter_kw: float
    seen_kw: float
    """Sum of the readings, without what is assumed."""


@dataclass(frozen=True, slots=True)
class Load:
    """A transformer's load and plan, kVA and % of its rated apparent power."""

    rated_kva: float
    load_kva: float | None
    """None: its meter gives no figure that may be trusted."""
    planned_kva: float | None
    source: str
    """meter or estimate: which figure is the larger."""
    guns_kw: float
    meter_kva: float | None = None
    """What the meter says; None: there is none, or none that may be trusted."""
    estimate_kva: float = 0.0

    @property
    def load_pct(self) -> float | None:
        return None if self.load_kva is None else self.load_kva / self.rated_kva * 100

    @property
    def planned_pct(self) -> float | None:
        return None if self.planned_kva is None else self.planned_kva / self.rated_kva * 100


def load_of(station: Station, transformer: Transformer, now: datetime, change: Change | None = None) -> Load:
    """The larger of meter and estimate, and what is planned on top of it.

    With a meter, what a session draws is taken at the time of the meter's reading: a ramp since then is still reserved.
    A configured meter that is stale gives no figure, never the sum of the guns alone (S3), but in degraded mode.
    """
    config = transformer.config
    assert config is not None
    meter_at = transformer.reading_at if config.has_meter else None
    estimate_kw = planned_kw = config.base_load_kw
    since_meter_kw = guns_kw = 0.0
    for pile in station.piles_of(transformer.code):
        assert pile.limits is not None
        this = change if change is not None and change.pile == pile.number else None
        power = pile_load(pile, config, meter_at, now, this)
        estimate_kw += power.draw_kw / pile.limits.efficiency
        planned_kw += power.planned_kw / pile.limits.efficiency
        since_meter_kw += max(0.0, power.planned_kw - power.at_meter_kw) / pile.limits.efficiency
        guns_kw += power.seen_kw
    estimate_kva, planned_kva = estimate_kw / config.power_factor, planned_kw / config.power_factor
    measured_kva = meter_kva(transformer, now) if config.has_meter else None
    if measured_kva is None and config.has_meter and not transformer.is_degraded:
        return Load(config.rated_kva, None, None, "meter", guns_kw, None, estimate_kva)
    if measured_kva is None:
        return Load(config.rated_kva, estimate_kva, planned_kva, "estimate", guns_kw, None, estimate_kva)
    planned_kva = max(planned_kva, measured_kva + since_meter_kw / config.power_factor)
    source = "meter" if measured_kva >= estimate_kva else "estimate"
    load_kva = max(measured_kva, estimate_kva)
    return Load(config.rated_kva, load_kva, planned_kva, source, guns_kw, measured_kva, estimate_kva)


def pile_load(
    pile: Pile, config: TransformerConfig, meter_at: datetime | None, now: datetime, change: Change | None = None
) -> PileLoad:
    """A pile's output under every allowance that may be in force: the confirmed one and each that is on its way.

    One gun may draw what its neighbour leaves of the pile's allowance, so the pile is planned as a whole. A gun whose
    start carries an allowance cannot draw before the pile has confirmed it.
    """
    assert pile.limits is not None
    if change is None and all(_is_at_rest(gun) for gun in pile.guns.values()):
        return AT_REST
    rated_kw = pile.limits.rated_kw
    drawings = [drawing_of(pile, gun, config, meter_at, now) for gun in pile.configured]
    steps = [(pile.power.base_kw(rated_kw), "")]
    steps += [(sent.allowance_kw, sent.serial or "") for sent in pile.power.sent]
    largest_kw = max(allowance_kw for allowance_kw, _ in steps)
    if change is not None:
        drawings, steps = _with(change, pile, drawings, steps)
    waiting = {serial for _, serial in steps[1:] if serial}
    planned_kw = 0.0
    for allowance_kw, serial in steps:
        waiting.discard(serial)
        rises = allowance_kw > largest_kw + ROUNDING_KW
        able = [d for d in drawings if d.serial not in waiting]
        total_kw = sum(d.planned_kw(allowance_kw, rises) for d in able)
        planned_kw = max(planned_kw, min(allowance_kw, total_kw))
    known_kw = sum(d.draw_kw for d in drawings if not d.is_blind)
    assumed_kw = sum(min(d.limit_kw, largest_kw) for d in drawings if d.is_blind)
    draw_kw = max(known_kw, min(largest_kw, known_kw + assumed_kw))
    return PileLoad(
        draw_kw,
        # A pile that draws more than it may is counted as it is.
        max(planned_kw, known_kw),
        sum(d.at_meter_kw for d in drawings),
        known_kw,
    )


AT_REST = PileLoad(0.0, 0.0, 0.0, 0.0)


def _is_at_rest(gun: Gun) -> bool:
    """Most guns are at most times: nothing runs there and its last reading was nothing."""
    return gun.session is None and not gun.is_running() and (not gun.readings or gun.readings[-1].kw == 0)


CANDIDATE = "candidate"


def _with(
    change: Change, pile: Pile, drawings: list[Drawing], steps: list[tuple[float, str]]
) -> tuple[list[Drawing], list[tuple[float, str]]]:
    if change.gun is None:
        return drawings, [*steps, (change.allowance_kw or 0.0, "")]
    gun = pile.gun(change.gun)
    assert gun.config is not None
    place = pile.configured.index(gun)
    candidate = replace(
        drawings[place],
        limit_kw=gun.config.rated_kw,
        has_session=True,
        is_charging=False,
        serial=CANDIDATE if change.allowance_kw is not None else "",
    )
    drawings = [*drawings[:place], candidate, *drawings[place + 1 :]]
    return drawings, steps if change.allowance_kw is None else [*steps, (change.allowance_kw, CANDIDATE)]


def drawing_of(pile: Pile, gun: Gun, config: TransformerConfig, meter_at: datetime | None, now: datetime) -> Drawing:
    """What a gun counts as at this moment."""
    assert gun.config is not None
    session = gun.session
    limit_kw = min(gun.config.rated_kw, gun.max_power_kw or gun.config.rated_kw)
    fresh_kw = _fresh_kw(gun, now)
    at_meter_kw = _at_meter_kw(gun, meter_at) if meter_at is not None else 0.0
    if gun.is_running() and (session is None or not gun.is_running(session.serial)):
        # Nobody admitted it, so nobody knows what it will draw.
        return Drawing(gun.config.rated_kw, is_blind=True, at_meter_kw=at_meter_kw, draw_kw=fresh_kw or 0.0)
    if session is None:
        return Drawing(limit_kw, fresh_kw or 0.0, at_meter_kw)
    high_kw = _high_kw(gun, session, now)
    was_squeezed = gun.squeezed_at is not None and now - gun.squeezed_at <= HIGH_WITHIN
    is_charging = gun.level is not None and gun.is_running(session.serial) and gun.level.state is not GunState.STARTING
    is_away = pile.link is None or (gun.level is not None and gun.level.state is GunState.OFFLINE)
    just_begun = session.charging_since is not None and not lasted(session.charging_since, FIRST_READING_S, now)
    return Drawing(
        limit_kw,
        fresh_kw or 0.0,
        at_meter_kw,
        is_blind=is_charging and (is_away or (fresh_kw is None and not just_begun)),
        has_session=True,
        is_charging=is_charging,
        is_settled=session.was_shown
        or lasted(session.high_soc_since, HIGH_SOC_S, now)
        or (session.charging_since is not None and lasted(session.may_draw_since, config.shown_after_s, now)),
        peak_kw=session.peak_kw,
        shown_share=SHOWN_AGAIN_SHARE if session.has_risen else SHOWN_SHARE,
        high_kw=high_kw,
        after_pause_kw=limit_kw if was_squeezed else high_kw,
        serial=session.serial,
    )


def reserved_kw(pile: Pile, gun: Gun, config: TransformerConfig, now: datetime) -> float:
    """What a gun's session is expected to draw beyond what it draws, kW of output."""
    assert pile.limits is not None
    drawing = drawing_of(pile, gun, config, None, now)
    if not drawing.has_session or drawing.is_blind:
        return 0.0
    own = next((sent.allowance_kw for sent in pile.power.sent if sent.serial == drawing.serial), None)
    allowance_kw = pile.power.largest_kw(pile.limits.rated_kw) if own is None else own
    return max(0.0, drawing.planned_kw(allowance_kw, rises=False) - drawing.draw_kw)


def _fresh_kw(gun: Gun, now: datetime) -> float | None:
    if not gun.readings or now - gun.readings[-1].at > TELEMETRY_FRESH:
        return None
    return gun.readings[-1].kw


def _at_meter_kw(gun: Gun, meter_at: datetime) -> float:
    """The lower of the readings around the meter's: what it drew at least."""
    before = after = None
    for reading in reversed(gun.readings):
        if reading.at <= meter_at:
            before = reading
            break
        after = reading
    if before is None or meter_at - before.at > TELEMETRY_FRESH:
        return 0.0
    return before.kw if after is None else min(before.kw, after.kw)


def _high_kw(gun: Gun, session: Session, now: datetime) -> float:
    assumed = session.assumed_high
    highest_kw = next((reading.kw for reading in gun.highs if now - reading.at <= HIGH_WITHIN), 0.0)
    if assumed is not None and now - assumed.at <= HIGH_WITHIN:
        return max(highest_kw, assumed.kw)
    return highest_kw


def meter_kva(transformer: Transformer, now: datetime) -> float | None:
    """What the meter says, if it may be trusted: fresh, not negative, not impossible."""
    if transformer.config is None or transformer.reading is None or transformer.reading_at is None:
        return None
    if now - transformer.reading_at > timedelta(seconds=METER_FRESH_S):
        return None
    return reading_kva(transformer.reading, transformer.config)


def reading_kva(reading: TransformerReading, config: TransformerConfig) -> float | None:
    """Apparent power of a reading; the worst phase counts for all three (domain A11). None: it cannot be true."""
    figures: list[float] = []
    if reading.phase_kva is not None:
        figures += [3 * phase for phase in reading.phase_kva]
    if reading.apparent_kva is not None:
        figures.append(reading.apparent_kva)
    if not figures and reading.active_kw is not None:
        figures.append(reading.active_kw / config.power_factor)
    if not figures or any(not isfinite(f) or f < 0 or f > IMPOSSIBLE_METER * config.rated_kva for f in figures):
        return None
    return max(figures)


def is_possible(power_kw: float, gun: Gun) -> bool:
    """Whether a gun's reading may be taken for its power; what cannot be true is as good as no reading (S3)."""
    rated_kw = gun.config.rated_kw if gun.config is not None else None
    return isfinite(power_kw) and power_kw >= 0 and (rated_kw is None or power_kw <= IMPOSSIBLE_GUN * rated_kw)
