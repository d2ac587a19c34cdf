"""What a simulated pile says, under a clock moved by hand."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from bridge.protocols.ykc.codes import GunState, Outcome, RecordResult, StartFailure, StopFailure, WorkPermission
from bridge.protocols.ykc.messages import (
    NO_TRADE,
    Heartbeat,
    Login,
    RealtimeData,
    RemoteStartAnswer,
    RemoteStopAnswer,
    TariffCheckRequest,
    TariffRequest,
    TimeSyncAnswer,
    TransactionRecord,
    WorkParametersAnswer,
    band_lines,
)
from bridge.simulator.actions import Action
from bridge.simulator.battery import Battery
from bridge.simulator.flow import share_out
from bridge.simulator.gun import Car
from bridge.simulator.options import PileOptions
from bridge.simulator.pile import Pile
from tests.bridge.simulator.hand import NOON, NUMBER, SERIAL, Hand
from tests.bridge.simulator.platform import cap_of, read_of, start_of, stop_of

PLAIN = PileOptions(cold_share=0, manual_stop_share=0)
STRONG = Car(Battery(capacity_wh=60_000, soc_pct=20, max_power_w=120_000, nominal_v=600), "LSVTESTTESTTEST01")


def charging(hand: Hand, serial: str = SERIAL, gun: int = 1, balance: str = "100.00") -> RealtimeData:
    """Start and wait for current."""
    hand.say(start_of(NUMBER, serial, gun, balance))
    hand.wait_for(RemoteStartAnswer)
    return hand.all_of(RealtimeData)[-1]


def test_after_connecting_it_logs_in_takes_the_time_and_fetches_the_tariff() -> None:
    hand = Hand().connect()
    kinds = [type(message) for _, message, _ in hand.sent]
    assert kinds[0] is Login
    assert {TariffCheckRequest, TariffRequest, TimeSyncAnswer, Heartbeat, RealtimeData} <= set(kinds)
    assert hand.all_of(TariffCheckRequest)[0].model_no == "0000"
    assert hand.pile.model is not None
    assert [data.gun_no for data in hand.all_of(RealtimeData)] == ["01", "02"]


def test_heartbeat_every_10_s_and_idle_data_every_5_min() -> None:
    hand = Hand(guns=1).connect()
    hand.wait(620)
    assert hand.times_of(Heartbeat)[:4] == [0, 10, 20, 30]
    assert hand.times_of(RealtimeData) == [0, 300, 600]


def test_three_heartbeats_without_an_answer_end_the_link() -> None:
    hand = Hand().connect()
    hand.script.deaf_to_heartbeats = True
    hand.wait(45)
    assert hand.hung_up[0] == "heartbeat_unanswered"


def test_refused_login_is_tried_again_after_30_s() -> None:
    hand = Hand()
    hand.script.refuse_login = True
    hand.connect()
    hand.wait(61)
    assert hand.times_of(Login) == [0, 30, 60]
    assert not hand.pile.logged_in


def test_a_charge_from_plug_to_confirmed_record() -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=8))
    assert hand.all_of(RealtimeData)[-1].plugged == 1
    first = charging(hand)
    assert (first.state, first.trade_no) == (GunState.CHARGING, SERIAL)
    answer = hand.all_of(RemoteStartAnswer)[-1]
    assert (answer.result, answer.fail_reason) == (Outcome.OK, StartFailure.NONE)
    record = hand.wait_for(TransactionRecord)
    assert record.stop_reason == 0x41
    assert Decimal("7.9") < record.total_kwh < Decimal("8.1")
    assert record.meter_end - record.meter_start == record.total_kwh
    last = hand.all_of(RealtimeData)[-1]
    assert (last.state, last.trade_no, last.current, last.plugged) == (GunState.IDLE, NO_TRADE, 0, 1)
    assert len(hand.pile.records) == 0
    hand.wait(400)
    assert len(hand.all_of(TransactionRecord)) == 1


def test_data_every_15_s_agrees_with_its_own_volts_and_amperes() -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.do(hand.pile.plug(1, hand.now_ms, car=Car(STRONG.battery, STRONG.vin)))
    charging(hand)
    hand.wait(120)
    readings = [
        (at, data) for at, data, _ in hand.sent if isinstance(data, RealtimeData) and data.state == GunState.CHARGING
    ]
    assert [(at - readings[0][0]) / 1000 for at, _ in readings][:4] == [0, 15, 30, 45]
    for (at, one), (later, two) in pairwise(readings[2:]):  # past the ramp power is steady
        hours = Decimal(later - at) / 3_600_000
        drawn = two.voltage * two.current * hours / 1000
        assert abs((two.kwh - one.kwh) - drawn) < drawn / 100
    assert readings[-1][1].soc > 20
    assert readings[-1][1].battery_temp_max > 20


def test_remote_stop_is_answered_and_the_current_falls_before_the_record() -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=30))
    charging(hand)
    hand.wait(60)
    hand.say(stop_of(NUMBER))
    answer = hand.all_of(RemoteStopAnswer)[-1]
    assert (answer.result, answer.fail_reason) == (Outcome.OK, StopFailure.NONE)
    at_stop = hand.pile.guns[1].register
    record = hand.wait_for(TransactionRecord)
    assert record.stop_reason == 0x40
    assert hand.pile.guns[1].register > at_stop
    hand.say(stop_of(NUMBER))
    assert hand.all_of(RemoteStopAnswer)[-1].fail_reason == StopFailure.NOT_CHARGING


def test_balance_used_up_stops_at_the_last_step_that_it_covers() -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=30))
    charging(hand, balance="3.00")
    record = hand.wait_for(TransactionRecord)
    assert record.stop_reason == 0x43
    assert Decimal("2.9998") <= record.total_amount <= 3


@pytest.mark.parametrize("factor", [1, 5])
def test_record_data_and_register_count_the_same_energy_over_a_slot_boundary(factor: int) -> None:
    options = replace(PLAIN, energy_factor=factor)
    hand = Hand(options, guns=1, at_ms=NOON + 28 * 60_000)  # two minutes before a slot ends
    hand.script.slots = tuple(1 if slot == 24 else 3 for slot in range(48))
    hand.connect()
    hand.do(hand.pile.plug(1, hand.now_ms, car=Car(STRONG.battery, STRONG.vin)))
    charging(hand)
    hand.wait(200)
    before = hand.pile.guns[1].realtime(hand.now_ms)
    hand.say(stop_of(NUMBER))
    hand.wait(5)
    record = hand.all_of(TransactionRecord)[0]
    lines = {line.band.name: line for line in band_lines(record)}
    assert lines["PEAK"].kwh > 0
    assert lines["VALLEY"].kwh > 0
    assert lines["SHARP"].kwh == lines["FLAT"].kwh == 0
    assert sum(line.kwh for line in lines.values()) == record.total_kwh == record.meter_end - record.meter_start
    assert sum(line.amount for line in lines.values()) == record.total_amount
    for line in lines.values():
        exact = line.kwh * line.price
        assert line.amount == exact.quantize(Decimal("0.0001"), "ROUND_HALF_UP")
    assert Decimal(0) <= record.total_kwh - before.kwh < Decimal("0.04") * factor  # what flowed while it stopped


def test_a_cap_is_confirmed_and_obeyed_and_lifted() -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.do(hand.pile.plug(1, hand.now_ms, car=Car(STRONG.battery, STRONG.vin)))
    charging(hand)
    hand.wait(30)
    assert hand.pile.guns[1].power_w > 110_000
    hand.say(cap_of(NUMBER, 50))
    assert hand.all_of(WorkParametersAnswer)[-1].result == Outcome.OK
    hand.wait(2)
    assert 55_000 < hand.pile.guns[1].power_w <= 60_000
    hand.say(cap_of(NUMBER, 100))
    hand.wait(2)
    assert hand.pile.guns[1].power_w > 110_000


@pytest.mark.parametrize("percent", [0, 29, 101])
def test_a_cap_outside_30_to_100_is_refused(percent: int) -> None:
    hand = Hand().connect()
    hand.say(cap_of(NUMBER, percent))
    assert hand.all_of(WorkParametersAnswer)[-1].result == Outcome.FAILED
    assert hand.pile.max_power_pct == 100


def test_two_guns_share_the_pile_and_one_takes_what_the_other_leaves() -> None:
    hand = Hand(PLAIN, guns=2).connect()
    for gun in (1, 2):
        hand.do(hand.pile.plug(gun, hand.now_ms, car=Car(STRONG.battery, STRONG.vin)))
        charging(hand, SERIAL[:14] + f"{gun:02d}" + SERIAL[16:], gun)
    hand.wait(30)
    one, two = (hand.pile.guns[gun].power_w for gun in (1, 2))
    assert one <= 60_000
    assert two <= 60_000
    assert one + two > 115_000
    hand.say(stop_of(NUMBER, 2))
    hand.wait(10)
    assert hand.pile.guns[1].power_w > 110_000


def test_shares_are_fair_and_never_above_the_limit() -> None:
    assert share_out(100, [30, 80]) == [30, 70]
    assert share_out(100, [80, 80]) == [50, 50]
    assert share_out(100, [10, 20]) == [10, 20]


def test_a_start_without_plug_runs_when_the_plug_comes_within_60_s() -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.say(start_of(NUMBER, SERIAL))
    assert hand.all_of(RemoteStartAnswer)[-1].fail_reason == StartFailure.NOT_PLUGGED
    hand.wait(50)
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=5))
    assert hand.wait_for(RemoteStartAnswer).result == Outcome.OK
    assert hand.wait_for(TransactionRecord).trade_no == SERIAL


def test_a_plug_after_60_s_starts_nothing_and_gives_no_record() -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.say(start_of(NUMBER, SERIAL))
    hand.wait(61)
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=5))
    hand.wait(400)
    assert len(hand.all_of(RemoteStartAnswer)) == 1
    assert hand.all_of(TransactionRecord) == []


def test_a_start_without_tariff_is_refused_and_the_tariff_fetched() -> None:
    hand = Hand(PLAIN, guns=1)
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=5))
    hand.connect()
    hand.pile.core.model = None
    fetched = len(hand.all_of(TariffRequest))
    hand.say(start_of(NUMBER, SERIAL))
    assert hand.all_of(RemoteStartAnswer)[-1].fail_reason == StartFailure.DEVICE_FAULT
    assert len(hand.all_of(TariffRequest)) == fetched + 1


def test_a_start_on_a_busy_locked_or_faulty_gun_is_refused() -> None:
    hand = Hand(PLAIN, guns=2).connect()
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=20))
    charging(hand)
    hand.say(start_of(NUMBER, SERIAL[:-1] + "2"))
    assert hand.all_of(RemoteStartAnswer)[-1].fail_reason == StartFailure.ALREADY_CHARGING
    hand.do(hand.pile.plug(2, hand.now_ms, need_kwh=20))
    hand.do(hand.pile.fail(2, 0x0001, hand.now_ms))
    hand.say(start_of(NUMBER, SERIAL[:-1] + "3", 2))
    assert hand.all_of(RemoteStartAnswer)[-1].fail_reason == StartFailure.DEVICE_FAULT
    hand.do(hand.pile.repair(2, hand.now_ms))
    hand.say(cap_of(NUMBER, 100, WorkPermission.LOCKED))
    hand.say(start_of(NUMBER, SERIAL[:-1] + "4", 2))
    assert hand.all_of(RemoteStartAnswer)[-1].fail_reason == StartFailure.DEVICE_FAULT


@pytest.mark.parametrize("reason", [0x52, 0x59])
def test_a_start_that_fails_gives_one_record_without_energy(reason: int) -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.troubles.fail_start_reason = reason
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=5))
    hand.say(start_of(NUMBER, SERIAL))
    assert hand.wait_for(RemoteStartAnswer).result == Outcome.FAILED
    record = hand.wait_for(TransactionRecord)
    assert (record.stop_reason, record.total_kwh, record.total_amount) == (reason, 0, 0)


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (lambda pile, now_ms: pile.unplug(1, now_ms), 0x6B),
        (lambda pile, now_ms: pile.fail(1, 0x0001, now_ms), 0x72),
    ],
    ids=["plug pulled", "fault"],
)
def test_pulling_the_plug_and_a_fault_end_the_charge_at_once(
    act: Callable[[Pile, int], list[Action]], reason: int
) -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=20))
    charging(hand)
    hand.wait(20)
    hand.do(act(hand.pile, hand.now_ms))
    assert hand.all_of(RealtimeData)[-1].current == 0
    assert hand.wait_for(TransactionRecord).stop_reason == reason


def test_pressing_stop_at_the_pile_ends_the_charge_as_a_manual_stop() -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=20))
    charging(hand)
    hand.wait(20)
    hand.do(hand.pile.press_stop(1, hand.now_ms))
    assert hand.wait_for(TransactionRecord).stop_reason == 0x45


def test_reading_on_demand_repeats_the_sequence_number() -> None:
    hand = Hand(guns=1).connect()
    hand.say(read_of(NUMBER))
    _, message, raw = hand.sent[-1]
    assert isinstance(message, RealtimeData)
    assert raw[2:4] == (0x4001).to_bytes(2, "little")


def test_an_unconfirmed_record_is_sent_five_times_and_again_after_the_next_login() -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.script.confirm = None
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=2))
    charging(hand)
    hand.wait(2000)
    assert hand.times_of(TransactionRecord) == [0, 30, 60, 90, 300]
    assert len({record.encode() for record in hand.all_of(TransactionRecord)}) == 1
    hand.do(hand.pile.lost(hand.now_ms))
    hand.wait(20)
    hand.script.confirm = RecordResult.STORED
    hand.connect()
    assert len(hand.all_of(TransactionRecord)) == 6
    hand.wait(400)
    assert len(hand.all_of(TransactionRecord)) == 6


def test_a_charge_goes_on_without_the_link_and_its_record_comes_after_the_login() -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=5))
    charging(hand)
    hand.wait(10)
    hand.do(hand.pile.lost(hand.now_ms))
    sent = len(hand.sent)
    hand.wait(1200)
    assert len(hand.sent) == sent
    assert len(hand.pile.records) == 1
    hand.connect()
    record = hand.all_of(TransactionRecord)[0]
    assert record.stop_reason == 0x41
    assert record.total_kwh > Decimal("4.9")


def test_power_lost_in_a_charge_makes_a_record_of_what_was_counted() -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=20))
    charging(hand)
    hand.wait(60)
    register = hand.pile.guns[1].register
    memory = hand.pile.memory(hand.now_ms)
    again = Hand(pile=Pile(NUMBER, 1, 7, PLAIN, memory=memory), at_ms=hand.now_ms + 60_000).connect()
    record = again.all_of(TransactionRecord)[0]
    assert (record.trade_no, record.stop_reason) == (SERIAL, 0x83)
    assert record.meter_end == Decimal(register).scaleb(-4)
    assert again.pile.guns[1].register == register
    assert again.all_of(TariffCheckRequest)[0].model_no == "0007"


def test_the_clock_set_by_the_platform_stands_in_the_record() -> None:
    hand = Hand(PLAIN, guns=1)
    ahead = timedelta(minutes=7)
    hand.script.now = lambda: datetime.fromtimestamp(hand.now_ms / 1000, UTC) + ahead
    hand.connect()
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=2))
    charging(hand)
    began_ms = hand.now_ms
    record = hand.wait_for(TransactionRecord)
    assert isinstance(record.start_time, datetime)
    assert record.start_time == datetime.fromtimestamp(began_ms / 1000, UTC) + ahead


def test_frames_for_another_pile_and_garbage_are_ignored() -> None:
    hand = Hand(guns=1).connect()
    sent = len(hand.sent)
    hand.say(stop_of("55031412000099"))
    hand.do(hand.pile.received(b"\x68\x03garbage\x68", hand.now_ms))
    assert len(hand.sent) == sent


@pytest.mark.parametrize("speed", [1.0, 30.0])
def test_cars_come_charge_only_when_started_and_leave(speed: float) -> None:
    options = replace(PLAIN, arrivals_per_hour=6, speed=speed, need_kwh=(1, 2))
    hand = Hand(options, guns=1).connect()
    hand.wait(7200 / speed)
    plugs = [data.plugged for data in hand.all_of(RealtimeData)]
    changes = sum(one != two for one, two in pairwise(plugs))
    assert changes >= 4
    assert hand.all_of(TransactionRecord) == []


def test_the_register_only_grows() -> None:
    options = PileOptions(arrivals_per_hour=60, speed=5, need_kwh=(1, 2))
    hand = Hand(options, guns=1).connect()
    last = hand.pile.guns[1].register
    for count in range(40):
        hand.say(start_of(NUMBER, SERIAL[:-2] + f"{count:02d}"))
        hand.wait(15)
        assert hand.pile.guns[1].register >= last
        last = hand.pile.guns[1].register
    records = hand.all_of(TransactionRecord)
    assert len(records) > 2
    for one, two in pairwise(records):
        assert one.meter_end == two.meter_start
