"""One connection: what is listened to before and after its login, and when it is given up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.framing import pack
from bridge.protocols.ykc.protocol import Ykc
from evcs.contracts.gun import MarkReason
from evcs.contracts.pile import PileEventKind
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GunState
from evcs.contracts.topics import GUN_STATE, METER, PILE_EVENT, PILE_STATUS, TELEMETRY, UNKNOWN_PILE
from evcs.contracts.waits import LOGIN_S, SILENT_LINK_S
from tests.bridge.kit import (
    PILE,
    SERIAL,
    Desk,
    Wire,
    charging,
    heartbeat,
    login,
    pile_config,
    realtime,
    record,
)

OTHER = "55031412000002"


def test_a_login_is_answered_set_right_and_shown() -> None:
    desk = Desk()
    desk.wire.say(login(), b"\x71\xad")
    assert [type(message) for message in desk.wire.sent] == [
        ykc.LoginAnswer,
        ykc.TimeSync,
        ykc.ReadRealtime,
        ykc.ReadRealtime,
    ]
    assert desk.wire.frames[0][2:4] == b"\x71\xad"  # the raw bytes of the request
    assert [frame[2:4] for frame in desk.wire.frames[1:]] == [b"\x00\x00", b"\x01\x00", b"\x02\x00"]
    status = desk.last(PILE_STATUS)
    assert (status.online, status.link, status.protocol) == (True, desk.pile.link, "ykc1.6")
    assert [level.state for level in desk.of(GUN_STATE)] == [GunState.OFFLINE, GunState.OFFLINE]


def test_a_heartbeat_is_answered_with_its_own_gun() -> None:
    desk = Desk().ready()
    desk.wire.say(heartbeat(gun=7))
    assert desk.wire.sent == [ykc.HeartbeatAnswer(pile_no=PILE, gun_no="07", ack=0)]


def test_who_has_not_logged_in_is_closed_in_time() -> None:
    desk = Desk()
    desk.wait(LOGIN_S - 1)
    assert desk.wire.closed is None
    desk.wait(2)
    assert desk.wire.closed == "login_timeout"


@pytest.mark.parametrize("first", [heartbeat(), realtime(), record()])
def test_whoever_begins_with_something_else_is_closed_unheard(first: ykc.YkcMessage) -> None:
    desk = Desk()
    desk.wire.say(first)
    assert desk.wire.closed == "not_a_login"
    assert desk.published == []
    assert desk.wire.sent == []


def test_noise_before_the_login_is_skipped() -> None:
    desk = Desk()
    desk.wire.raw(b"\x00\xff\x68\x01" + Ykc().encode(login(), 0))
    assert desk.wire.link.is_logged_in


@pytest.mark.parametrize(
    ("message", "address", "reason"),
    [
        (login(OTHER), "127.0.0.1", None),
        (login(guns=1), "127.0.0.1", Reason.GUN_COUNT_DIFFERS),
        (login(), "8.8.8.8", Reason.NETWORK_NOT_ALLOWED),
    ],
)
def test_a_refused_login_is_answered_closed_and_told_once(
    message: ykc.Login, address: str, reason: Reason | None
) -> None:
    desk = Desk()
    for _ in range(2):
        wire = Wire(desk, address)
        wire.say(message)
        assert wire.sent == [ykc.LoginAnswer(pile_no=message.pile_no, result=1)]
        assert wire.closed == "login_refused"
    if reason is None:
        assert [unknown.number for unknown in desk.of(UNKNOWN_PILE)] == [OTHER]
    else:
        events = desk.of(PILE_EVENT)
        assert [(event.kind, event.reason) for event in events] == [(PileEventKind.LOGIN_REFUSED, reason)]


def test_a_silent_pile_is_offline_after_three_heartbeats() -> None:
    desk = Desk().ready()
    desk.wire.say(charging())
    desk.forget_all()
    desk.wait(SILENT_LINK_S - 1)
    assert desk.wire.closed is None
    desk.wait(2)
    assert desk.wire.closed == "silent"
    assert not desk.last(PILE_STATUS).online
    assert [(level.state, level.serial) for level in desk.of(GUN_STATE, 1)] == [(GunState.OFFLINE, SERIAL)]
    assert [mark.why for mark in desk.of(METER)] == [MarkReason.LINK_LOST]


def test_bytes_that_are_no_frames_keep_no_link_alive() -> None:
    desk = Desk().ready()
    for _ in range(40):
        desk.wire.raw(b"\x68")
        desk.wait(1)
    assert desk.wire.closed == "silent"


def test_frames_that_change_nothing_but_a_counter() -> None:
    desk = Desk().ready()
    # The CRC's end is wrong, and nothing behind its start byte looks like another one.
    good = Ykc().encode(heartbeat(), 1)
    desk.wire.raw(good[:-1] + bytes((good[-1] ^ 1,)))
    desk.wire.say(heartbeat(OTHER))
    desk.wire.raw(pack(0x77, 1, bytes(20)))
    desk.wire.raw(pack(0x34, 1, bytes(44)))
    desk.wire.raw(pack(0x13, 1, bytes(10)))
    desk.wire.say(realtime(9))
    desk.wire.say(ykc.WorkParametersAnswer(pile_no=PILE, result=1))
    assert desk.tally.dropped == {
        "crc": 1,
        "foreign_pile": 1,
        "unknown_type": 2,
        "bad_body": 1,
        "unknown_gun": 1,
        "unexpected": 1,
    }
    assert (desk.published, desk.wire.sent, desk.wire.closed) == ([], [], None)


def test_a_stray_start_byte_hides_nothing_for_long() -> None:
    desk = Desk().ready()
    desk.wire.raw(b"\x68\xf0" + Ykc().encode(heartbeat(), 1))
    assert desk.wire.sent == []
    desk.wait(6)
    assert desk.wire.told(ykc.HeartbeatAnswer)


def test_a_second_login_on_a_live_connection_is_a_fresh_one() -> None:
    desk = Desk().ready()
    first = desk.pile.link
    desk.wire.say(login())
    assert desk.pile.link not in ("", first)
    assert [status.online for status in desk.of(PILE_STATUS)] == [True]
    assert desk.wire.closed is None
    desk.wire.say(login(OTHER))
    assert desk.wire.closed == "login_refused"
    assert not desk.last(PILE_STATUS).online


def test_a_newer_connection_takes_the_pile_over() -> None:
    desk = Desk().ready()
    old, desk.wire = desk.wire, Wire(desk)
    desk.wire.say(login())
    assert old.closed == "replaced"
    assert [event.kind for event in desk.of(PILE_EVENT)] == [PileEventKind.CONNECTION_REPLACED]
    assert [status.online for status in desk.of(PILE_STATUS)] == [True]
    old.cut()
    old.raw(Ykc().encode(heartbeat(), 1))
    assert desk.pile.login is not None
    assert [status.online for status in desk.of(PILE_STATUS)] == [True]


def test_silence_of_a_bridge_that_does_not_read_is_not_the_piles() -> None:
    desk = Desk().ready()
    for _ in range(100):
        desk.clock.advance(1)
        desk.wire.link.paused(desk.now)
        desk.wire.tick()
    assert desk.wire.closed is None


def test_receive_times_are_unique_and_grow() -> None:
    desk = Desk().ready()
    for _ in range(5):
        desk.wire.say(charging())
    desk.clock.set(desk.clock.now().replace(year=2025))  # a corrected clock
    desk.wire.say(charging())
    times = [point.received_at for point in desk.of(TELEMETRY)]
    assert times == sorted(set(times))
    assert [point.receipt.n for point in desk.of(TELEMETRY)] == [3, 4, 5, 6, 7, 8]


frames = st.sampled_from(
    [
        Ykc().encode(message, 1)
        for message in (login(), login(OTHER), heartbeat(), realtime(), charging(), record(), login(guns=5))
    ]
)
damaged = st.builds(
    lambda frame, at, value: frame[: at % len(frame)] + bytes((value,)) + frame[at % len(frame) + 1 :],
    frames,
    st.integers(0, 500),
    st.integers(0, 255),
)
odd = st.builds(lambda code, body: pack(code, 7, body), st.integers(0, 255), st.binary(max_size=190))


@given(st.lists(st.one_of(st.binary(max_size=300), frames, damaged, odd), max_size=12))
def test_no_bytes_whatsoever_break_a_link(pieces: list[bytes]) -> None:
    desk = Desk(pile_config())
    for piece in pieces:
        if desk.wire.closed is None:
            desk.wire.raw(piece)
            desk.wait(1)
    desk.wait(60)
    assert desk.wire.closed is not None
