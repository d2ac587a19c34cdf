"""What goes wrong: each trouble does what it says, on its switch or by its chance, and nothing else."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise

import pytest

from bridge.protocols.base import CrcOrder, Dropped, Frame
from bridge.protocols.ykc.codes import GunState, RecordResult
from bridge.protocols.ykc.framing import YkcSplitter
from bridge.protocols.ykc.messages import (
    BmsAbort,
    ChargeEnd,
    ChargeError,
    ChargerAbort,
    Heartbeat,
    Login,
    RealtimeData,
    RemoteStartAnswer,
    RemoteStopAnswer,
    TransactionRecord,
    band_lines,
)
from bridge.simulator.actions import HangUp
from bridge.simulator.options import PileOptions
from bridge.simulator.troubles import MID_CHARGE, UNSETTLING, Trouble, Troubles, chances
from tests.bridge.simulator.hand import NUMBER, SERIAL, Hand
from tests.bridge.simulator.platform import read_of, start_of, stop_of
from tests.bridge.simulator.test_pile import PLAIN, charging


def charged(hand: Hand, serial: str = SERIAL) -> TransactionRecord:
    """A short charge, and the record that it left at the pile."""
    if not hand.pile.guns[1].is_plugged:
        hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=40))
    charging(hand, serial)
    hand.wait(120)
    hand.say(stop_of(NUMBER))
    hand.wait(2)
    record = next(entry.record for entry in hand.pile.records if entry.record.trade_no == serial)
    assert isinstance(record, TransactionRecord)
    return record


def test_words_become_chances() -> None:
    assert chances("drop=0.1, fault=1") == {Trouble.DROP: 0.1, Trouble.FAULT: 1}
    every = chances("all=0.01,drop=0.5")
    assert every[Trouble.DROP] == 0.5
    assert set(every) == set(Trouble) - UNSETTLING


@pytest.mark.parametrize("text", ["drop", "drop=2", "dorp=0.1", "drop=often"])
def test_wrong_words_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text.partition("=")[0]):
        chances(text)


def test_every_trouble_has_a_switch_and_a_chance_and_is_counted() -> None:
    for trouble in Trouble:
        by_switch, by_chance = Troubles(), Troubles(chances={trouble: 1.0})
        assert not by_switch.happens(trouble)
        setattr(by_switch, trouble, True)
        assert by_switch.happens(trouble)
        assert by_chance.happens(trouble)
        assert by_chance.happened[trouble] == 1


@pytest.mark.parametrize(
    ("trouble", "dropped", "order"),
    [
        (Trouble.BAD_CRC, Dropped.CRC, None),
        (Trouble.WRONG_LENGTH, Dropped.CRC, None),
        (Trouble.NOISE, Dropped.NOISE, CrcOrder.LOW_FIRST),
        (Trouble.SWAPPED_CRC, None, CrcOrder.HIGH_FIRST),
    ],
)
def test_frames_are_damaged_as_named(trouble: Trouble, dropped: Dropped | None, order: CrcOrder | None) -> None:
    hand = Hand(PLAIN, guns=1).connect()
    setattr(hand.troubles, trouble, True)
    hand.wait(300)
    hand.say(read_of(NUMBER))
    raws = [raw for at, _, raw in hand.sent if at > hand.sent[0][0]]
    assert raws
    found: list[Frame] = []
    reasons = set()
    for raw in raws:
        splitter = YkcSplitter()
        found += splitter.feed(raw + bytes(300))
        reasons |= set(splitter.dropped_pieces)
    if order is None:
        assert found == []
    else:
        assert {frame.crc_order for frame in found} == {order}
    if dropped is not None:
        assert dropped in reasons


def test_frames_under_a_wrong_number_but_never_the_login() -> None:
    hand = Hand(PLAIN, guns=1)
    hand.troubles.wrong_pile = True
    hand.connect()
    hand.wait(30)
    assert {login.pile_no for login in hand.all_of(Login)} == {NUMBER}
    assert {beat.pile_no for beat in hand.all_of(Heartbeat)} == {NUMBER[:-4] + "9999"}


def test_a_login_under_a_number_that_nobody_knows() -> None:
    hand = Hand(PLAIN, guns=1)
    hand.script.refuse_login = hand.troubles.wrong_login = True
    hand.connect()
    assert hand.all_of(Login)[-1].pile_no == NUMBER[:-4] + "9999"
    hand.script.refuse_login = hand.troubles.wrong_login = False
    hand.wait(31)
    assert hand.pile.logged_in


def in_a_charge(options: PileOptions = PLAIN) -> Hand:
    """Current flows."""
    hand = Hand(options, guns=1).connect()
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=40))
    charging(hand)
    hand.wait(60)
    return hand


def befall(hand: Hand, trouble: Trouble) -> list[HangUp]:
    """Let it happen; how the pile hung up."""
    actions = hand.pile.befall(trouble, 1, hand.now_ms)
    hand.do(actions)
    return [action for action in actions if isinstance(action, HangUp)]


def test_a_dropped_link_is_a_plain_hang_up_and_the_charge_goes_on() -> None:
    hand = in_a_charge()
    assert befall(hand, Trouble.DROP) == [HangUp("dropped")]
    hand.do(hand.pile.lost(hand.now_ms))
    hand.wait(5)
    hand.connect()
    assert hand.all_of(RealtimeData)[-1].trade_no == SERIAL


def test_a_pile_that_vanishes_says_nothing_and_goes_on_charging_for_minutes() -> None:
    hand = in_a_charge()
    (gone,) = befall(hand, Trouble.VANISH)
    assert gone.silent
    assert 120 <= gone.wait_s <= 900
    said, register = len(hand.sent), hand.pile.guns[1].register
    hand.do(hand.pile.lost(hand.now_ms))
    hand.wait(100)
    assert len(hand.sent) == said
    assert hand.pile.guns[1].register > register


def test_a_half_open_link_is_given_up_after_three_heartbeats() -> None:
    hand = in_a_charge()
    assert befall(hand, Trouble.HALF_OPEN) == []
    said = len(hand.sent)
    hand.say(stop_of(NUMBER))  # never heard
    hand.wait(45)
    assert len(hand.sent) == said
    assert hand.hung_up[-1] == "heartbeat_unanswered"
    assert hand.pile.guns[1].is_drawing


def test_power_lost_in_a_charge_leaves_a_record_for_the_next_login() -> None:
    hand = in_a_charge()
    (gone,) = befall(hand, Trouble.POWER_LOSS)
    assert gone.silent
    said, register = len(hand.sent), hand.pile.guns[1].register
    hand.do(hand.pile.lost(hand.now_ms))
    hand.wait(60)
    assert (len(hand.sent), hand.pile.guns[1].register) == (said, register)
    hand.connect()
    record = hand.all_of(TransactionRecord)[0]
    assert (record.stop_reason, record.meter_end) == (0x83, Decimal(register).scaleb(-4))


def test_a_silent_bms_ends_the_charge_with_0x1b() -> None:
    hand = in_a_charge()
    said = len(hand.sent)
    befall(hand, Trouble.BMS_ERROR)
    kinds = [type(message) for _, message, _ in hand.sent[said:]]
    assert kinds[:5] == [ChargeEnd, ChargeError, BmsAbort, ChargerAbort, RealtimeData]
    assert hand.all_of(ChargeError)[-1].err7
    assert hand.wait_for(TransactionRecord).stop_reason in (0x84, 0x85, 0x87)


@pytest.mark.parametrize("base", [0, 1])
def test_a_hardware_fault_shows_its_bit_by_the_model_s_counting_and_is_repaired(base: int) -> None:
    hand = in_a_charge(replace(PLAIN, fault_bit_base=base))
    befall(hand, Trouble.FAULT)
    data = hand.all_of(RealtimeData)[-1]
    assert data.state == GunState.FAULT
    known = {1, 2, 3, 4, 7, 11, 12, 13}
    assert data.fault_bits in {1 << (bit - 1 + base) for bit in known}
    assert hand.wait_for(TransactionRecord).stop_reason >= 0x6A
    hand.wait(601)
    assert hand.all_of(RealtimeData)[-1].fault_bits == 0


def test_mishaps_come_by_chance_within_the_first_minutes_of_a_charge() -> None:
    hand = Hand(PLAIN, guns=1)
    hand.troubles.chances = {Trouble.BMS_ERROR: 1.0}
    hand.connect()
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=40))
    began = charging(hand)
    assert began.trade_no == SERIAL
    at = hand.now_ms
    hand.wait_for(ChargeError)
    assert 5 <= (hand.now_ms - at) / 1000 <= 121


def test_a_start_that_fails_by_chance_ends_in_a_start_reason() -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.troubles.start_fails = True
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=5))
    hand.say(start_of(NUMBER, SERIAL))
    assert 0x4A <= hand.wait_for(TransactionRecord).stop_reason <= 0x69


def test_slow_answers_come_5_to_40_s_late() -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.troubles.slow_answers = True
    hand.say(stop_of(NUMBER))
    at = hand.now_ms
    hand.wait_for(RemoteStopAnswer)
    assert 5 <= (hand.now_ms - at) / 1000 <= 41


def sums_fit(record: TransactionRecord) -> bool:
    """Bands, totals and registers say the same."""
    lines = band_lines(record)
    return (
        sum(line.kwh for line in lines) == record.total_kwh == record.meter_end - record.meter_start
        and sum(line.amount for line in lines) == record.total_amount
    )


def test_wrong_records_are_wrong_as_named() -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.script.confirm = None
    sound = charged(hand)
    assert sums_fit(sound)
    hand.troubles.record_sums = True
    sums = charged(hand, SERIAL[:-1] + "2")
    hand.troubles.record_sums, hand.troubles.record_tiers = False, True
    tiers = charged(hand, SERIAL[:-1] + "3")
    hand.troubles.record_tiers, hand.troubles.record_times = False, True
    times = charged(hand, SERIAL[:-1] + "4")
    assert not sums_fit(sums)
    assert sums_fit(tiers)
    assert (sound.flat_kwh > 0, tiers.flat_kwh, tiers.valley_kwh > 0) == (True, 0, True)  # the script's day is flat
    assert isinstance(times.end_time, datetime)
    assert isinstance(times.start_time, datetime)
    assert times.end_time < times.start_time


def test_another_record_under_a_confirmed_number() -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.troubles.record_changed = True
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=2))
    charging(hand)
    first = hand.wait_for(TransactionRecord)
    hand.troubles.record_changed = False
    hand.wait(60)
    second = hand.all_of(TransactionRecord)[-1]
    assert second.trade_no == first.trade_no
    assert second.total_kwh == first.total_kwh + 1
    assert sums_fit(second)


def test_a_late_record_comes_hours_after_the_end_whatever_logs_in_meanwhile() -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.troubles.record_late = True
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=2))
    charging(hand)
    hand.wait(1200)
    hand.do(hand.pile.lost(hand.now_ms))
    hand.wait(10)
    hand.connect()
    assert hand.all_of(TransactionRecord) == []
    ended = hand.now_ms
    hand.wait_for(TransactionRecord, 7 * 3600)
    assert (hand.now_ms - ended) / 3_600_000 > 0.5


def test_a_reordered_record_comes_behind_that_of_the_next_charge() -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.script.confirm = None
    hand.troubles.record_reordered = True
    charged(hand)
    hand.troubles.record_reordered = False
    charged(hand, SERIAL[:-1] + "2")
    hand.script.confirm = RecordResult.STORED
    hand.wait(5)
    assert [record.trade_no[-1] for record in hand.all_of(TransactionRecord)] == ["2", "1"]


def test_a_confirmation_that_is_not_understood_is_asked_for_again() -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.troubles.ignore_confirmation = True
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=2))
    charging(hand)
    hand.wait_for(TransactionRecord)
    hand.wait(400)
    assert hand.times_of(TransactionRecord) == [0, 30, 60, 90, 300]


def test_a_trouble_changes_no_other_fortune() -> None:
    def cars(hand: Hand) -> list[tuple[int, int]]:
        hand.connect()
        hand.wait(3000)
        return [(at, data.plugged) for at, data, _ in hand.sent if isinstance(data, RealtimeData)]

    options = replace(PLAIN, arrivals_per_hour=20)
    plain, troubled = Hand(options, guns=2), Hand(options, guns=2)
    troubled.troubles.chances = {Trouble.NOISE: 0.5, Trouble.SWAPPED_CRC: 0.5}
    assert cars(plain) == cars(troubled)
    assert [raw for *_, raw in plain.sent] != [raw for *_, raw in troubled.sent]


def test_every_mid_charge_trouble_can_be_survived_again_and_again() -> None:
    hand = Hand(replace(PLAIN, arrivals_per_hour=60, speed=10, need_kwh=(1, 2)), guns=2).connect()
    hand.troubles.chances = dict.fromkeys(MID_CHARGE, 0.5)
    for count in range(60):
        for gun in (1, 2):
            hand.say(start_of(NUMBER, f"{NUMBER}{gun:02d}260302{count:06d}0001", gun))
        for _ in range(4):
            hand.wait(10)
            if hand.hung_up:
                hand.hung_up.clear()
                hand.do(hand.pile.lost(hand.now_ms))
                hand.wait(3)
                hand.connect()
    records = hand.all_of(TransactionRecord)
    assert len({record.trade_no for record in records}) > 20
    assert set(hand.troubles.happened) >= set(MID_CHARGE)
    assert all(later.meter_end >= one.meter_end for one, later in pairwise(r for r in records if r.gun_no == "01"))
    assert hand.all_of(RemoteStartAnswer)
