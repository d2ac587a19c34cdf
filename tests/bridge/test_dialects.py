"""How firmware departs from its protocol: CRC order, and what no table has."""

from dataclasses import replace as changed
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from bridge.meters import ODD, Carrier
from bridge.protocols.base import CrcOrder
from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.framing import cut, pack
from bridge.protocols.ykc.protocol import Ykc
from bridge.protocols.ykc.translate import YkcDialect
from evcs.contracts.config import Dialect
from evcs.contracts.states import GunState
from evcs.contracts.topics import GUN_STATE, RECORD, TELEMETRY
from tests.bridge.kit import PILE, Desk, Wire, heartbeat, login, pile_config, realtime, record


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


CARD = "00000000d14b0a54"
OTHER = "00000000d14b0a55"
PRINTED = "0000001000000573"
STARTS: dict[str, Any] = {"pile_no": PILE, "gun_no": "01", "start_mode": 1, "need_password": 1}
ASKS: dict[str, Any] = STARTS | {"account_or_card": CARD, "password_md5": "31" * 16, "vin_reversed": ""}
TOLD: dict[str, Any] = {"trade_no": "1" * 32, "pile_no": PILE, "gun_no": "01", "logical_card": PRINTED}
NAMING_CARDS: list[ykc.YkcMessage] = [
    changed(record(), physical_card=CARD),
    ykc.StartRequest(**ASKS),
    ykc.StartConfirmation(**TOLD, balance=Decimal(5), auth_ok=1, fail_reason=0),
    ykc.RemoteStart(**TOLD, physical_card=CARD, balance=Decimal(5)),
    ykc.ParallelStartRequest(**ASKS, gun_role=0, parallel_no="261124120000"),
    ykc.OfflineCardSync(pile_no=PILE, count=2, cards=(PRINTED + CARD, PRINTED + OTHER)),
    ykc.OfflineCardClear(pile_no=PILE, count=2, cards=(CARD, OTHER)),
    ykc.OfflineCardClearAnswer(pile_no=PILE, cards=(CARD + "0100", OTHER + "0001")),
    ykc.OfflineCardQuery(pile_no=PILE, count=2, cards=(CARD, OTHER)),
    ykc.OfflineCardQueryAnswer(pile_no=PILE, cards=(CARD + "01", OTHER + "00")),
]


@pytest.mark.parametrize("message", NAMING_CARDS, ids=lambda message: type(message).__name__)
def test_a_log_has_no_number_of_a_card(message: ykc.YkcMessage) -> None:
    raw = Ykc().encode(message, 1)
    shown = YkcDialect().for_log(raw)
    assert any(number in raw.hex() for number in (CARD, PRINTED))
    assert not any(number in shown.hex() for number in (CARD, OTHER, PRINTED))
    assert len(shown) == len(raw)
    assert shown[: 6 + 7] == raw[: 6 + 7]  # what is no card is as it came
    assert shown[-2:] == raw[-2:]


@pytest.mark.parametrize("code", range(256))
@pytest.mark.parametrize("size", [0, 1, 30, 150])
def test_whatever_a_log_is_given_keeps_its_length(code: int, size: int) -> None:
    raw = pack(code, 1, b"\x11" * size)
    for piece in (raw, raw[:7], raw[:3]):
        assert len(YkcDialect().for_log(piece)) == len(piece)


def test_a_record_with_an_unknown_code_is_logged_without_its_card_and_published_with_it() -> None:
    desk = Desk().ready()
    desk.wire.say(changed(record(), physical_card=CARD, trade_flag=0x77))
    [logged] = [dict(note.fields)["frame"] for note in desk.notes if note.event == "not_in_the_tables"]
    assert CARD not in str(logged)
    assert CARD in desk.of(RECORD, 1)[0].frame_hex
