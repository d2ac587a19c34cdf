"""Same seed, same commands, same times: the same bytes, whatever goes wrong; another seed says something else."""

from bridge.protocols.ykc.messages import (
    NO_CARD,
    ChargeHandshake,
    StartRequest,
    TransactionRecord,
)
from bridge.simulator.drivers import cards, vins
from bridge.simulator.nature import Mix, of_the_fleet
from bridge.simulator.options import PileOptions
from bridge.simulator.troubles import Trouble
from tests.bridge.simulator.hand import NUMBER, Hand
from tests.bridge.simulator.platform import cap_of, start_of, stop_of
from tests.bridge.simulator.test_cards import confirmation, joint_start

OPTIONS = PileOptions(
    arrivals_per_hour=30,
    speed=4,
    need_kwh=(2, 6),
    cards=cards(1, 6),
    vins=vins(1, 6),
    card_share=0.3,
    vin_share=0.2,
    joint_share=0.3,
    has_ground_locks=True,
)
MIX = Mix(v15=0.2, high_first=0.3, own_echo=0.2, swapped_echo=0.2, five_bands=0.3, clock_error_s=90, clock_drift_ppm=80)
CALM = {Trouble.WRONG_LOGIN, Trouble.HALF_OPEN}
"""Not here: the script would have to wait for their ends."""


def conversation(seed: int) -> Hand:
    """A scripted afternoon: cars by app, card and VIN, joint starts, caps, stops, lost links, and every trouble."""
    hand = Hand(of_the_fleet(OPTIONS, MIX, NUMBER, 2, seed), guns=2, seed=seed)
    hand.troubles.chances = {trouble: 0.1 for trouble in Trouble if trouble not in CALM}
    hand.connect()
    answered = 0
    for turn in range(30):
        hand.wait(31)
        asked = hand.all_of(StartRequest)
        for request in asked[answered:]:
            serial = f"{NUMBER}{request.gun_no}2603021200{turn:02d}0001"
            hand.say(confirmation(turn % 3 > 0, gun=int(request.gun_no), serial=serial, why=3))
        answered = len(asked)
        for gun in (1, 2):
            serial = f"{NUMBER}{gun:02d}2603021300{turn:02d}0001"
            hand.say(joint_start(gun, serial) if turn % 5 == 0 else start_of(NUMBER, serial, gun))
        hand.say(cap_of(NUMBER, 40 + turn))
        if turn % 4 == 3:
            hand.say(stop_of(NUMBER, 1 + turn % 2))
        if hand.hung_up or turn == 17:
            hand.hung_up.clear()
            hand.do(hand.pile.lost(hand.now_ms))
            hand.wait(13)
            hand.connect()
    return hand


def test_same_seed_same_bytes_and_another_seed_others() -> None:
    one, again, other = conversation(7), conversation(7), conversation(8)
    assert one.sent == again.sent
    assert one.troubles.happened == again.troubles.happened
    assert len(one.troubles.happened) > 15
    assert one.all_of(ChargeHandshake)
    assert one.all_of(StartRequest)
    assert one.all_of(TransactionRecord) or other.all_of(TransactionRecord)
    assert [raw for *_, raw in one.sent] != [raw for *_, raw in other.sent]
    assert NO_CARD not in {request.account_or_card for request in one.all_of(StartRequest) if request.start_mode == 1}
