"""Every recorded frame decodes to the values it was published with and encodes to the same bytes."""

from typing import Any

import pytest

from bridge.protocols.base import CrcOrder, Frame
from bridge.protocols.ykc.framing import YkcSplitter, pack
from bridge.protocols.ykc.messages import ANSWERED_BY, REGISTRY, FiveBandRecord, TariffModel, YkcMessage, is_from_pile
from bridge.protocols.ykc.protocol import decode
from tests.bridge.protocols.recordings import VECTORS, name_of, recording, stated

DOCUMENT = {
    *(0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x09, 0x0A, 0x12, 0x13, 0x15, 0x17, 0x19, 0x1B, 0x1D, 0x21, 0x23, 0x25),
    *(0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x3B, 0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x51, 0x52),
    *(0x55, 0x56, 0x57, 0x58, 0x61, 0x62, 0x63, 0x91, 0x92, 0x93, 0x94, 0xA1, 0xA2, 0xA3, 0xA4, 0xF0, 0xF1),
}
CONFORMING = [vector for vector in VECTORS if vector["conforms"]]
MISPRINTED = [vector for vector in VECTORS if vector["crc_order"] == "invalid"]
DEVIATING = [v for v in VECTORS if not v["conforms"] and v["crc_order"] != "invalid" and v["length_ok"]]


def test_every_frame_of_the_document_is_declared_and_nothing_else() -> None:
    assert {message.code for message in REGISTRY} == DOCUMENT
    assert len(VECTORS) == 95
    assert (len(CONFORMING), len(MISPRINTED), len(DEVIATING)) == (73, 17, 4)


def test_requests_and_their_answers_go_in_opposite_directions_and_are_declared() -> None:
    for request, answer in ANSWERED_BY.items():
        assert is_from_pile(request) is not is_from_pile(answer)
        assert {request, answer} <= DOCUMENT


@pytest.mark.parametrize("vector", CONFORMING, ids=name_of)
def test_conforming_frame_decodes_to_the_stated_values(vector: dict[str, Any]) -> None:
    raw = bytes.fromhex(vector["hex"])
    (frame,) = YkcSplitter().feed(raw)
    assert frame.code == int(vector["frame_type"], 16)
    assert frame.crc_order == CrcOrder(vector["crc_order"])
    assert int.from_bytes(frame.seq, "little") == vector["seq"]
    assert frame.encrypted is bool(vector["encrypt"])
    assert is_from_pile(frame.code) is (vector["direction"] == "pile -> platform")
    message = decode(frame)
    assert isinstance(message, YkcMessage)
    assert message.extra == b""
    assert stated(message) == vector["fields"]
    body = message.encode()
    if vector.get("reencode_exact", True):
        assert pack(frame.code, frame.seq, body, crc_order=frame.crc_order) == raw
    else:
        assert stated(type(message).decode(body)) == vector["fields"]


@pytest.mark.parametrize("vector", MISPRINTED, ids=name_of)
def test_frame_with_a_misprinted_crc_is_refused_and_its_body_reads(vector: dict[str, Any]) -> None:
    raw = bytes.fromhex(vector["hex"])
    assert YkcSplitter().feed(raw) == []
    message = decode(Frame(raw[5], raw[2:4], raw[6:-2], raw))
    assert isinstance(message, YkcMessage)
    assert stated(message) == vector["fields"]
    assert message.encode() == raw[6:-2]


@pytest.mark.parametrize("vector", DEVIATING, ids=name_of)
def test_deviating_frame_with_a_right_crc_reads_as_its_note_says(vector: dict[str, Any]) -> None:
    raw = bytes.fromhex(vector["hex"])
    (frame,) = YkcSplitter().feed(raw)
    message = decode(frame)
    assert isinstance(message, YkcMessage)
    assert stated(message) == vector["fields"]
    assert message.extra.hex() == vector.get("extra_bytes", "")
    assert pack(frame.code, frame.seq, message.encode()) == raw


def test_a_record_of_five_bands_is_told_by_its_length() -> None:
    (frame,) = YkcSplitter().feed(bytes.fromhex(recording("D064")["hex"]))
    assert frame.raw[1] == 0xB2
    assert isinstance(decode(frame), FiveBandRecord)


def test_frame_with_a_length_of_the_body_alone_is_dropped_and_the_next_one_is_found() -> None:
    broken = bytes.fromhex(recording("D025")["hex"])
    good = bytes.fromhex(recording("D024")["hex"])
    splitter = YkcSplitter()
    frames = splitter.feed(broken + good)
    while splitter.pending:
        frames += splitter.abandon()
    assert [frame.raw for frame in frames] == [good]
    assert sum(splitter.dropped_bytes.values()) == len(broken)
    assert isinstance(decode(frames[0]), TariffModel)
