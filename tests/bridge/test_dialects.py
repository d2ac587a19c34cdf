"""How firmware departs from its protocol: CRC order, and what no table has."""

import pytest
from msgspec.structs import replace

from bridge.meters import ODD, Carrier
from bridge.protocols.base import CrcOrder
from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.framing import cut, pack
from bridge.protocols.ykc.protocol import Ykc
from evcs.contracts.config import Dialect
from evcs.contracts.states import GunState
from evcs.contracts.topics import GUN_STATE, TELEMETRY
from tests.bridge.kit import PILE, Desk, Wire, heartbeat, login, pile_config, realtime


def orders(wire: Wire) -> set[CrcOrder]:
    found = set()
    for raw in wire.frames:
        frame = cut(raw).frame
        assert frame is not None
        found.add(frame.crc_order)
    return found


@pytest.mark.parametrize(
    ("follows", "theirs", "ours"),
    [
        (False, CrcOrder.HIGH_FIRST, CrcOrder.LOW_FIRST),
        (True, CrcOrder.HIGH_FIRST, CrcOrder.HIGH_FIRST),
        (True, CrcOrder.LOW_FIRST, CrcOrder.LOW_FIRST),
    ],
)
def test_the_order_of_our_crc_is_the_models(follows: bool, theirs: CrcOrder, ours: CrcOrder) -> None:
    desk = Desk(replace(pile_config(), dialect=Dialect(answers_in_peers_crc_order=follows)))
    peer = Ykc(crc_order=theirs)
    for message in (login(), heartbeat()):
        desk.wire.raw(peer.encode(message, 1))
    assert len(desk.wire.frames) == 5
    assert orders(desk.wire) == {ours}


def test_a_model_that_is_set_right_is_answered_so_at_once() -> None:
    desk = Desk()
    peer = Ykc(crc_order=CrcOrder.HIGH_FIRST)
    desk.wire.raw(peer.encode(login(), 1))
    config = replace(desk.config, version=2, dialect=Dialect(answers_in_peers_crc_order=True))
    desk.fleet.configured(config, desk.now)
    desk.wire.frames.clear()
    desk.wire.raw(peer.encode(heartbeat(), 2))
    assert orders(desk.wire) == {CrcOrder.HIGH_FIRST}


def test_what_no_table_has_is_kept_counted_and_logged_once() -> None:
    desk = Desk().ready()
    for _ in range(3):
        desk.wire.raw(pack(0x77, 1, bytes(20)))
        desk.wire.say(realtime(1, 9, plugged=1))
    assert desk.tally.odd == {"0x77": 3, "0x13 state": 3}
    odd = [dict(note.fields)["what"] for note in desk.notes if note.event == "not_in_the_tables"]
    assert sorted(odd) == ["0x13 state", "0x77"]
    assert len(desk.of(TELEMETRY, 1)) == 3  # the frame counts all the same
    assert desk.of(GUN_STATE, 1) == []
    assert desk.pile.guns[1].gun.shown.state is GunState.PLUGGED


def test_it_stands_in_the_metrics_by_name() -> None:
    desk = Desk().ready()
    desk.wire.raw(pack(0x79, 1, bytes(20)))
    Carrier(desk.tally).carry()
    assert ODD.labels("0x79")._value.get() == 1


def test_each_pile_says_it_for_itself() -> None:
    other = "55031412000002"
    desk = Desk().ready()
    desk.fleet.configured(pile_config(other), desk.now)
    wire = Wire(desk)
    wire.say(login(other))
    for one in (desk.wire, wire):
        one.raw(pack(0x77, 1, bytes(20)))
    assert [note.event for note in desk.notes].count("not_in_the_tables") == 2


def test_a_code_of_an_answer_that_nobody_knows_is_a_refusal_with_its_number() -> None:
    desk = Desk().ready()
    desk.wire.say(ykc.RestartAnswer(pile_no=PILE, result=7))
    assert desk.tally.odd == {"0x91 result": 1}
