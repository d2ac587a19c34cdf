"""Faults and warnings that `rules` holds open."""

from enum import StrEnum
from typing import Annotated

import msgspec

from evcs.contracts.envelope import Payload
from evcs.contracts.times import Instant


class Severity(StrEnum):
    """How grave an alarm is: to be known, to be looked at, to be acted on."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class AlarmKind(StrEnum):
    """A fault comes from the pile, a warning from a rule."""

    FAULT = "fault"
    WARNING = "warning"


class AlarmAction(StrEnum):
    """What follows from an alarm besides being shown."""

    ALARM = "alarm"
    """Nothing: a person decides."""
    DERATE = "derate"
    """The session gets a cap; released when the alarm clears."""
    STOP = "stop"
    """The charge is stopped."""
    LOCK = "lock"
    """Stopped, and the worker makes a lockout from it; until that stands the gate refuses while the alarm is open."""


class Alarm(Payload, frozen=True, kw_only=True):
    """`S/alarm/{alarm}`: retained while open, under a deterministic id; open = false is its end, then it is cleared."""

    version: Annotated[int, msgspec.Meta(ge=0)]
    alarm: str
    code: str
    kind: AlarmKind
    severity: Severity
    open: bool
    raised_at: Instant
    cleared_at: Instant | None = None
    pile: str | None = None
    gun: int | None = None
    transformer: str | None = None
    serial: str | None = None
    action: str = AlarmAction.ALARM
    """An AlarmAction; text in the contract since its first release."""
    protocol: str = ""
    """Of a code that a pile reported; "": a code of our own rules."""
    known: bool = True
    """Whether the fault-code dictionary has this code; else somebody is to describe it."""
    count: int = 1
    """How often it was raised within its flapping time, or how many piles a storm has."""
    value: float | None = None
    """The figure that raised it, in `unit`."""
    limit: float | None = None
    """What the figure is measured against, in `unit`."""
    unit: str = ""
    """V, A, °C, %, kW, s …"""
    raw: str = ""
    """What the pile said, as it stood in the frame (bits in hex, the stop code, the finding's value)."""
    zh: str = ""
    en: str = ""
