"""What a pile may draw: allowances sent and confirmed, and the plan under its power control."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import ceil, floor

from evcs.contracts.power import PowerControl
from evcs.contracts.reasons import Reason
from evcs.contracts.states import Scope
from evcs.contracts.waits import REPEAT_S, START_WRITTEN_S

ROUNDING = 1e-9
POWER_AGAIN_S = 60.0
"""A pile that refused an allowance is asked again only after this."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An allowance on its way, not confirmed yet."""

    id: str
    allowance_kw: float
    at: datetime
    serial: str | None = None
    """Of the start that carries it: that gun cannot draw before the pile has confirmed; None: a power command."""


@dataclass(slots=True)
class PowerScope:
    """The allowance of a pile: last confirmed, and everything sent since."""

    confirmed_kw: float | None = None
    """None: never capped, so the rating."""
    sent: list[Sent] = field(default_factory=list)
    repeated_at: datetime | None = None
    refused_at: datetime | None = None
    refused: Reason | None = None
    """Why what was last sent was not taken; None: it was, or the answer is still awaited."""

    def largest_kw(self, rated_kw: float) -> float:
        """What the pile may let through: an unconfirmed 0x52 counts as the larger of old and new."""
        return max((self.base_kw(rated_kw), *(sent.allowance_kw for sent in self.sent)))

    def base_kw(self, rated_kw: float) -> float:
        return rated_kw if self.confirmed_kw is None else self.confirmed_kw

    @property
    def last_sent_kw(self) -> float | None:
        return self.sent[-1].allowance_kw if self.sent else self.confirmed_kw

    @property
    def told_confirmed_kw(self) -> float | None:
        """For the level: the last confirmed, or what is older than the last sent, uncertain and larger."""
        if self.confirmed_kw is None:
            return None
        return max((self.confirmed_kw, *(sent.allowance_kw for sent in self.sent[:-1])))

    def is_lowered(self, rated_kw: float) -> bool:
        """Whether the pile may stand below its rating, so that even a start without a cap has to set its power."""
        least = min((self.base_kw(rated_kw), *(sent.allowance_kw for sent in self.sent)))
        return least < rated_kw - ROUNDING

    def send(self, sent: Sent) -> None:
        # What is long over and was never confirmed may still have reached the pile: its figure stays, once.
        self.sent = [old for old in self.sent if old.allowance_kw != sent.allowance_kw or old.serial] + [sent]
        self.repeated_at = sent.at
        self.refused = None

    def confirm(self, sent_id: str, allowance_kw: float | None) -> bool:
        """The pile confirmed what was sent under this id (kW after its rounding); False where it is not waited for."""
        for place, sent in enumerate(self.sent):
            if sent.id == sent_id:
                self.confirmed_kw = sent.allowance_kw if allowance_kw is None else allowance_kw
                del self.sent[: place + 1]
                self.refused_at = self.refused = None
                return True
        return False

    def refuse(self, sent_id: str, reason: Reason, now: datetime) -> bool:
        """The pile did not take what was sent under this id; it stays uncertain. False where it is not waited for."""
        if not any(sent.id == sent_id for sent in self.sent):
            return False
        self.refused_at = now
        if self.sent[-1].id == sent_id:
            self.refused = reason
        return True

    def ask_again(self) -> None:
        """Let the next plan send anew what was refused; under its old id the bridge would not repeat it."""
        self.refused_at = None
        if self.sent and self.sent[-1].serial is None:
            self.sent[-1] = replace(self.sent[-1], id="")

    def restore(self, sent_kw: float | None, confirmed_kw: float | None) -> None:
        """From the retained level of the time before a restart; what was not confirmed then stays uncertain."""
        self.confirmed_kw = confirmed_kw
        uncertain = sent_kw is not None and sent_kw != confirmed_kw
        self.sent = [Sent("", sent_kw, datetime.fromtimestamp(0, tz=UTC))] if sent_kw is not None and uncertain else []

    def release_serial(self, serial: str) -> None:
        """The start that carried an allowance is over; whether the pile took the allowance stays uncertain."""
        self.sent = [Sent("", s.allowance_kw, s.at) if s.serial == serial else s for s in self.sent]

    def forget_link(self, rated_kw: float) -> None:
        """The pile logged in anew: it may have restarted at full power, until it confirms its allowance again."""
        if not self.is_lowered(rated_kw):
            return
        lowered_kw = self.last_sent_kw
        starts = [sent for sent in self.sent if sent.serial is not None]
        self.confirmed_kw = rated_kw
        self.sent = starts or [Sent("", lowered_kw or rated_kw, datetime.fromtimestamp(0, tz=UTC))]

    @property
    def start_under_way(self) -> bool:
        return any(sent.serial is not None for sent in self.sent)

    def in_flight(self, now: datetime) -> Sent | None:
        """The power command whose answer is still waited for."""
        if not self.sent or self.sent[-1].serial is not None:
            return None
        last = self.sent[-1]
        return last if last.id and now < last.at + timedelta(seconds=START_WRITTEN_S) else None

    def repeat_due(self, now: datetime) -> bool:
        return self.repeated_at is None or now - self.repeated_at >= timedelta(seconds=REPEAT_S)


@dataclass(frozen=True, slots=True)
class Want:
    """A running or starting gun in the plan of its pile."""

    rated_kw: float
    cap_kw: float | None
    """None: no cap; what it may draw is its rating."""


def can_cap(control: PowerControl | None) -> bool:
    """Whether the pile's power can be set at all in the one way that `P/power` can say: for the whole pile."""
    return control is not None and control.scope is Scope.PILE


def planned_kw(control: PowerControl, rated_kw: float, wants: Iterable[Want]) -> float:
    """The allowance of a pile for its guns: the sum of theirs, rounded down to what the protocol can say.

    Not below the protocol's floor, and never so low that a running gun without a cap is held back; the whole rating
    where no gun has a cap. YKC: whole percent of the pile's rating, 30–100 (0x52).
    """
    wants = tuple(wants)
    if all(want.cap_kw is None for want in wants):
        return rated_kw
    step_kw = _step_kw(control, rated_kw)
    total_kw = sum(want.rated_kw if want.cap_kw is None else min(want.cap_kw, want.rated_kw) for want in wants)
    free_kw = max((want.rated_kw for want in wants if want.cap_kw is None), default=0.0)
    steps = max(floor(total_kw / step_kw + ROUNDING), ceil(free_kw / step_kw - ROUNDING))
    steps = max(control.least, min(control.most, steps))
    # Four digits, so that the bridge's division gives these steps again and not one less.
    return min(round(steps * step_kw, 4), rated_kw)


def floor_kw(control: PowerControl, rated_kw: float) -> float:
    """The least that the protocol can set for the pile."""
    return control.least * _step_kw(control, rated_kw)


def _step_kw(control: PowerControl, rated_kw: float) -> float:
    return rated_kw / 100 if control.unit == "pct" else 1.0
