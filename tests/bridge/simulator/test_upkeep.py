"""What an operator may tell a pile: money, tariff, restart, update, QR code, ground lock, clock."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bridge.protocols.ykc.codes import (
    BalanceResult,
    BayState,
    LockAction,
    LockAlarm,
    LockState,
    Outcome,
    QrKind,
    QrResult,
    RunMode,
    UpdateModel,
    UpdateStatus,
)
from bridge.protocols.ykc.messages import (
    NO_CARD,
    BalanceUpdate,
    BalanceUpdateAnswer,
    GroundLockAnswer,
    GroundLockCommand,
    GroundLockReport,
    Login,
    QrPrefix,
    QrPrefixAnswer,
    Restart,
    RestartAnswer,
    TariffModel,
    TariffPush,
    TariffPushAnswer,
    TimeSync,
    TimeSyncAnswer,
    TransactionRecord,
    Update,
    UpdateAnswer,
)
from bridge.simulator.options import PileOptions
from bridge.simulator.pile import Pile
from bridge.simulator.pile_clock import PileClock
from tests.bridge.simulator.hand import NUMBER, Hand
from tests.bridge.simulator.platform import stop_of, tariff
from tests.bridge.simulator.test_pile import PLAIN, charging


def busy(options: PileOptions = PLAIN) -> Hand:
    """A charge of 3 yuan at most is under way."""
    hand = Hand(options, guns=1).connect()
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=40))
    charging(hand, balance="3.00")
    hand.wait(20)
    return hand


@pytest.mark.parametrize(
    ("card", "result", "at_most"),
    [(NO_CARD, BalanceResult.OK, 5), ("00000000000000ff", BalanceResult.WRONG_CARD, 3)],
)
def test_a_new_balance_lets_the_running_charge_go_on(card: str, result: BalanceResult, at_most: int) -> None:
    hand = busy()
    hand.say(BalanceUpdate(pile_no=NUMBER, gun_no="01", physical_card=card, balance=Decimal("5.00")))
    answer = hand.all_of(BalanceUpdateAnswer)[-1]
    assert (answer.result, answer.physical_card) == (result, card)
    record = hand.wait_for(TransactionRecord)
    assert at_most - Decimal("0.001") < record.total_amount <= at_most


def push() -> TariffPush:
    """0x58 of another table."""
    model = tariff(NUMBER, "0009")
    return TariffPush(**{name: getattr(model, name) for name in TariffModel.plan.names})


def test_a_tariff_is_taken_only_while_nothing_charges() -> None:
    hand = busy()
    hand.say(push())
    assert hand.all_of(TariffPushAnswer)[-1].result == Outcome.FAILED
    hand.say(stop_of(NUMBER))
    hand.wait(10)
    hand.say(push())
    assert hand.all_of(TariffPushAnswer)[-1].result == Outcome.OK
    assert hand.pile.model is not None
    assert hand.pile.model.model_no == "0009"


@pytest.mark.parametrize(("mode", "at_once"), [(RunMode.AT_ONCE, True), (RunMode.WHEN_IDLE, False)])
def test_a_restart_really_ends_the_connection(mode: RunMode, at_once: bool) -> None:
    hand = busy()
    hand.say(Restart(pile_no=NUMBER, mode=mode))
    assert hand.all_of(RestartAnswer)[-1].result == Outcome.OK
    hand.wait(5)
    assert hand.hung_up == (["restart"] if at_once else [])
    if not at_once:
        hand.say(stop_of(NUMBER))
        hand.wait(5)
    assert hand.hung_up == ["restart"]
    hand.do(hand.pile.lost(hand.now_ms))
    hand.wait(5)
    hand.connect()
    assert len(hand.all_of(Login)) == 2
    assert hand.all_of(TransactionRecord)[-1].stop_reason == (0x83 if at_once else 0x40)


def update(model: UpdateModel = UpdateModel.DC) -> Update:
    """0x94."""
    return Update(
        pile_no=NUMBER,
        model=model,
        power=120,
        server="192.0.2.7",
        port=21,
        user="pile",
        password="word",
        path="/fw/EVSIM2.1.bin",
        mode=RunMode.AT_ONCE,
        timeout_min=5,
    )


def test_an_update_takes_a_while_and_the_next_login_has_its_version() -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.say(update())
    assert hand.all_of(UpdateAnswer) == []
    assert hand.wait_for(UpdateAnswer).status == UpdateStatus.OK
    hand.wait(2)
    assert hand.hung_up == ["restart"]
    hand.do(hand.pile.lost(hand.now_ms))
    hand.connect()
    assert [login.software_version for login in hand.all_of(Login)] == ["EVSIM1.0", "EVSIM2.1"]
    assert Pile(NUMBER, 1, 7, PLAIN, memory=hand.pile.memory(0)).core.software_version == "EVSIM2.1"


def test_an_update_that_does_not_fit_or_cannot_be_fetched_says_so() -> None:
    hand = Hand(PLAIN, guns=1).connect()
    hand.say(update(UpdateModel.AC))
    assert hand.all_of(UpdateAnswer)[-1].status == UpdateStatus.WRONG_MODEL
    hand.troubles.update_fails = True
    hand.say(update())
    assert hand.wait_for(UpdateAnswer).status == UpdateStatus.TIMED_OUT
    hand.wait(60)
    assert hand.hung_up == []


@pytest.mark.parametrize("done", [0, 1])
def test_the_qr_prefix_is_kept_and_confirmed_in_the_maker_s_own_code(done: int) -> None:
    hand = Hand(replace(PLAIN, qr_ok_code=done), guns=1).connect()
    hand.say(QrPrefix(pile_no=NUMBER, kind=QrKind.GUN, prefix_len=14, prefix="https://x.test"))
    assert hand.all_of(QrPrefixAnswer)[-1].result == QrResult(done)
    assert hand.pile.core.qr_prefix == "https://x.test"


def move(action: LockAction) -> GroundLockCommand:
    """0x62."""
    return GroundLockCommand(pile_no=NUMBER, gun_no=1, action=action)


def test_a_ground_lock_reports_moves_and_locks_nobody_in() -> None:
    hand = Hand(replace(PLAIN, has_ground_locks=True), guns=1).connect()
    assert hand.all_of(GroundLockReport)[-1].lock_state == LockState.RAISED
    hand.say(move(LockAction.LOWER))
    assert hand.all_of(GroundLockAnswer)[-1].result == Outcome.OK
    assert hand.wait_for(GroundLockReport, 10).lock_state == LockState.LOWERED
    hand.do(hand.pile.plug(1, hand.now_ms, need_kwh=5))
    assert hand.all_of(GroundLockReport)[-1].bay_state == BayState.OCCUPIED
    hand.say(move(LockAction.RAISE))
    assert hand.all_of(GroundLockAnswer)[-1].result == Outcome.FAILED
    hand.troubles.lock_stuck = True
    hand.do(hand.pile.unplug(1, hand.now_ms))
    stuck = hand.wait_for(GroundLockReport, 10)
    assert (stuck.bay_state, stuck.lock_state, stuck.alarm) == (
        BayState.EMPTY,
        LockState.BETWEEN,
        LockAlarm.NOT_IN_POSITION,
    )
    told = len(hand.all_of(GroundLockReport))
    hand.wait(610)
    assert len(hand.all_of(GroundLockReport)) == told + 2  # every 5 min


def test_a_wrong_clock_drifts_until_it_is_set_and_then_drifts_on() -> None:
    hand = Hand(replace(PLAIN, clock_offset_s=90, clock_drift_ppm=1000), guns=1)
    hand.wait(1000)
    assert hand.pile.core.pile_ms(hand.now_ms) - hand.now_ms == 90_000 + 1000
    hand.say(TimeSync(pile_no=NUMBER, time=datetime.fromtimestamp(hand.now_ms / 1000, UTC)))
    assert hand.pile.core.pile_ms(hand.now_ms) == hand.now_ms
    hand.wait(3600)
    assert hand.pile.core.pile_ms(hand.now_ms) - hand.now_ms == 3600


def test_0x55_tells_the_clock_after_setting() -> None:
    hand = Hand(replace(PLAIN, clock_offset_s=-500), guns=1).connect()
    told = hand.all_of(TimeSyncAnswer)[-1].time
    assert isinstance(told, datetime)
    assert abs(told - datetime.fromtimestamp(hand.now_ms / 1000, UTC)) < timedelta(seconds=1)


def test_a_clock_without_drift_is_just_off() -> None:
    clock = PileClock(5000)
    clock.begin(0)
    assert clock.at(10**9) == 10**9 + 5000
