"""What an early-warning rule is: a condition on a sample, for how long, when it is over, what it says and does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, NamedTuple, TypeVar

from evcs.contracts.alarm import AlarmAction, Severity

S = TypeVar("S")

UNSEEN = timedelta(minutes=6)
"""Two samples further apart than this (a gun at rest is read every 5 min) say nothing about the time between them."""


class Judged(NamedTuple):
    """What a sample says about a rule. Neither bad nor good: between the limit and its release."""

    is_bad: bool
    is_good: bool
    value: float
    limit: float


WELL = Judged(False, True, 0.0, 0.0)
"""Good; one for all, since most readings are and nobody asks for the figures of what is well."""

Judge = Callable[[S], Judged | None]
"""None: the sample does not say (a value is missing or impossible); then nothing changes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Generic[S]):
    """A rule as it stands in the table."""

    code: str
    condition: str
    """What `judge` looks for, for people."""
    judge: Judge[S]
    for_s: float
    """The condition has to hold for so long, from sample to sample, before the alarm is raised."""
    clear_s: float
    """Well again for so long: the alarm is cleared."""
    severity: Severity
    action: AlarmAction = AlarmAction.ALARM
    derate_share: float = 0.5
    """Of DERATE: what the session gets of the gun's rating."""
    only_charging: bool = True
    """It speaks of a charge and is over with it."""
    unit: str
    zh: str
    en: str
    """Sentences with {value} and {limit}."""
    source: str
    """Where the limit comes from."""

    def words(self, judged: Judged) -> tuple[str, str]:
        """The sentences with their figures."""
        value, limit = f"{round(judged.value, 1):g}", f"{round(judged.limit, 1):g}"
        return self.zh.format(value=value, limit=limit), self.en.format(value=value, limit=limit)


@dataclass(slots=True)
class Timers:
    """How long which rule has been bad, or good again, at one gun or transformer; which alarms it holds open."""

    bad: dict[str, datetime] = field(default_factory=dict)
    good: dict[str, datetime] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)
    said: dict[str, datetime] = field(default_factory=dict)
    """When a sample last spoke of an open one."""

    def follow(self, rule: Rule[S], judged: Judged, at: datetime) -> bool | None:
        """Take what a sample says: True raise (or keep), False clear, None leave it as it is."""
        code = rule.code
        if judged.is_bad:
            self.good.pop(code, None)
            since = self.bad.setdefault(code, at)
            if code not in self.open and (at - since).total_seconds() < rule.for_s:
                return None
            self.open.add(code)
            self.said[code] = at
            return True
        self.bad.pop(code, None)
        if code in self.open:
            self.said[code] = at
        if not judged.is_good:
            self.good.pop(code, None)
            return None
        if code not in self.open:
            return None
        since = self.good.setdefault(code, at)
        if (at - since).total_seconds() < rule.clear_s:
            return None
        self.drop(code)
        return False

    def is_due(self, rule: Rule[S], now: datetime) -> bool:
        """Whether an open one has been well for long enough, where no newer sample says otherwise."""
        since = self.good.get(rule.code)
        return since is not None and (now - since).total_seconds() >= rule.clear_s

    def forget_unfinished(self) -> None:
        """Nothing was seen for long: what was about to be raised begins anew."""
        self.bad.clear()

    def forget_charge(self, rules: Mapping[str, Rule[S]]) -> None:
        """A charge is over: what was about to be raised about it is not carried into the next one."""
        for code in [code for code in self.bad if rules[code].only_charging]:
            del self.bad[code]

    def drop(self, code: str) -> None:
        self.bad.pop(code, None)
        self.good.pop(code, None)
        self.said.pop(code, None)
        self.open.discard(code)
