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


class Alarm(Payload, frozen=True, kw_only=True):
    """`S/alarm/{alarm}`: retained while open, under a deterministic id."""

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
    action: str = "alarm"
    zh: str = ""
    en: str = ""
