"""Starts at the pile: by card, by VIN, without the platform, and for two guns on one car."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from hashlib import md5

import pytest

from bridge.protocols.ykc.codes import GunRole, GunState, Outcome, StartFailure, StartKind, StartMode, StartRefusal
from bridge.protocols.ykc.messages import (
    NO_CARD,
    OfflineCardClear,
    OfflineCardClearAnswer,
    OfflineCardQuery,
    OfflineCardQueryAnswer,
    OfflineCardSync,
    OfflineCardSyncAnswer,
    ParallelStartConfirmation,
    ParallelStartRequest,
    RealtimeData,
    RemoteParallelStart,
    RemoteParallelStartAnswer,
    RemoteStartAnswer,
    StartConfirmation,
    StartRequest,
    TransactionRecord,
    cleared_cards,
    gun_no,
    queried_cards,
    stored_card,
)
from bridge.simulator.battery import Battery
from bridge.simulator.drivers import cards, vins
from bridge.simulator.gun import Car, instant
from bridge.simulator.options import V15, Card, PileOptions
from tests.bridge.simulator.hand import NUMBER, SERIAL, Hand
from tests.bridge.simulator.platform import stop_of

PLAIN = PileOptions(cold_share=0, manual_stop_share=0)
CARD = Card("00000000D14B0001")
VIN = "LSVEVCS0000000001"


def confirmation(ok: bool = True, *, gun: int = 1, serial: str = SERIAL, why: int = 0) -> StartConfirmation:
    """0x32."""
    return StartConfirmation(
        trade_no=serial,
        pile_no=NUMBER,
        gun_no=gun_no(gun),
        logical_card="0000000000000007",
        balance=Decimal("30.00"),
        auth_ok=Outcome.OK if ok else Outcome.FAILED,
        fail_reason=why,
    )


def at_the_reader(card: Card | None = CARD, options: PileOptions = PLAIN) -> Hand:
    """A car is plugged and its driver has just asked."""
    hand = Hand(options, guns=2).connect()
    hand.do(hand.pile.plug(1, hand.now_ms, car=Car(Battery(60_000, 20, 90_000, 403), VIN)))
    hand.do(hand.pile.swipe((1,), card, hand.now_ms))
    return hand


def test_a_card_asks_and_charges_when_confirmed_without_a_0x33() -> None:
    hand = at_the_reader()
    asked = hand.all_of(StartRequest)[-1]
    assert (asked.start_mode, asked.need_password, asked.account_or_card) == (StartMode.CARD, 0, CARD.uid.lower())
    assert asked.vin_reversed == ""
    hand.say(confirmation())
    hand.wait(10)
    data = hand.all_of(RealtimeData)[-1]
    assert (data.state, data.trade_no) == (GunState.CHARGING, SERIAL)
    assert hand.all_of(RemoteStartAnswer) == []
    hand.say(stop_of(NUMBER))
    record = hand.wait_for(TransactionRecord)
    assert (record.trade_flag, record.physical_card) == (StartKind.CARD, CARD.uid.lower())


def test_a_car_asks_by_its_vin() -> None:
    hand = at_the_reader(None)
    asked = hand.all_of(StartRequest)[-1]
    assert (asked.start_mode, asked.account_or_card, asked.vin_reversed) == (StartMode.VIN, NO_CARD, VIN)
    assert VIN[::-1].encode() in next(raw for _, message, raw in hand.sent if message is asked)
    hand.say(confirmation())
    hand.wait(10)
    hand.say(stop_of(NUMBER))
    record = hand.wait_for(TransactionRecord)
    assert (record.trade_flag, record.vin) == (StartKind.VIN, VIN)


@pytest.mark.parametrize("is_raw", [False, True])
def test_a_password_goes_out_in_either_reading_of_the_document(is_raw: bool) -> None:
    hand = at_the_reader(Card(CARD.uid, "secret"), replace(PLAIN, sends_raw_digest=is_raw))
    asked = hand.all_of(StartRequest)[-1]
    digest = md5(b"secret", usedforsecurity=False).hexdigest()
    sent = bytes.fromhex(asked.password_md5)
    assert asked.need_password == 1
    assert (sent.hex()[8:24] if is_raw else sent.decode()) == digest[8:24]


def test_a_refused_driver_stays_plugged_and_reads_why() -> None:
    hand = at_the_reader()
    hand.say(confirmation(False, why=StartRefusal.BALANCE_TOO_LOW))
    hand.wait(120)
    assert hand.pile.guns[1].shown == "BALANCE_TOO_LOW"
    assert hand.pile.guns[1].is_plugged
    assert len(hand.all_of(StartRequest)) == 1
    assert hand.all_of(TransactionRecord) == []


def test_without_a_word_the_card_is_held_up_three_times() -> None:
    hand = at_the_reader()
    hand.wait(120)
    assert hand.times_of(StartRequest) == [0, 15, 30]
    assert hand.pile.guns[1].shown == "NO_ANSWER"
    hand.say(confirmation())  # too late: its record without energy closes it
    record = hand.wait_for(TransactionRecord)
    assert (record.trade_no, record.total_kwh) == (SERIAL, 0)
    assert hand.pile.guns[1].session is None


def test_the_balance_of_the_confirmation_limits_the_charge() -> None:
    hand = at_the_reader()
    hand.say(confirmation())
    record = hand.wait_for(TransactionRecord)
    assert record.stop_reason == 0x43
    assert Decimal("29.99") < record.total_amount <= 30


def test_pulling_the_plug_withdraws_the_question() -> None:
    hand = at_the_reader()
    hand.do(hand.pile.unplug(1, hand.now_ms))
    hand.wait(60)
    assert len(hand.all_of(StartRequest)) == 1


def synced(hand: Hand, *uids: str) -> OfflineCardSyncAnswer:
    """0x44 → 0x43."""
    entries = tuple(stored_card(f"{place:016d}", uid) for place, uid in enumerate(uids, 1))
    hand.say(OfflineCardSync(pile_no=NUMBER, count=len(entries), cards=entries))
    return hand.all_of(OfflineCardSyncAnswer)[-1]


def test_cards_are_kept_asked_for_and_forgotten() -> None:
    hand = Hand(replace(PLAIN, offline_cards=2)).connect()
    assert synced(hand, "00000000000000a1", "00000000000000a2").result == Outcome.OK
    assert synced(hand, "00000000000000a3").fail_reason == 2
    assert synced(hand, NO_CARD).fail_reason == 1
    hand.say(OfflineCardQuery(pile_no=NUMBER, count=2, cards=("00000000000000a1", "00000000000000a3")))
    known = queried_cards(hand.all_of(OfflineCardQueryAnswer)[-1].cards)
    assert [card.ok for card in known] == [True, False]
    hand.say(OfflineCardClear(pile_no=NUMBER, count=2, cards=("00000000000000a1", NO_CARD)))
    gone = cleared_cards(hand.all_of(OfflineCardClearAnswer)[-1].cards)
    assert [(card.ok, card.code) for card in gone] == [(True, 0), (False, 1)]
    assert "00000000000000a1" not in hand.pile.core.cards


def test_a_card_kept_here_charges_while_the_link_is_down_and_tells_after_the_login() -> None:
    hand = Hand(PLAIN, guns=1).connect()
    synced(hand, CARD.uid)
    hand.do(hand.pile.lost(hand.now_ms))
    hand.wait(5)
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=3))
    hand.do(hand.pile.swipe((1,), CARD, hand.now_ms))
    local = instant(hand.now_ms) + timedelta(hours=8)
    hand.wait(900)
    assert hand.all_of(TransactionRecord) == []
    hand.connect()
    record = hand.all_of(TransactionRecord)[0]
    assert record.trade_no == f"{NUMBER}01{local:%y%m%d%H%M%S}0001"
    assert (record.trade_flag, record.physical_card) == (StartKind.OFFLINE_CARD, CARD.uid.lower())
    assert record.total_kwh > Decimal("2.9")
    again = Hand(pile=hand.pile)
    assert again.pile.memory(0).cards == {CARD.uid.lower(): "0000000000000001"}


def test_a_stranger_s_card_starts_nothing_while_the_link_is_down() -> None:
    hand = Hand(PLAIN, guns=1)
    hand.connect()
    hand.do(hand.pile.lost(hand.now_ms))
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=3))
    hand.do(hand.pile.swipe((1,), CARD, hand.now_ms))
    assert hand.pile.guns[1].session is None
    assert hand.pile.guns[1].shown == "OFFLINE"


JOINT = "260302120000"
OTHER = SERIAL[:14] + "02" + SERIAL[16:]


def two_plugged(options: PileOptions = PLAIN) -> Hand:
    """One strong car on both guns."""
    hand = Hand(options, guns=2).connect()
    car = Car(Battery(100_000, 20, 200_000, 614), VIN)
    for gun in (1, 2):
        hand.do(hand.pile.plug(gun, hand.now_ms, car=car))
    return hand


def joint_start(gun: int, serial: str) -> RemoteParallelStart:
    """0xA4."""
    return RemoteParallelStart(
        trade_no=serial,
        pile_no=NUMBER,
        gun_no=gun_no(gun),
        logical_card=NO_CARD,
        physical_card=NO_CARD,
        balance=Decimal("100.00"),
        parallel_no=JOINT,
    )


def test_two_guns_start_together_and_share_what_the_car_wants() -> None:
    hand = two_plugged(replace(PLAIN, pile_w=300_000))
    hand.say(joint_start(1, SERIAL))
    hand.wait(6)
    assert hand.all_of(RemoteParallelStartAnswer) == []  # not before the other gun is asked for
    hand.say(joint_start(2, OTHER))
    hand.wait(60)
    answers = hand.all_of(RemoteParallelStartAnswer)
    assert [(answer.result, answer.gun_role, answer.parallel_no) for answer in answers] == [
        (Outcome.OK, GunRole.MAIN, JOINT),
        (Outcome.OK, GunRole.AUXILIARY, JOINT),
    ]
    powers = [hand.pile.guns[gun].power_w for gun in (1, 2)]
    assert powers[0] == powers[1]
    assert 195_000 < sum(powers) <= 200_000
    car = hand.pile.guns[1].car
    assert car is not None
    before, drawn = car.battery.soc_pct, hand.pile.guns[1].register + hand.pile.guns[2].register
    hand.wait(60)
    kwh = (hand.pile.guns[1].register + hand.pile.guns[2].register - drawn) / 10_000
    assert abs(car.battery.soc_pct - before - kwh) < 0.01  # of 100 kWh


@pytest.mark.parametrize("missing", ["plug", "frame"])
def test_if_one_gun_cannot_neither_starts(missing: str) -> None:
    hand = two_plugged()
    if missing == "plug":
        hand.do(hand.pile.unplug(2, hand.now_ms))
    hand.say(joint_start(1, SERIAL))
    if missing == "plug":
        hand.say(joint_start(2, OTHER))
    hand.wait(60)
    answers = hand.all_of(RemoteParallelStartAnswer)
    assert {answer.result for answer in answers} == {Outcome.FAILED}
    wanted = [StartFailure.NOT_PLUGGED] * 2 if missing == "plug" else [StartFailure.DEVICE_FAULT]
    assert [answer.fail_reason for answer in answers] == wanted
    assert hand.all_of(TransactionRecord) == []


def test_a_start_sequence_that_fails_fails_for_both_guns() -> None:
    hand = two_plugged()
    hand.troubles.fail_start_reason = 0x59
    hand.say(joint_start(1, SERIAL))
    hand.say(joint_start(2, OTHER))
    hand.wait(30)
    assert [answer.result for answer in hand.all_of(RemoteParallelStartAnswer)] == [Outcome.FAILED] * 2
    assert sorted(record.trade_no for record in hand.all_of(TransactionRecord)) == [SERIAL, OTHER]


def test_v15_does_not_know_the_joint_charge() -> None:
    hand = two_plugged(replace(PLAIN, protocol_version=V15))
    hand.say(joint_start(1, SERIAL))
    hand.do(hand.pile.swipe((1, 2), CARD, hand.now_ms))
    hand.wait(60)
    assert hand.all_of(RemoteParallelStartAnswer) == []
    assert hand.all_of(ParallelStartRequest) == []


def joint_confirmation(asked: ParallelStartRequest, serial: str, ok: bool = True) -> ParallelStartConfirmation:
    """0xA2."""
    return ParallelStartConfirmation(
        trade_no=serial,
        pile_no=NUMBER,
        gun_no=asked.gun_no,
        logical_card=NO_CARD,
        balance=Decimal("100.00"),
        auth_ok=Outcome.OK if ok else Outcome.FAILED,
        fail_reason=0 if ok else StartRefusal.STATION_FULL,
        parallel_no=asked.parallel_no,
    )


def test_a_card_for_two_guns_waits_for_both_confirmations() -> None:
    hand = two_plugged()
    hand.do(hand.pile.swipe((1, 2), CARD, hand.now_ms))
    one, two = hand.all_of(ParallelStartRequest)
    assert (one.gun_role, two.gun_role) == (GunRole.MAIN, GunRole.AUXILIARY)
    assert one.parallel_no == two.parallel_no == JOINT
    hand.say(joint_confirmation(one, SERIAL))
    hand.wait(8)
    assert hand.pile.guns[1].session is None
    hand.say(joint_confirmation(two, OTHER))
    hand.wait(8)
    assert [data.trade_no for data in hand.all_of(RealtimeData)][-2:] == [SERIAL, OTHER]


def test_one_refusal_calls_both_guns_off() -> None:
    hand = two_plugged()
    hand.do(hand.pile.swipe((1, 2), CARD, hand.now_ms))
    one, two = hand.all_of(ParallelStartRequest)
    hand.say(joint_confirmation(one, SERIAL))
    hand.say(joint_confirmation(two, OTHER, ok=False))
    hand.wait(60)
    assert {gun.shown for gun in hand.pile.guns.values()} == {"STATION_FULL"}
    assert {gun.session for gun in hand.pile.guns.values()} == {None}
    assert hand.all_of(TransactionRecord) == []


def test_cars_that_come_by_themselves_start_by_card_vin_and_for_two_guns() -> None:
    options = replace(
        PLAIN,
        arrivals_per_hour=20,
        cards=cards(1, 6),
        vins=vins(1, 6),
        card_share=0.6,
        vin_share=0.4,
        joint_share=0.5,
        need_kwh=(1, 2),
    )
    hand = Hand(options, guns=2)
    hand.connect()
    hand.wait(3600)
    modes = {request.start_mode for request in hand.all_of(StartRequest)}
    assert modes == {StartMode.CARD, StartMode.VIN}
    known = {card.uid.lower() for card in cards(1, 6)}
    asked = hand.all_of(StartRequest)
    assert {request.account_or_card for request in asked if request.start_mode == StartMode.CARD} <= known
    assert {request.vin_reversed for request in asked if request.start_mode == StartMode.VIN} <= set(vins(1, 6))
    assert hand.all_of(ParallelStartRequest)
