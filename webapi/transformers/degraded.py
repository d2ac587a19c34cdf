"""Degraded mode (降级运行): a transformer runs without its dead meter, because two people say so (domain A11).

One person asks, another of the same operator confirms within 10 minutes; it ends by itself after 2 h at most. Then the
estimate with the largest building load counts, against a lower threshold; the alarm of the meter stays open.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from evcs.contracts.states import Band
from evcs.contracts.waits import METER_FRESH_S
from webapi.access import Asker, ConsoleUser
from webapi.http.problems import Code
from webapi.transformers.models import Transformer, TransformerLive

CONFIRM_WITHIN = timedelta(minutes=10)
LONGEST_MIN = 120
POLICY_FRESH = timedelta(seconds=30)
"""An older policy tells nothing of the meter: the engine is away."""


class DegradedState(StrEnum):
    """How far it has come."""

    OFF = "off"
    ASKED = "asked"
    ON = "on"


@dataclass(frozen=True, slots=True, kw_only=True)
class DegradedView:
    """Who asked, who confirmed, why, until when."""

    state: DegradedState
    asked_by: str | None
    asked_at: datetime | None
    confirm_by: datetime | None
    minutes: int | None
    reason: str | None
    confirmed_by: str | None
    until: datetime | None


def refuse_request(row: Transformer, asker: Asker, *, at: datetime) -> Code | None:
    """Why somebody cannot ask for it now."""
    if not _is_of_operator(row, asker):
        return Code.DEGRADED_OTHER_OPERATOR
    return Code.DEGRADED_NOT_NEEDED if is_meter_alive(row, at) else None


def refuse_confirmation(row: Transformer, asker: Asker, *, at: datetime) -> Code | None:
    """Why somebody cannot confirm it now."""
    if not _is_of_operator(row, asker):
        return Code.DEGRADED_OTHER_OPERATOR
    if row.degraded_asked_at is None:
        return Code.DEGRADED_NOT_ASKED
    if at > row.degraded_asked_at + CONFIRM_WITHIN:
        return Code.DEGRADED_EXPIRED
    if row.degraded_asked_by == asker.key:
        return Code.DEGRADED_SAME_PERSON
    return Code.DEGRADED_NOT_NEEDED if is_meter_alive(row, at) else None


def ask(row: Transformer, *, by: str, reason: str, minutes: int, at: datetime) -> None:
    """Keep the request; one that still waited is replaced."""
    row.degraded_asked_by = by
    row.degraded_asked_at = at
    row.degraded_minutes = minutes
    row.degraded_reason = reason


def confirm(row: Transformer, *, by: str, at: datetime) -> None:
    """Put it in force, from now."""
    row.degraded_by = by
    row.degraded_until = at + timedelta(minutes=row.degraded_minutes or LONGEST_MIN)
    row.degraded_asked_at = None


def end(row: Transformer, *, at: datetime) -> bool:
    """Take back the request and the mode; whether there was any."""
    was = row.degraded_asked_at is not None or (row.degraded_until is not None and at < row.degraded_until)
    row.degraded_asked_at = row.degraded_until = None
    row.degraded_by = row.degraded_asked_by = row.degraded_minutes = row.degraded_reason = None
    return was


def degraded_view(row: Transformer, *, at: datetime) -> DegradedView:
    """As it stands; a request that nobody confirmed in time, and a mode that is over, show as off."""
    is_on = row.degraded_until is not None and at < row.degraded_until
    waits = row.degraded_asked_at is not None and at <= row.degraded_asked_at + CONFIRM_WITHIN
    shown = is_on or waits
    return DegradedView(
        state=DegradedState.ON if is_on else DegradedState.ASKED if waits else DegradedState.OFF,
        asked_by=row.degraded_asked_by if shown else None,
        asked_at=row.degraded_asked_at if waits else None,
        confirm_by=row.degraded_asked_at + CONFIRM_WITHIN if waits and row.degraded_asked_at is not None else None,
        minutes=row.degraded_minutes if shown else None,
        reason=row.degraded_reason if shown else None,
        confirmed_by=row.degraded_by if is_on else None,
        until=row.degraded_until if is_on else None,
    )


def is_meter_alive(row: Transformer, at: datetime) -> bool:
    """Whether degraded mode would help nobody: the meter is read, or there is none and the estimate counts anyway."""
    if not row.has_meter:
        return True
    live: TransformerLive | None = row.live
    if live is None or at - live.told_at > POLICY_FRESH:
        return False
    if live.meter_at is not None:
        return (at - live.meter_at).total_seconds() <= METER_FRESH_S
    return live.band is not Band.UNKNOWN and live.source == "meter"


def _is_of_operator(row: Transformer, asker: Asker) -> bool:
    return isinstance(asker, ConsoleUser) and asker.tenant_id == row.station.tenant_id
