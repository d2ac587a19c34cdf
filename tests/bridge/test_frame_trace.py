"""Every frame of a watched pile, both ways; and what of a frame nobody may see, watched or not."""

from datetime import timedelta
from typing import Any

import pytest

from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.framing import pack
from bridge.protocols.ykc.protocol import Ykc
from bridge.protocols.ykc.translate import YkcDialect
from evcs.contracts.pile import FirmwareUpdate, Outcome, PileCommand, PileCommandKind, PileFrame
from evcs.contracts.reasons import Reason
from evcs.contracts.topics import GUN_EVENT, PILE_FRAME, PILE_REPLY
from tests.bridge.kit import PILE, Desk, Wire, charging, heartbeat

OTHER = "55031412000002"
PASSWORD = "8d969eef6ecad3c2"


def give(desk: Desk, kind: PileCommandKind, command_id: str = "c-1", **fields: Any) -> None:
    expires_at = desk.clock.now() + timedelta(seconds=60)
    command = PileCommand(id=command_id, bridge="b1", link=desk.pile.link, kind=kind, expires_at=expires_at, **fields)
    desk.fleet.command(PILE, command, desk.now)


def watch(desk: Desk, seconds: float | None, command_id: str = "t-1") -> None:
    until = None if seconds is None else desk.clock.now() + timedelta(seconds=seconds)
    give(desk, PileCommandKind.TRACE, command_id, trace_until=until)


def frames(desk: Desk) -> list[PileFrame]:
    return desk.of(PILE_FRAME)


def card_question() -> ykc.StartRequest:
    return ykc.StartRequest(
        pile_no=PILE,
        gun_no="01",
        start_mode=1,
        need_password=1,
        account_or_card="00000000d14b0a54",
        password_md5=PASSWORD.encode().hex(),
        vin_reversed="",
    )


def test_a_watched_piles_frames_are_published_both_ways_with_their_fields_in_words() -> None:
    desk = Desk().ready()
    desk.wire.say(heartbeat())
    assert frames(desk) == []
    watch(desk, 60)
    assert desk.last(PILE_REPLY).outcome is Outcome.ACCEPTED
    desk.wire.say(heartbeat())
    desk.wire.say(charging())
    came, went, reading = frames(desk)
    assert (came.from_pile, came.frame_type, came.title_zh, came.title_en) == (
        True,
        "0x03",
        "充电桩心跳包",
        "heartbeat",
    )
    assert (went.from_pile, went.frame_type, went.frame_hex) == (False, "0x04", desk.wire.frames[-1].hex())
    told = {field.name: (field.zh, field.value) for field in reading.fields}
    assert told["voltage"] == ("输出电压", "400.0 V")
    assert told["state"] == ("状态", "3（充电 charging）")
    assert all(frame.problem == "" and frame.pile == PILE for frame in frames(desk))
    [message] = [message for message in desk.published if message.topic.endswith("/frame")][:1]
    assert (message.qos, message.droppable, message.retain) == (0, True, False)


def test_watching_ends_by_itself_by_command_and_not_with_the_link() -> None:
    desk = Desk().ready()
    watch(desk, 20)
    desk.wire.cut()
    desk.wire = Wire(desk)
    desk.log_in()
    assert frames(desk)
    desk.wait(21)
    desk.forget_all()
    desk.wire.say(heartbeat())
    assert frames(desk) == []
    watch(desk, 3600, "t-2")
    desk.wire.say(heartbeat())
    assert len(frames(desk)) == 2
    watch(desk, None, "t-3")
    desk.wire.say(heartbeat())
    assert len(frames(desk)) == 2
    assert [reply.outcome for reply in desk.of(PILE_REPLY)] == [Outcome.ACCEPTED] * 2


@pytest.mark.parametrize("seconds", [-1.0, 3600.0 + 61])
def test_nobody_watches_into_the_past_or_for_days(seconds: float) -> None:
    desk = Desk().ready()
    watch(desk, seconds)
    [reply] = desk.of(PILE_REPLY)
    assert (reply.outcome, reply.reason) == (Outcome.REFUSED, Reason.VALUE_NOT_ALLOWED)
    desk.wire.say(heartbeat())
    assert frames(desk) == []


@pytest.mark.parametrize(
    ("raw", "frame_type", "problem"),
    [
        (pack(0x77, 1, bytes(20)), "0x77", "nothing that a pile says"),
        (pack(0x34, 1, bytes(44)), "0x34", "nothing that a pile says"),
        (pack(0x13, 1, bytes(10)), "0x13", "RealtimeData: 10 bytes, the table has 60"),
        (Ykc().encode(heartbeat(OTHER), 1), "0x03", "about another pile, 55031412000002"),
    ],
)
def test_a_frame_that_does_not_count_is_shown_with_the_reason(raw: bytes, frame_type: str, problem: str) -> None:
    desk = Desk().ready()
    watch(desk, 60)
    desk.wire.raw(raw)
    [frame] = frames(desk)
    assert (frame.frame_type, frame.problem, frame.frame_hex) == (frame_type, problem, raw.hex())


def test_a_passwords_bytes_are_zeros_wherever_the_frame_is_shown() -> None:
    desk = Desk().ready()
    watch(desk, 60)
    desk.wire.say(card_question())
    shown = [frames(desk)[0].frame_hex, desk.last(GUN_EVENT, 1).frame_hex]
    for text in shown:
        assert PASSWORD.encode().hex() not in text
        assert len(text) == 2 * 59
        assert "00000000d14b0a54" + "00" * 16 in text
    assert {field.value for field in frames(desk)[0].fields if field.name == "password_md5"} == {"••••"}


def test_nor_is_the_way_to_the_program_shown() -> None:
    desk = Desk().ready()
    watch(desk, 60)
    update = FirmwareUpdate(server="10.0.0.9", user="ftpuser", password="geheim", path="/fw.bin")
    give(desk, PileCommandKind.UPDATE, update=update)
    [frame] = frames(desk)
    assert desk.wire.told(ykc.Update)[0].password == "geheim"  # the pile needs it
    for secret in ("ftpuser", "geheim"):
        assert secret.encode().hex() not in frame.frame_hex
        assert all(secret not in field.value for field in frame.fields)
    assert b"/fw.bin".hex() in frame.frame_hex
    assert secretless(desk)


def secretless(desk: Desk) -> bool:
    texts = [message.payload for message in desk.published] + [repr(note).encode() for note in desk.notes]
    return not any(secret in text for text in texts for secret in (b"geheim", b"geheim".hex().encode(), b"ftpuser"))


@pytest.mark.parametrize("code", [0x31, 0xA1, 0x94])
@pytest.mark.parametrize("size", [0, 3, 30, 55, 150])
def test_a_piece_of_a_frame_with_secrets_keeps_its_length_and_none_of_them(code: int, size: int) -> None:
    raw = pack(code, 1, b"\x11" * size)
    shown = YkcDialect().redacted(raw)
    assert len(shown) == len(raw)
    assert YkcDialect().redacted(shown) == shown
