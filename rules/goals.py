"""When a charge has reached what its driver asked for, or has used up its hold: a stop that leads by the latency."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median

from evcs.contracts.gun import Goal
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GoalKind
from evcs.contracts.times import SLOT, slot_of, slot_start
from evcs.contracts.waits import TELEMETRY_FRESH_S

FIRST_LATENCY_S = 3.0
"""Of a pile that nobody has stopped yet: 250 A fall by 100 A/s (GB/T 18487.1, normal stop), and the way to the pile."""
LEAST_LATENCY_S, MOST_LATENCY_S = 0.5, 30.0
LATENCIES_KEPT = 9
REMEMBERED_AS = 3
"""So many stops a latency counts for that an earlier run has learnt: one odd stop does not outweigh it."""
LOOK_S = 1.0
"""How often goals are looked at: the sample, since between two readings the last power is carried on."""
HOLD_LOW_SHARE = Decimal("0.9")
HOLD_LOW_LEAD_S = 60.0
HOLD_LOW_AGAIN_S = 30.0


@dataclass(slots=True)
class Latency:
    """Seconds from a stop until the current is zero, as one pile has shown them (domain 4.3: the median)."""

    seen_s: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES_KEPT))

    def learn(self, seconds: float) -> None:
        self.seen_s.append(min(max(seconds, LEAST_LATENCY_S), MOST_LATENCY_S))

    def remember(self, seconds: float | None) -> None:
        """What an earlier run has learnt, from the retained level; what this run has seen itself counts more."""
        if seconds is not None and not self.seen_s:
            for _ in range(REMEMBERED_AS):
                self.learn(seconds)

    @property
    def known_s(self) -> float | None:
        """To a tenth of a second; None: no stop was seen yet."""
        return round(median(self.seen_s), 1) if self.seen_s else None

    @property
    def expected_s(self) -> float:
        return median(self.seen_s) if self.seen_s else FIRST_LATENCY_S


@dataclass(slots=True)
class Watch:
    """What a running charge has drawn and cost, from its telemetry."""

    at: datetime | None = None
    """Of the last reading of energy."""
    energy_kwh: Decimal = Decimal(0)
    power_kw: float = 0.0
    spent_e5: Decimal = Decimal(0)
    """0.00001 yuan."""

    def follow(
        self, at: datetime, energy_kwh: Decimal, power_kw: float, prices_e5: Sequence[int], began: datetime
    ) -> None:
        """Take a reading. What was drawn since the one before is spread evenly over the time between.

        Without one before (the first of a charge, or after a restart) it is spread from the beginning of the charge.
        A counter that runs backwards changes nothing.
        """
        since = self.at or min(began, at)
        if at < since:
            return
        if energy_kwh > self.energy_kwh:
            self.spent_e5 += cost_e5(energy_kwh - self.energy_kwh, since, at, prices_e5)
            self.energy_kwh = energy_kwh
        self.power_kw = power_kw
        self.at = at

    def ahead(self, now: datetime, lead_s: float) -> Decimal:
        """kWh that will have been drawn beyond the last reading when a stop given now takes effect."""
        if self.at is None:
            return Decimal(0)
        unseen_s = min(max((now - self.at).total_seconds(), 0.0), TELEMETRY_FRESH_S)
        return Decimal(self.power_kw * (unseen_s + lead_s) / 3600).quantize(Decimal("0.000001"))


def cost_e5(energy_kwh: Decimal, since: datetime, until: datetime, prices_e5: Sequence[int]) -> Decimal:
    """Price of an energy drawn evenly between two instants, 0.00001 yuan; 0 without prices."""
    if not prices_e5:
        return Decimal(0)
    if until <= since:
        return energy_kwh * prices_e5[slot_of(until)]
    whole_s = Decimal(str((until - since).total_seconds()))
    cost = Decimal(0)
    at = since
    while at < until:
        end = min(until, slot_start(at) + SLOT)
        cost += energy_kwh * Decimal(str((end - at).total_seconds())) / whole_s * prices_e5[slot_of(at)]
        at = end
    return cost


def reached(
    goal: Goal,
    covered_kwh: Decimal,
    prices_e5: Sequence[int],
    watch: Watch,
    charging_since: datetime | None,
    latency_s: float,
    now: datetime,
) -> Reason | None:
    """Whether a stop has to go out now, and why; it leads by what the pile draws until it takes effect.

    For an amount the hold is that amount, so the money counts and not the energy that the hold covers at the dearest
    price. Source: requirement (定时, 定金额, 定电量), domain 4.3.
    """
    lead_s = latency_s + LOOK_S / 2
    ahead_kwh = watch.ahead(now, lead_s)
    drawn_kwh = watch.energy_kwh + ahead_kwh
    match goal.kind:
        case GoalKind.TIME if goal.duration_s is not None and charging_since is not None:
            if now + timedelta(seconds=lead_s) >= charging_since + timedelta(seconds=goal.duration_s):
                return Reason.GOAL_REACHED
        case GoalKind.ENERGY if goal.energy_kwh is not None and drawn_kwh >= goal.energy_kwh and drawn_kwh > 0:
            return Reason.GOAL_REACHED
        case GoalKind.AMOUNT if goal.amount_fen is not None and prices_e5 and watch.at is not None:
            spent_e5 = watch.spent_e5 + ahead_kwh * prices_e5[slot_of(now)]
            return Reason.GOAL_REACHED if spent_e5 >= goal.amount_fen * 1000 else None
        case GoalKind.AMOUNT:
            return None
    return Reason.HOLD_USED_UP if drawn_kwh >= covered_kwh and drawn_kwh > 0 else None


def hold_is_low(goal: Goal, covered_kwh: Decimal, watch: Watch, now: datetime) -> bool:
    """Whether nine tenths of what the hold covers are drawn (domain 4.4), or the rest lasts for less than a minute.

    At 120 kW a tenth of a small hold is drawn in seconds: then it could not be lengthened before it is used up.
    """
    if goal.kind is GoalKind.AMOUNT or watch.at is None:
        return False
    drawn_kwh = watch.energy_kwh + watch.ahead(now, 0)
    if drawn_kwh >= covered_kwh * HOLD_LOW_SHARE:
        return True
    return watch.power_kw > 0 and watch.energy_kwh + watch.ahead(now, HOLD_LOW_LEAD_S) >= covered_kwh


def remaining_s(
    goal: Goal, prices_e5: Sequence[int], watch: Watch, charging_since: datetime | None, now: datetime
) -> float | None:
    """Seconds until the goal ends the charge at its present power; None: its goal does not tell."""
    if goal.kind is GoalKind.TIME and goal.duration_s is not None and charging_since is not None:
        return max(0.0, (charging_since - now).total_seconds() + goal.duration_s)
    if watch.at is None or watch.power_kw <= 0:
        return None
    drawn_kwh = watch.energy_kwh + watch.ahead(now, 0)
    left_kwh: Decimal | None = None
    if goal.kind is GoalKind.ENERGY and goal.energy_kwh is not None:
        left_kwh = goal.energy_kwh - drawn_kwh
    elif goal.kind is GoalKind.AMOUNT and goal.amount_fen is not None and prices_e5 and prices_e5[slot_of(now)] > 0:
        price_e5 = prices_e5[slot_of(now)]
        left_kwh = (goal.amount_fen * 1000 - watch.spent_e5) / price_e5 - watch.ahead(now, 0)
    return None if left_kwh is None else max(0.0, float(left_kwh) / watch.power_kw * 3600)
