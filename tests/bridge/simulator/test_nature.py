"""What a fleet is mixed of, and how each trait shows on the wire."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest

from bridge.protocols.base import CrcOrder
from bridge.protocols.ykc.codes import GunState, Outcome, PileType
from bridge.protocols.ykc.framing import YkcSplitter, pack
from bridge.protocols.ykc.messages import (
    NO_TEMPERATURE,
    BmsAbort,
    BmsDemand,
    BmsInformation,
    ChargeEnd,
    ChargeHandshake,
    ChargeParameters,
    ChargerAbort,
    FiveBandRecord,
    Heartbeat,
    Login,
    RealtimeData,
    RemoteStartAnswer,
    TariffCheckRequest,
    TransactionRecord,
    WorkParametersAnswer,
)
from bridge.simulator.nature import Mix, of_the_fleet
from bridge.simulator.options import V15, V16, Echo, PileOptions
from tests.bridge.simulator.hand import NUMBER, SERIAL, Hand
from tests.bridge.simulator.platform import cap_of, start_of, stop_of
from tests.bridge.simulator.test_pile import PLAIN, charging


def test_shares_are_met_over_a_fleet_and_the_seed_decides() -> None:
    mix = Mix(v15=0.3, high_first=0.2, own_echo=0.1, swapped_echo=0.1, ac=0.25, clock_error_s=60, clock_drift_ppm=50)

    def fleet(seed: int) -> list[PileOptions]:
        return [of_the_fleet(PLAIN, mix, f"{number:014d}", 2, seed) for number in range(2000)]

    piles = fleet(1)
    assert piles == fleet(1)
    assert piles != fleet(2)
    versions = Counter(pile.protocol_version for pile in piles)
    assert 500 < versions[V15] < 700
    assert 340 < sum(pile.crc_order is CrcOrder.HIGH_FIRST for pile in piles) < 460
    assert {pile.echo for pile in piles} == set(Echo)
    assert {pile.gun_w for pile in piles if pile.is_ac} == {7_000}
    assert -60 <= min(pile.clock_offset_s for pile in piles) < -50
    assert 45 < max(pile.clock_drift_ppm for pile in piles) <= 50


def test_one_share_moves_no_other_trait() -> None:
    one, two = (of_the_fleet(PLAIN, Mix(v15=share, high_first=0.5), NUMBER, 2, 1) for share in (0.0, 1.0))
    assert replace(one, protocol_version=V15) == two


def test_a_dc_start_says_everything_in_a_row_and_each_report_has_its_bms_frames() -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=40))
    charging(hand)
    together = [type(message) for at, message, _ in hand.sent if at == hand.now_ms]
    wanted = [RemoteStartAnswer, ChargeHandshake, ChargeParameters, RealtimeData, BmsDemand, BmsInformation]
    assert together[-6:] == wanted
    car = hand.pile.guns[1].car
    assert car is not None
    assert hand.all_of(ChargeHandshake)[0].vin == car.vin
    hand.wait(61)
    charging_data = [data for data in hand.all_of(RealtimeData) if data.state == GunState.CHARGING]
    assert len(charging_data) == len(hand.all_of(BmsDemand)) == len(hand.all_of(BmsInformation)) == 5
    demand, data = hand.all_of(BmsDemand)[-1], charging_data[-1]
    assert (demand.trade_no, demand.pile_v, -demand.pile_i) == (SERIAL, data.voltage, data.current)
    assert demand.need_i < 0  # as on the CAN bus
    hand.say(stop_of(NUMBER))
    hand.wait(1.5)
    last = [type(message) for at, message, _ in hand.sent if at == hand.now_ms]
    assert last == [ChargeEnd, BmsAbort, ChargerAbort, RealtimeData]


def test_the_sign_of_the_demand_can_be_the_other_one() -> None:
    hand = Hand(replace(PLAIN, is_demand_negative=False), guns=1).connect()
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=40))
    charging(hand)
    assert hand.all_of(BmsDemand)[-1].need_i > 0


def test_an_ac_pile_has_no_bms_and_no_battery_to_tell_of() -> None:
    hand = Hand(replace(PLAIN, is_ac=True, gun_w=7_000, pile_w=14_000), guns=2).connect()
    assert hand.all_of(Login)[0].pile_type == PileType.AC
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=10))
    charging(hand)
    hand.wait(60)
    data = hand.all_of(RealtimeData)[-1]
    assert (data.voltage, data.soc, data.battery_temp_max, data.remain_min) == (220, 0, NO_TEMPERATURE, 0)
    assert Decimal("31.5") < data.current < Decimal("31.9")
    hand.say(stop_of(NUMBER))
    hand.wait_for(TransactionRecord)
    bms = (ChargeHandshake, ChargeParameters, BmsDemand, BmsInformation, ChargeEnd, BmsAbort, ChargerAbort)
    assert not any(isinstance(message, bms) for _, message, _ in hand.sent)


def test_a_record_of_five_bands_counts_deep_valley_where_the_tariff_has_it() -> None:
    hand = Hand(replace(PLAIN, has_five_bands=True), guns=1)
    hand.script.slots = (4,) * 48
    hand.connect()
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=2))
    charging(hand)
    record = hand.wait_for(FiveBandRecord)
    raw = next(raw for _, message, raw in hand.sent if message is record)
    assert raw[1] == 0xB2
    assert record.deep_kwh == record.total_kwh > Decimal("1.9")
    assert record.deep_price == record.valley_price
    assert hand.pile.memory(0).records == ()


def test_a_record_of_five_bands_survives_the_loss_of_power() -> None:
    hand = Hand(replace(PLAIN, has_five_bands=True), guns=1).connect()
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=20))
    charging(hand)
    hand.wait(30)
    again = Hand(replace(PLAIN, has_five_bands=True), memory=hand.pile.memory(hand.now_ms)).connect()
    assert again.all_of(FiveBandRecord)[0].trade_no == SERIAL


@pytest.mark.parametrize("order", list(CrcOrder))
def test_every_frame_has_the_pile_s_crc_order(order: CrcOrder) -> None:
    hand = Hand(replace(PLAIN, crc_order=order), guns=1).connect()
    splitter = YkcSplitter()
    frames = [frame for _, _, raw in hand.sent for frame in splitter.feed(raw)]
    assert {frame.crc_order for frame in frames} == {order}
    assert hand.pile.logged_in  # the script answers low byte first


def test_a_strict_pile_hears_only_its_own_crc_order() -> None:
    hand = Hand(replace(PLAIN, is_strict_on_crc=True), guns=1).connect()
    seen = len(hand.all_of(RemoteStartAnswer))
    start = start_of(NUMBER, SERIAL)
    hand.do(hand.pile.received(pack(start.code, 1, start.encode(), crc_order=CrcOrder.HIGH_FIRST), hand.now_ms))
    assert len(hand.all_of(RemoteStartAnswer)) == seen
    hand.say(start)
    assert len(hand.all_of(RemoteStartAnswer)) == seen + 1


@pytest.mark.parametrize("echo", list(Echo))
def test_sequence_numbers_are_echoed_by_habit(echo: Echo) -> None:
    hand = Hand(replace(PLAIN, echo=echo), guns=1).connect()
    hand.say(cap_of(NUMBER, 50))
    message, raw = hand.sent[-1][1:]
    assert isinstance(message, WorkParametersAnswer)
    assert message.result == Outcome.OK
    asked = (0x4001).to_bytes(2, "little")
    assert (raw[2:4] == asked) == (echo is Echo.FAITHFUL)
    assert (raw[2:4] == asked[::-1]) == (echo is Echo.SWAPPED)


def test_both_generations_say_which_they_are() -> None:
    for version in (V15, V16):
        hand = Hand(replace(PLAIN, protocol_version=version), guns=1).connect()
        assert hand.all_of(Login)[0].protocol_version == version


def test_the_tariff_that_it_holds_is_compared_at_each_login() -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.do(hand.pile.lost(hand.now_ms))
    hand.wait(5)
    hand.connect()
    assert [check.model_no for check in hand.all_of(TariffCheckRequest)] == ["0000", "0007"]
    assert hand.all_of(Heartbeat)
