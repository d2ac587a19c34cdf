"""One gun through the days: idle, charging, finished, faulted; its readings, raw and folded; its charges' papers."""

from dataclasses import dataclass
from decimal import Decimal
from random import Random

import msgspec

from bridge.protocols.ykc.codes import APP_STOP, MANUAL_STOP
from bridge.simulator.bill import record_of
from bridge.simulator.biller import SLOT_MS, PileTariff, Tally, slot_end_ms
from bridge.simulator.gun import UNITS_PER_STEP, Gun, Phase, Session, StartOrder
from bridge.simulator.history.demand import next_arrival
from bridge.simulator.history.folds import GunFold, GunReading
from bridge.simulator.history.paper import Paper
from bridge.simulator.history.sink import RAW, Sink
from bridge.simulator.history.visits import Wish
from evcs.contracts.gun import Goal, MarkReason, MeterMark, Verdict, VerdictKind
from evcs.contracts.history import PastOrder
from evcs.contracts.ids import serial_number
from evcs.contracts.measurements import GUN, GUN_1M, GUN_15M
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GoalKind, GunState
from evcs.contracts.times import beijing_digits, from_ms
from evcs.store.interface import Point

REST_MS = 300_000
"""Between two readings at rest."""
RECORD_MS = 1_200
STOP_LATENCY_MS = 400
HOLD_E4 = 2_000_000
"""200 yuan: what a start holds, and so what the pile may spend."""
NO_CARD = "0" * 16


@dataclass(slots=True)
class Charge:
    """A charge under way."""

    wish: Wish
    order: PastOrder
    session: Session
    cap_w: int
    began_ms: int
    marks: list[MeterMark]
    mark_due_ms: int
    read_steps: int = 0
    goal_steps: int | None = None
    drew_w: int = 0


class PastGun:
    """A gun of a past pile; `phase_ms` is where its readings lie within a step."""

    def __init__(
        self, place: tuple[str, str, int], gun_w: int, paper: Paper, sink: Sink, begin_ms: int, seed: int, visits: float
    ) -> None:
        self.station, self.pile, self.number = place
        self.dice = Random(f"{seed}/{self.pile}/{self.number}/history")
        self.gun = Gun(self.pile, self.number, self.dice, self.dice.randrange(2_000_000, 80_000_000), gun_w)
        self.phase_ms = self.dice.randrange(15_000)
        self._paper, self._sink, self._visits = paper, sink, visits
        self.state = GunState.IDLE
        self.charge: Charge | None = None
        self._counter = 0
        self._bridge_ms = begin_ms
        self.tags = (self.station, self.pile, str(self.number))
        self._folds = (
            ("rollup_1m", GunFold(GUN_1M, self.tags, begin_ms, only_charging=True)),
            ("rollup_15m", GunFold(GUN_15M, self.tags, begin_ms, only_charging=False)),
        )
        self.arrival_ms = next_arrival(self.dice, begin_ms, visits)
        self.change_ms: int | None = None
        """When a gun that is finished or faulted is free again."""
        self._rest_due_ms = begin_ms
        self.look_ms = begin_ms
        """Before that nothing changes at a gun without a charge."""

    # --- between charges

    def rest(self, at_ms: int, *, raw: bool) -> None:
        """A step without a charge: what changes by itself, and a reading every five minutes."""
        if self.change_ms is not None and at_ms >= self.change_ms:
            self.state, self.change_ms = GunState.IDLE, None
            self.gun.car = None
            self._rest_due_ms = at_ms
        if self._rest_due_ms <= at_ms < self.arrival_ms:  # a charge that begins now reads for itself
            self._rest_due_ms = at_ms // REST_MS * REST_MS + REST_MS
            self._read(at_ms + self.phase_ms, GunReading(self.state.value, None), raw=raw)
        self.look_ms = min(self._rest_due_ms, self.arrival_ms, self.change_ms or self.arrival_ms)

    def next_car(self, after_ms: int) -> None:
        """Somebody else comes later."""
        self.arrival_ms = next_arrival(self.dice, after_ms, self._visits)

    def occupied(self, state: GunState, at_ms: int, until_ms: int) -> None:
        """From a moment on nothing can start here until then."""
        self.state, self.change_ms = state, until_ms
        self._rest_due_ms = self.look_ms = at_ms + 1  # never in the same millisecond as the charge's last reading
        self.next_car(until_ms)

    def serial(self, requested_ms: int) -> str:
        """As the platform makes them."""
        self._counter += 1
        return serial_number(self.pile, self.number, beijing_digits(from_ms(requested_ms)), self._counter)

    # --- a charge

    def fail(self, order: PastOrder, wish: Wish, tariff: PileTariff, at_ms: int) -> PastOrder:
        """A start that the pile accepted and that gave no current: its answer, and its record without energy."""
        self.gun.car = wish.car
        self.gun.session = self._session(order, wish, tariff, at_ms - 3_000)
        record = self._paper.record(record_of(self.gun, at_ms, wish.failed_code or 0x52), at_ms + RECORD_MS)
        self.gun.session = None
        reply = self._paper.reply(order.serial, from_ms(at_ms), accepted=False)
        return _with(order, reply=reply, record=record)

    def begin(self, order: PastOrder, wish: Wish, tariff: PileTariff, cap_w: int, at_ms: int, *, raw: bool) -> None:
        """Current flows from here."""
        self.gun.car = wish.car
        session = self._session(order, wish, tariff, at_ms)
        session.phase, session.charging_ms = Phase.CHARGING, at_ms
        self.gun.session = session
        goal = order.goal
        self.state = GunState.CHARGING
        replied = _with(order, reply=self._paper.reply(order.serial, from_ms(at_ms - 500), accepted=True))
        charge = self.charge = Charge(wish, replied, session, cap_w, at_ms, [], slot_end_ms(at_ms))
        if goal.energy_kwh is not None:
            charge.goal_steps = int(goal.energy_kwh * 10_000)
        self._mark(charge, MarkReason.BEGIN, at_ms)
        self._read_charge(charge, at_ms, GunState.CHARGING, raw=raw)

    def advance(
        self, charge: Charge, at_ms: int, span_ms: int, free_w: int, *, raw: bool, must_stop: bool = False
    ) -> bool:
        """One step of the charge under way from `at_ms` on with at most `free_w`; whether it ended in it."""
        gun = self.gun
        begin_ms = at_ms
        end_ms = at_ms + span_ms
        stop_ms, why = self._stop_within(charge, end_ms) or (end_ms, APP_STOP if must_stop else None)
        watts = min(gun.wanted_w(at_ms, 1.5), charge.cap_w, max(0, free_w))
        charge.drew_w = watts
        tariff = charge.session.tally.tariff
        ended: int | None = None
        while at_ms < stop_ms and ended is None:
            part_end = min(stop_ms, slot_end_ms(at_ms))
            part = part_end - at_ms
            if (cut := self._until_goal(charge, watts, part)) is not None:
                part, stop_ms, why = cut, at_ms + cut, APP_STOP
            ended = gun.flow(watts, part, tariff.band_at(at_ms), 1)
            at_ms += part
            if at_ms >= charge.mark_due_ms:
                charge.mark_due_ms = at_ms + SLOT_MS
                self._mark(charge, MarkReason.HALF_HOUR, at_ms)
        reason = ended if ended is not None else why
        if reason is None:
            self._read_charge(charge, end_ms, GunState.CHARGING, raw=raw)
            return False
        self._end(charge, max(at_ms, begin_ms + 1), reason, raw=raw)
        return True

    def _stop_within(self, charge: Charge, end_ms: int) -> tuple[int, int] | None:
        """The first thing besides battery, money and energy goal that ends the charge by then, and its code."""
        found: list[tuple[int, int]] = []
        wish, goal = charge.wish, charge.order.goal
        if goal.duration_s is not None:
            found.append((charge.began_ms + goal.duration_s * 1000 + STOP_LATENCY_MS, APP_STOP))
        if wish.manual_after_s is not None:
            found.append((charge.began_ms + round(wish.manual_after_s * 1000), MANUAL_STOP))
        if wish.fault_after_s is not None:
            found.append((charge.began_ms + round(wish.fault_after_s * 1000), wish.fault_code))
        due = [one for one in found if one[0] <= end_ms]
        return min(due) if due else None

    def _until_goal(self, charge: Charge, watts: int, part_ms: int) -> int | None:
        """In how many ms the energy goal is reached, with the time that the stop takes; None: not in this part."""
        if charge.goal_steps is None:
            return None
        volts = round(charge.wish.car.battery.voltage_v * 10)
        rate = volts * (watts * 100 // volts)
        left = (charge.goal_steps - charge.session.tally.total_steps) * UNITS_PER_STEP
        if left <= 0:
            return min(part_ms, STOP_LATENCY_MS)
        if rate == 0 or (needed := -(-left // rate) + STOP_LATENCY_MS) > part_ms:
            return None
        return needed

    def _end(self, charge: Charge, at_ms: int, reason: int, *, raw: bool) -> None:
        gun = self.gun
        self._mark(charge, MarkReason.END, at_ms)
        frame = record_of(gun, at_ms, reason)
        wish = charge.wish
        fault = reason == wish.fault_code and wish.fault_after_s is not None
        goal = charge.order.goal
        reached = reason == APP_STOP and goal.kind in (GoalKind.TIME, GoalKind.ENERGY)
        order = _with(
            charge.order,
            charging_since=from_ms(charge.began_ms),
            marks=tuple(charge.marks),
            goal_reached=_reached(order=charge.order, at_ms=at_ms - STOP_LATENCY_MS) if reached else None,
            ended_at=from_ms(at_ms + 300),
            record=self._paper.record(frame, at_ms + RECORD_MS),
        )
        wish.customer.balance_fen -= -(-int(frame.total_amount * 10_000) // 100)
        wish.customer.busy = False
        self._sink.lines.append(order)
        gun.cut_current()
        self._read_charge(charge, at_ms, GunState.FAULTED if fault else GunState.FINISHED, raw=raw)
        gun.session = None
        self.charge = None
        stays_s = wish.repair_s if fault else wish.linger_s
        self.occupied(GunState.FAULTED if fault else GunState.FINISHED, at_ms, at_ms + round(stays_s * 1000))

    def _session(self, order: PastOrder, wish: Wish, tariff: PileTariff, at_ms: int) -> Session:
        amount = order.goal.amount_fen
        balance = HOLD_E4 if amount is None else amount * 100
        return Session(
            order=StartOrder(order.serial, balance, wish.kind, order.card or NO_CARD),
            balance_e4=balance,
            tally=Tally(tariff),
            phase=Phase.STARTING,
            meter_start=self.gun.register,
            start_pile_ms=at_ms,
        )

    def _mark(self, charge: Charge, why: MarkReason, at_ms: int) -> None:
        mark = MeterMark(
            receipt=self._paper.receipt(),
            serial=charge.order.serial,
            why=why,
            received_at=from_ms(at_ms),
            energy_kwh=_kwh(charge.session.tally.total_steps),
        )
        charge.marks.append(mark)

    # --- readings

    def _read_charge(self, charge: Charge, at_ms: int, state: GunState, *, raw: bool) -> None:
        gun, battery = self.gun, charge.wish.car.battery
        total = charge.session.tally.total_steps
        reading = GunReading(
            state.value,
            charge.order.serial,
            gun.power_w,
            gun.volts_dv,
            gun.amps_da,
            total - charge.read_steps,
            float(int(battery.soc_pct)),
            min(90, round(24 + gun.amps_da / 150)),
            round(battery.temp_c),
        )
        charge.read_steps = total
        self._read(at_ms, reading, raw=raw)

    def _read(self, at_ms: int, reading: GunReading, *, raw: bool) -> None:
        points = self._sink.points
        for bucket, fold in self._folds:
            points[bucket].extend(fold.read(at_ms, reading))
        if raw:
            points[RAW].append(self._raw(at_ms, reading))

    def close_windows(self, at_ms: int) -> None:
        """A day is over."""
        for bucket, fold in self._folds:
            self._sink.points[bucket].extend(fold.until(at_ms))

    def _raw(self, at_ms: int, reading: GunReading) -> Point:
        """In the order of `measurements.GUN`; a test compares with the bridge's own telemetry."""
        charge, receipt = self.charge, self._paper.receipt()
        if charge is None:
            rest = (None,) * 14
            fields = (reading.state, None, 0.0, 0.0, 0.0, *rest, receipt.n, receipt.started_ms)
            return Point(GUN, self.tags, fields, from_ms(at_ms))
        battery, session = charge.wish.car.battery, charge.session
        wanted_w = battery.demand_w((at_ms - session.charging_ms - session.heated_ms) / 1000)
        volts = battery.voltage_v
        return Point(
            GUN,
            self.tags,
            (
                reading.state,
                reading.serial,
                reading.volts_dv / 10,
                reading.amps_da / 10,
                reading.power_w / 1000,
                session.tally.total_steps / 10_000,
                reading.soc_pct,
                None if reading.cable_c is None else float(reading.cable_c),
                None if reading.battery_c is None else float(reading.battery_c),
                None if reading.battery_c is None else float(reading.battery_c - 2),
                round(volts / 100, 2),
                round(volts + 4, 1),
                round(wanted_w / volts, 1),
                round(battery.nominal_v * 1.2, 1),
                round(battery.max_power_w / battery.nominal_v, 1),
                battery.max_power_w / 1000,
                (at_ms - session.charging_ms) // 60_000,
                self.gun.remain_min,
                session.tally.total_e4 / 100,
                receipt.n,
                receipt.started_ms,
            ),
            from_ms(at_ms),
        )


def _reached(order: PastOrder, at_ms: int) -> Verdict:
    goal: Goal = order.goal
    return Verdict(
        id=f"history-goal-{order.serial}",
        serial=order.serial,
        kind=VerdictKind.GOAL_REACHED,
        reason=Reason.GOAL_REACHED,
        goal=goal.kind,
        decided_at=from_ms(at_ms),
    )


def _kwh(steps: int) -> Decimal:
    return Decimal(steps).scaleb(-4)


def _with(order: PastOrder, **changes: object) -> PastOrder:
    return msgspec.structs.replace(order, **changes)
