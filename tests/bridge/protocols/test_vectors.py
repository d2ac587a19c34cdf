"""Every recorded frame decodes to the values it was published with and encodes to the same bytes."""

import json
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bridge.protocols.base import CrcOrder, Frame, UnknownFrame
from bridge.protocols.ykc.framing import YkcSplitter, pack
from bridge.protocols.ykc.messages import REGISTRY, CellMax, YkcMessage
from bridge.protocols.ykc.protocol import decode

FRAMES = Path(__file__).parent.parent / "frames" / "ykc"
VECTORS: list[dict[str, Any]] = [
    json.loads(path.read_text("utf-8"), parse_float=Decimal) for path in sorted(FRAMES.glob("*.json"))
]
DECLARED = {message.code for message in REGISTRY}
OURS = [vector for vector in VECTORS if int(vector["frame_type"], 16) in DECLARED]
CONFORMING = [vector for vector in OURS if vector["conforms"]]


def _name(vector: dict[str, Any]) -> str:
    return f"{vector['id']}-{vector['frame_type']}"


def _stated(message: YkcMessage) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for place in message.plan.places:
        value = getattr(message, place.name)
        if isinstance(value, datetime):
            value = value.replace(tzinfo=None).isoformat(timespec="milliseconds")
        elif isinstance(value, CellMax):
            value = asdict(value)
        shown[place.name] = list(value) if isinstance(value, tuple) else value
    return shown


def test_the_frames_of_a_charge_are_all_declared() -> None:
    charge = {1, 2, 3, 4, 5, 6, 9, 0x0A, 0x12, 0x13, 0x33, 0x34, 0x35, 0x36, 0x3B, 0x40, 0x51, 0x52, 0x55, 0x56}
    assert charge <= DECLARED
    assert len(CONFORMING) >= 40


@pytest.mark.parametrize("vector", CONFORMING, ids=_name)
def test_conforming_frame_decodes_to_the_stated_values(vector: dict[str, Any]) -> None:
    raw = bytes.fromhex(vector["hex"])
    (frame,) = YkcSplitter().feed(raw)
    assert frame.code == int(vector["frame_type"], 16)
    assert frame.crc_order == CrcOrder(vector["crc_order"])
    assert int.from_bytes(frame.seq, "little") == vector["seq"]
    message = decode(frame)
    assert isinstance(message, YkcMessage)
    assert message.extra == b""
    assert _stated(message) == vector["fields"]
    body = message.encode()
    if vector.get("reencode_exact", True):
        assert pack(frame.code, frame.seq, body, crc_order=frame.crc_order) == raw
    else:
        assert _stated(type(message).decode(body)) == vector["fields"]


@pytest.mark.parametrize("vector", [v for v in OURS if v["crc_order"] == "invalid"], ids=_name)
def test_frame_with_a_misprinted_crc_is_refused_and_its_body_reads(vector: dict[str, Any]) -> None:
    raw = bytes.fromhex(vector["hex"])
    assert YkcSplitter().feed(raw) == []
    message = decode(Frame(raw[5], raw[2:4], raw[6:-2], raw))
    assert isinstance(message, YkcMessage)
    assert _stated(message) == vector["fields"]


@pytest.mark.parametrize(
    "vector",
    [v for v in OURS if not v["conforms"] and v["crc_order"] != "invalid" and v["length_ok"] and "fields" in v],
    ids=_name,
)
def test_deviating_frame_with_a_right_crc_still_reads(vector: dict[str, Any]) -> None:
    (frame,) = YkcSplitter().feed(bytes.fromhex(vector["hex"]))
    message = decode(frame)
    assert isinstance(message, YkcMessage)
    assert _stated(message) == vector["fields"]


@pytest.mark.parametrize("vector", [v for v in VECTORS if not v["length_ok"]], ids=_name)
def test_frame_with_a_length_of_the_body_alone_is_dropped(vector: dict[str, Any]) -> None:
    splitter = YkcSplitter()
    splitter.feed(bytes.fromhex(vector["hex"]))
    while splitter.pending:
        assert splitter.abandon() == []
    assert sum(splitter.dropped_bytes.values()) == len(vector["hex"]) // 2


@pytest.mark.parametrize(
    "vector",
    [v for v in VECTORS if v not in OURS and v["crc_order"] != "invalid" and v["length_ok"]],
    ids=_name,
)
def test_frame_of_an_undeclared_type_is_a_value_not_an_error(vector: dict[str, Any]) -> None:
    (frame,) = YkcSplitter().feed(bytes.fromhex(vector["hex"]))
    assert decode(frame) == UnknownFrame(int(vector["frame_type"], 16), frame.body)
