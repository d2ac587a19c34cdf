"""The alarms of one station: which stand open, how often each was raised lately, what is published of them."""

import hashlib
import re
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from evcs.contracts.alarm import Alarm, AlarmAction, AlarmKind, Severity
from evcs.contracts.ids import is_level

FLAPS_WITHIN = timedelta(minutes=5)
"""What is raised again within this is the same record, with a count (feature F073)."""
FLAPS_AT = 3
"""Raised so often within that time it flaps: it stays open until it has been quiet for as long."""
CODE_CHARS, HASH_CHARS = 23, 8
_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """An alarm as its source wants it to stand."""

    id: str
    """Deterministic, so that a restart finds its own alarm again: see `alarm_id`."""
    code: str
    kind: AlarmKind
    severity: Severity
    station: str
    transformer: str | None = None
    pile: str | None = None
    gun: int | None = None
    serial: str | None = None
    action: str = AlarmAction.ALARM
    zh: str
    en: str
    value: float | None = None
    limit: float | None = None
    unit: str = ""
    protocol: str = ""
    known: bool = True
    raw: str = ""
    count: int = 1
    """Of a storm: how many it stands for; else how often it was raised is counted here."""


def alarm_id(code: str, *parts: str | int | None) -> str:
    """`{code}-{pile}-{gun}` and the like; what may not stand as one topic level is replaced, with a hash of the whole.

    Parts that are None are left out.
    """
    plain = "-".join(str(part) for part in (code, *parts) if part is not None)
    if is_level(plain):
        return plain
    digest = hashlib.sha256(plain.encode()).hexdigest()[:HASH_CHARS]
    return f"{_NOT_ALLOWED.sub('_', plain)[:CODE_CHARS]}-{digest}"


@dataclass(slots=True)
class Standing:
    """An alarm that stands open."""

    open: Open
    raised_at: datetime
    is_wanted: bool = True
    """Its source holds it; else it flaps and waits for quiet."""
    is_confirmed: bool = True
    """False: found retained after a restart, and no source has said anything about it yet."""
    found_at: datetime | None = None
    count: int = 1
    flaps: bool = False
    """Raised too often: an end waits for quiet."""
    quiet_since: datetime | None = None
    until: datetime | None = None
    """Ends by itself then."""
    has_changed: bool = False
    """It says something else than what is published."""
    told: Alarm | None = None
    """The level as it stands; None: nothing is published yet."""
    told_at: datetime | None = None


@dataclass(slots=True)
class Past:
    """When an alarm was raised lately, and the highest version on its topic."""

    raises: deque[datetime] = field(default_factory=deque)
    first_at: datetime | None = None
    """`raised_at` of the record that a new raise continues."""
    count: int = 0
    """Raises of that record."""
    version: int = 0

    @property
    def flaps(self) -> bool:
        return len(self.raises) >= FLAPS_AT

    def note(self, at: datetime) -> None:
        """Count a raise."""
        self.forget(at)
        if not self.raises:
            self.first_at, self.count = at, 0
        self.raises.append(at)
        self.count += 1

    def found(self, level: Alarm, now: datetime) -> None:
        """Take over from a level that stood before a restart."""
        self.first_at, self.count = level.raised_at, level.count
        self.raises.append(now)

    def forget(self, now: datetime) -> None:
        """Drop what is older than the flapping time."""
        while self.raises and now - self.raises[0] > FLAPS_WITHIN:
            self.raises.popleft()


@dataclass(slots=True)
class StationAlarms:
    """Of one station, by id."""

    standing: dict[str, Standing] = field(default_factory=dict)
    past: dict[str, Past] = field(default_factory=dict)
    events: dict[str, deque[datetime]] = field(default_factory=dict)
    """By id: when something happened of which only a repetition is an alarm."""
    is_gone: bool = False
    """The station's configuration was taken away: nothing is raised there before another one comes."""
    to_clear: set[str] = field(default_factory=set)
    """Found ended by an earlier run that did not live to empty the topic."""

    def is_open(self, id: str) -> bool:
        """Whether its source holds it (a flapping one that is quiet just now is not)."""
        standing = self.standing.get(id)
        return standing is not None and standing.is_wanted

    def happened(self, id: str, at: datetime, within: timedelta) -> int:
        """Count an event; returns how many there were within this time, this one among them."""
        seen = self.events.setdefault(id, deque())
        seen.append(at)
        while at - seen[0] > within:
            seen.popleft()
        return len(seen)

    def of_gun(self, pile: str, gun: int | None) -> list[Standing]:
        """What stands open at a gun (None: at the pile itself)."""
        return [one for one in self.standing.values() if one.open.pile == pile and one.open.gun == gun]

    def locks(self, pile: str, gun: int) -> Standing | None:
        """An open alarm that keeps this gun, its pile or the whole station from starting: one that locks or stops.

        A gun that was stopped as too hot would be stopped again at once.
        """
        for standing in self.standing.values():
            open = standing.open
            is_here = open.transformer is None and open.pile in (None, pile) and open.gun in (None, gun)
            if is_here and open.action in (AlarmAction.LOCK, AlarmAction.STOP):
                return standing
        return None
