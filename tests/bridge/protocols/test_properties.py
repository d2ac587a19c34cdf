"""What holds for every message and every stream of bytes."""

import contextlib

import pytest
from crccheck.crc import CrcModbus
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.protocols.base import CrcOrder, Dropped, Frame, FrameError, UnknownFrame
from bridge.protocols.ykc.crc import crc16
from bridge.protocols.ykc.framing import YkcSplitter, cut, pack
from bridge.protocols.ykc.messages import REGISTRY, Heartbeat, Login, TransactionRecord, YkcMessage
from bridge.protocols.ykc.protocol import decode
from tests.bridge.protocols.strategies import MESSAGES, messages_of

HEARTBEAT = pack(0x03, 1, Heartbeat(pile_no="55031412000001", gun_no="01", gun_state=0).encode())


@pytest.mark.parametrize("kind", list(REGISTRY), ids=lambda kind: kind.__name__)
def test_decode_undoes_encode(kind: type[YkcMessage]) -> None:
    @settings(max_examples=60)
    @given(messages_of(kind))
    def round_trip(message: YkcMessage) -> None:
        body = message.encode()
        assert kind.decode(body) == message
        assert kind.decode(body).encode() == body

    round_trip()


@given(st.binary(max_size=300))
def test_crc_is_the_modbus_one(data: bytes) -> None:
    assert crc16(data) == CrcModbus.calc(data)


def test_crc_has_the_published_check_value() -> None:
    assert crc16(b"123456789") == 0x4B37


@given(st.integers(0, 255), st.binary(max_size=260))
def test_any_body_of_any_type_is_a_message_an_unknown_frame_or_refused(code: int, body: bytes) -> None:
    with contextlib.suppress(FrameError):
        message = decode(Frame(code, b"\0\0", body, b""))
        assert isinstance(message, YkcMessage | UnknownFrame)
        if isinstance(message, YkcMessage):
            # Flag bits and padding may go; what was read stays.
            again = message.encode()
            assert len(again) == len(body)
            assert type(message).decode(again) == message


@given(st.binary(max_size=2000))
def test_random_bytes_never_raise_and_never_stall(data: bytes) -> None:
    splitter = YkcSplitter()
    taken = sum(len(frame.raw) for frame in splitter.feed(data))
    assert splitter.pending <= 259
    while splitter.pending:
        taken += sum(len(frame.raw) for frame in splitter.abandon())
    assert taken + sum(splitter.dropped_bytes.values()) == len(data)


@given(st.lists(MESSAGES, min_size=1, max_size=6), st.data())
def test_any_split_into_segments_gives_the_same_frames(messages: list[YkcMessage], data: st.DataObject) -> None:
    stream = b"".join(
        data.draw(st.binary(max_size=4)) + pack(message.code, index, message.encode())
        for index, message in enumerate(messages)
    )
    whole, parts = YkcSplitter(), YkcSplitter()
    expected = whole.feed(stream)
    got, at = [], 0
    for end in [*sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12))), len(stream)]:
        got += parts.feed(stream[at:end])
        at = end
    assert got == expected
    assert parts.dropped_bytes == whole.dropped_bytes


@given(MESSAGES, st.data())
def test_a_damaged_frame_never_passes(message: YkcMessage, data: st.DataObject) -> None:
    raw = bytearray(pack(message.code, 7, message.encode()))
    place = data.draw(st.integers(2, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    frame = cut(raw).frame
    # Only the CRC bytes themselves, exchanged, may still be right: that is the other order on the wire.
    assert frame is None or (place >= len(raw) - 2 and frame.crc_order is CrcOrder.HIGH_FIRST)


@given(st.lists(MESSAGES, min_size=1, max_size=4), st.binary(min_size=1, max_size=8), st.data())
def test_mutated_streams_raise_nothing_but_frame_errors(
    messages: list[YkcMessage], noise: bytes, data: st.DataObject
) -> None:
    stream = bytearray(b"".join(pack(message.code, 0, message.encode()) for message in messages))
    at = data.draw(st.integers(0, len(stream)))
    stream[at : at + data.draw(st.integers(0, 8))] = noise
    for frame in YkcSplitter().feed(bytes(stream)):
        with contextlib.suppress(FrameError):
            decode(frame)


@given(st.binary(max_size=120))
def test_a_good_frame_after_noise_is_found(noise: bytes) -> None:
    splitter = YkcSplitter()
    frames = splitter.feed(noise + HEARTBEAT)
    while splitter.pending:
        frames += splitter.abandon()
    assert frames[-1].raw == HEARTBEAT


def test_both_crc_orders_are_accepted_and_told_apart() -> None:
    body = Heartbeat(pile_no="55031412000001", gun_no="01", gun_state=0).encode()
    for order in CrcOrder:
        splitter = YkcSplitter()
        (frame,) = splitter.feed(pack(0x03, b"\x12\x34", body, crc_order=order))
        assert (frame.crc_order, splitter.crc_order, frame.seq) == (order, order, b"\x12\x34")


def test_what_is_dropped_is_counted_with_its_reason() -> None:
    broken = bytearray(HEARTBEAT)
    broken[-1] ^= 0xFF
    splitter = YkcSplitter()
    frames = splitter.feed(b"\x00\x01" + b"\x68\x03" + HEARTBEAT + bytes(broken) + HEARTBEAT)
    assert [frame.raw for frame in frames] == [HEARTBEAT, HEARTBEAT]
    assert splitter.dropped_bytes == {Dropped.NOISE: 3, Dropped.LENGTH: 1, Dropped.CRC: len(broken)}


def test_frames_above_the_documents_limit_are_received_and_never_sent() -> None:
    inner = b"\0\0\0\x03" + bytes(251)
    raw = b"\x68\xff" + inner + crc16(inner).to_bytes(2, "little")
    (frame,) = YkcSplitter().feed(raw)
    assert len(frame.body) == 251
    with pytest.raises(FrameError):
        pack(0x03, 0, bytes(197))
    assert len(pack(0x03, 0, bytes(196))) == 204


def test_a_body_shorter_than_its_table_is_refused_and_a_longer_one_kept() -> None:
    body = Heartbeat(pile_no="55031412000001", gun_no="01", gun_state=0).encode()
    with pytest.raises(FrameError, match="Heartbeat"):
        Heartbeat.decode(body[:-1])
    assert Heartbeat.decode(body + b"\x55").extra == b"\x55"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("pile_no", "123456789012345"),
        ("pile_no", "5503141200000g"),
        ("pile_no", "55 31412000001"),
        ("pile_no", 55031412000001),
        ("gun_count", 256),
        ("gun_count", -1),
        ("gun_count", 1.0),
        ("software_version", "V12345678"),
        ("software_version", "版本"),
        ("software_version", "V1\0"),
    ],
)
def test_a_value_without_a_place_is_refused_by_the_name_of_its_field(field: str, value: object) -> None:
    values: dict[str, object] = {
        "pile_no": "55031412000001",
        "pile_type": 0,
        "gun_count": 2,
        "protocol_version": 0x10,
        "software_version": "V1.0",
        "network": 1,
        "sim": "0",
        "operator": 4,
    }
    with pytest.raises(FrameError, match=rf"Login\.{field}"):
        Login(**{**values, field: value}).encode()  # type: ignore[arg-type]


def test_two_messages_with_one_code_fail_at_import() -> None:
    with pytest.raises(TypeError, match="Heartbeat"):
        type("Again", (YkcMessage,), {}, code=0x03, title="again", source="test")
    assert REGISTRY.find(0x03, 9) is Heartbeat


def test_the_record_has_the_size_of_the_document() -> None:
    assert TransactionRecord.size == 158
    assert {place.name: place.offset for place in TransactionRecord.plan.places}["physical_card"] == 150
