"""What is known of one station: configuration, levels, readings, sessions and caps. Changed only by the engine."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from evcs.contracts.config import GunConfig, PileLimits, StationConfig, TransformerConfig
from evcs.contracts.gun import Goal, GunLevel, Start
from evcs.contracts.pile import PileStatus
from evcs.contracts.reasons import Reason
from evcs.contracts.session import SessionLevel
from evcs.contracts.states import CapState, GunState
from evcs.contracts.transformer import TransformerPolicy, TransformerReading
from rules.away import Absence
from rules.bands import BandState
from rules.caps import PowerScope
from rules.degraded import in_force
from rules.excess import Excess
from rules.goals import Latency, Watch
from rules.open_alarms import StationAlarms
from rules.protection.rule import Timers
from rules.protection.sample import Guard
from rules.session_caps import CapSource, lowest
from rules.waiters import ToldQueue, Waiters

HIGH_WITHIN = timedelta(minutes=15)
"""A pause is measured against the highest draw of this time (domain 4.8)."""

SATURATED_SHARE = 0.95
MAY_RUN = frozenset({GunState.STARTING, GunState.CHARGING, GunState.OFFLINE})


class Reading(NamedTuple):
    """What a gun drew."""

    at: datetime
    kw: float


@dataclass(slots=True)
class PendingStart:
    """A start that nothing has answered yet: repeated to the newest link until it expires."""

    message: Start
    sent_at: datetime


@dataclass(slots=True)
class PendingStop:
    """A stop of ours, repeated under a new id until the end is seen."""

    why: Reason
    first_at: datetime
    sent_at: datetime | None = None
    learnt: bool = False
    """Whether the time to current zero has been taken."""


@dataclass(slots=True)
class Session:
    """An admitted charge."""

    serial: str
    goal: Goal
    covered_kwh: Decimal
    price_e5: tuple[int, ...]
    admitted_at: datetime
    known_since: datetime
    """Since when this run of the engine holds it."""
    request_id: str = ""
    start_id: str = ""
    caps: dict[CapSource, float] = field(default_factory=dict)
    """kW by who set it (`session_caps.set_cap`); empty: none, or released."""
    cap_state: CapState = CapState.NONE
    start: PendingStart | None = None
    seen_running: bool = False
    charging_since: datetime | None = None
    may_draw_since: datetime | None = None
    """Since when it may draw what it may draw now: its start, or the last rise of its pile's allowance."""
    peak_kw: float = 0.0
    """Since its start, or since it may draw more."""
    has_risen: bool = False
    """It came to be allowed more while it ran."""
    high_soc_since: datetime | None = None
    was_shown: bool = False
    """Known from the retained level of the time before a restart."""
    assumed_high: Reading | None = None
    """What it may have drawn before a restart, of which no readings are left."""
    watch: Watch = field(default_factory=Watch)
    stop: PendingStop | None = None
    hold_low_at: datetime | None = None
    shared_at: datetime | None = None
    """When its share last changed."""
    told_goal: bool = False


@dataclass(slots=True)
class Gun:
    """A gun as its levels and readings show it."""

    number: int
    config: GunConfig | None = None
    level: GunLevel | None = None
    readings: deque[Reading] = field(default_factory=deque)
    """Of the last 15 min, the newest last."""
    highs: deque[Reading] = field(default_factory=deque)
    """Those of them that no later one has reached, so the first is the highest."""
    max_power_kw: float | None = None
    squeezed_at: datetime | None = None
    """When it last drew from a pile that gave all it could to several guns: what it wanted is not known then."""
    session: Session | None = None
    is_known: bool = False
    """A session, or none, is held for it."""
    published: SessionLevel | None = None
    """The level as it stands, ours or the one found."""
    version: int = 0
    guard: Guard = field(default_factory=Guard)
    """What its early-warning rules remember."""

    def drew(self, reading: Reading) -> None:
        """Keep the newest reading, and let go what is older than 15 min."""
        self.readings.append(reading)
        while len(self.readings) > 1 and reading.at - self.readings[0].at > HIGH_WITHIN:
            self.readings.popleft()
        while self.highs and self.highs[-1].kw <= reading.kw:
            self.highs.pop()
        self.highs.append(reading)
        while reading.at - self.highs[0].at > HIGH_WITHIN:
            self.highs.popleft()

    def rests(self, now: datetime) -> None:
        """Its level says that nothing runs: at rest a pile reports every 5 min only, so the level is the reading.

        Else the last one of a charge that has ended would be taken for something that the meter still sees.
        """
        if self.level is not None and self.readings and self.readings[-1].kw > 0 and not self.is_running():
            self.drew(Reading(max(min(self.level.since, now), self.readings[-1].at), 0.0))

    def is_running(self, serial: str | None = None) -> bool:
        """Whether the level says that a charge (this one) is under way, also while the pile is away."""
        level = self.level
        if level is None or level.serial is None or level.state not in MAY_RUN:
            return False
        return serial is None or level.serial == serial

    def cap_kw(self) -> float | None:
        """The lowest cap of its session, kW; None: no cap."""
        binding = self.binding_cap()
        return None if binding is None else binding[1]

    def binding_cap(self) -> tuple[CapSource, float] | None:
        """The lowest cap of its session and who set it; None: no cap."""
        if self.config is None or self.session is None:
            return None
        return lowest(self.session.caps.items(), self.config.rated_kw)


class Link(NamedTuple):
    """Where commands for a pile go."""

    bridge: str
    link: str


@dataclass(slots=True)
class Pile:
    """A pile with its guns and its allowance."""

    number: str
    limits: PileLimits | None = None
    status: PileStatus | None = None
    link: Link | None = None
    """None: no bridge holds the pile."""
    last_link: Link | None = None
    """The newest that there was: another one is another login."""
    guns: dict[int, Gun] = field(default_factory=dict)
    power: PowerScope = field(default_factory=PowerScope)
    power_version: int = 0
    """Of the session level from which the allowance was taken."""
    power_tries: int = 0
    lifted_at: datetime | None = None
    """When it was last looked whether its guns may have more."""
    latency: Latency = field(default_factory=Latency)

    def gun(self, number: int) -> Gun:
        """The gun of this number; what is heard before its configuration is kept for it."""
        return self.guns.setdefault(number, Gun(number))

    def note_squeeze(self, at: datetime, fresh: timedelta) -> None:
        """Where the pile gives all that it may to several guns, none of them shows what its car would take."""
        if self.limits is None:
            return
        drawing = [
            gun
            for gun in self.guns.values()
            if gun.readings and gun.readings[-1].kw > 0 and at - gun.readings[-1].at <= fresh
        ]
        total_kw = sum(gun.readings[-1].kw for gun in drawing)
        if len(drawing) > 1 and total_kw >= SATURATED_SHARE * self.power.base_kw(self.limits.rated_kw):
            for gun in drawing:
                gun.squeezed_at = at

    @property
    def configured(self) -> list[Gun]:
        return [gun for gun in self.guns.values() if gun.config is not None]


@dataclass(slots=True)
class Transformer:
    """A transformer with its last trustworthy meter reading and its band."""

    code: str
    config: TransformerConfig | None = None
    """As it holds now: in degraded mode with other thresholds than configured."""
    configured: TransformerConfig | None = None
    is_degraded: bool = False
    """Its meter is dead and the estimate counts (domain A11)."""
    reading: TransformerReading | None = None
    reading_at: datetime | None = None
    unread_since: datetime | None = None
    """Since when its meter is looked for in vain."""
    band: BandState = field(default_factory=BandState)
    released_at: datetime | None = None
    shared_at: datetime | None = None
    """When its load was last divided among the sessions."""
    policy: TransformerPolicy | None = None
    policy_at: datetime | None = None
    version: int = 0
    voltage: Timers = field(default_factory=Timers)
    """Of the rules on its phase voltages."""
    queue: ToldQueue = field(default_factory=ToldQueue)
    excess: Excess = field(default_factory=Excess)

    def configure(self, config: TransformerConfig | None) -> None:
        """Take a configuration; None: it is not named any more."""
        self.configured = config
        self.config = None if config is None else in_force(config, self.is_degraded)

    def set_degraded(self, is_degraded: bool) -> None:
        """The meter is dead and the estimate may count, or that is over."""
        if is_degraded != self.is_degraded:
            self.is_degraded = is_degraded
            self.configure(self.configured)


@dataclass(slots=True)
class Station:
    """One station; several transformers share nothing."""

    code: str
    config: StationConfig | None = None
    piles: dict[str, Pile] = field(default_factory=dict)
    transformers: dict[str, Transformer] = field(default_factory=dict)
    alarms: StationAlarms = field(default_factory=StationAlarms)
    absence: Absence = field(default_factory=Absence)
    waiting: Waiters = field(default_factory=Waiters)

    def pile(self, number: str) -> Pile:
        return self.piles.setdefault(number, Pile(number))

    def transformer(self, code: str) -> Transformer:
        return self.transformers.setdefault(code, Transformer(code))

    def piles_of(self, transformer: str) -> list[Pile]:
        return [p for p in self.piles.values() if p.limits is not None and p.limits.transformer == transformer]

    def configure(self, config: StationConfig) -> None:
        """Take a newer configuration; what it does not name any more keeps its levels but counts no longer."""
        self.config = config
        self.alarms.is_gone = False
        for transformer in self.transformers.values():
            transformer.configure(None)
        for described in config.transformers:
            self.transformer(described.transformer).configure(described)
        for pile in self.piles.values():
            pile.limits = None
            for gun in pile.guns.values():
                gun.config = None
        for limits in config.piles:
            pile = self.pile(limits.pile)
            pile.limits = limits
            for described_gun in limits.guns:
                pile.gun(described_gun.gun).config = described_gun
