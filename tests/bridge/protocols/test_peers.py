"""What real peers do and the document does not say: each is taken as it comes."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any

import pytest

from bridge.protocols.base import CrcOrder, UnknownFrame
from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.codes import BatteryType, GunState, StartKind
from bridge.protocols.ykc.faults import fault_numbers, fault_words
from bridge.protocols.ykc.framing import YkcSplitter, pack
from bridge.protocols.ykc.protocol import Ykc, decode
from tests.bridge.protocols.recordings import recording

PILE = "55031412000001"
SERIAL = PILE + "01" + "260302120000" + "0001"


def read(raw: bytes) -> ykc.YkcMessage | UnknownFrame:
    """The one message of some bytes."""
    (frame,) = YkcSplitter().feed(raw)
    return decode(frame)


@pytest.mark.parametrize("order", list(CrcOrder))
def test_crc_bytes_in_either_order_ours_low_first(order: CrcOrder) -> None:
    message = ykc.Heartbeat(pile_no=PILE, gun_no="01", gun_state=0)
    splitter = YkcSplitter()
    (frame,) = splitter.feed(pack(0x03, 1, message.encode(), crc_order=order))
    assert decode(frame) == message
    assert splitter.crc_order is order
    answer = Ykc().encode(ykc.HeartbeatAnswer(pile_no=PILE, gun_no="01", ack=0), frame.seq)
    (heard,) = YkcSplitter().feed(answer)
    assert heard.crc_order is CrcOrder.LOW_FIRST
    (swapped,) = YkcSplitter().feed(Ykc(crc_order=CrcOrder.HIGH_FIRST).encode(message, 1))
    assert swapped.crc_order is CrcOrder.HIGH_FIRST


@pytest.mark.parametrize("seq", [b"\x71\xad", b"\xad\x71", b"\x00\x00", b"\xff\xff"])
def test_the_sequence_of_an_answer_is_the_two_bytes_of_the_request_whatever_their_order(seq: bytes) -> None:
    answer = Ykc().encode(ykc.HeartbeatAnswer(pile_no=PILE, gun_no="01", ack=0), seq)
    assert answer[2:4] == seq


def test_a_sequence_number_means_nothing_to_reading() -> None:
    """Start answers with the request's number (refused) and with one of their own (late success) are both read."""
    refused = read(bytes.fromhex(recording("D048")["hex"]))
    assert isinstance(refused, ykc.RemoteStartAnswer)
    for seq in (0, 220, 0xFFFF, b"\x00\xdc"):
        assert read(pack(0x33, seq, refused.encode())) == refused


@pytest.mark.parametrize(
    ("bits", "base", "words"),
    [
        (0x0001, 0, ["emergency stop pressed"]),
        (0x0002, 1, ["emergency stop pressed"]),
        (0x0082, 1, ["emergency stop pressed", "energy meter communication lost"]),
        (0x0041, 0, ["emergency stop pressed", "energy meter communication lost"]),
        (0x1000, 0, ["door open"]),
        (0x2000, 1, ["door open"]),
        (0x0001, 1, ["unknown fault Bit0"]),
        (0x8000, 0, ["unknown fault Bit16"]),
    ],
)
def test_fault_bits_count_from_0_or_1_by_model(bits: int, base: int, words: list[str]) -> None:
    assert [fault_words(number).en for number in fault_numbers(bits, base)] == words


@pytest.mark.parametrize(
    ("message", "name", "text"),
    [
        (ykc.TariffCheckRequest(pile_no=PILE, model_no="F002"), "model_no", "f002"),
        (ykc.Heartbeat(pile_no=PILE, gun_no="0A", gun_state=0), "gun_no", "0a"),
        (ykc.TariffRequest(pile_no="ABCDEF12345678"), "pile_no", "abcdef12345678"),
    ],
)
def test_hex_digits_in_bcd_fields_stay_text(message: ykc.YkcMessage, name: str, text: str) -> None:
    again = read(pack(message.code, 0, message.encode()))
    assert isinstance(again, ykc.YkcMessage)
    assert getattr(again, name) == text
    assert again.encode() == message.encode()


def test_a_card_of_a_phone_may_have_a_hex_digit() -> None:
    login = read(bytes.fromhex(recording("D001")["hex"]))
    assert isinstance(login, ykc.Login)
    assert login.sim == "898604d11722d0348606"


def test_a_record_of_five_bands_is_read_with_the_fifth() -> None:
    record = read(bytes.fromhex(recording("D064")["hex"]))
    assert isinstance(record, ykc.FiveBandRecord)
    assert [line.band.name for line in ykc.band_lines(record)] == ["SHARP", "PEAK", "FLAT", "VALLEY", "DEEP"]
    assert (record.deep_price, record.total_amount) == (Decimal("1.21"), Decimal("6.17"))
    assert record.trade_flag == 3
    assert not isinstance(record.trade_flag, StartKind)


def test_the_day_of_the_week_and_other_flags_of_a_time_are_masked() -> None:
    plain = bytes((0x98, 0xB7, 14, 17, 16, 3, 20))
    flagged = bytes((0x98, 0xB7, 14 | 0xC0, 17 | 0xE0, 0x50, 3 | 0xF0, 20 | 0x80))
    pile = bytes.fromhex(PILE)
    for raw in (plain, flagged):
        message = ykc.TimeSyncAnswer.decode(pile + raw)
        assert message.time == datetime(2020, 3, 16, 9, 14, 47, tzinfo=UTC)


@pytest.mark.parametrize("raw", [bytes(7), b"\xff" * 7, bytes((0x60, 0xEA, 0, 0, 30, 2, 26))])
def test_a_time_that_is_no_date_is_kept_as_it_came(raw: bytes) -> None:
    message = ykc.TimeSyncAnswer.decode(bytes.fromhex(PILE) + raw)
    assert message.time == raw
    assert message.encode() == bytes.fromhex(PILE) + raw


def test_several_frames_of_one_segment_come_in_their_order() -> None:
    """A known pile sends 0x33, 0x15, 0x17, 0x13, 0x23 and 0x25 in a row."""
    row = [bytes.fromhex(recording(number)["hex"]) for number in ("D048", "D036", "D037", "D029", "D041", "D043")]
    frames = YkcSplitter().feed(b"".join(row))
    assert [frame.raw for frame in frames] == row
    assert [frame.code for frame in frames] == [0x33, 0x15, 0x17, 0x13, 0x23, 0x25]


@pytest.mark.parametrize("first", [0x33, 0x13])
def test_a_start_is_told_by_its_serial_whether_the_answer_or_the_reading_comes_first(first: int) -> None:
    answer = ykc.RemoteStartAnswer(trade_no=SERIAL, pile_no=PILE, gun_no="01", result=1, fail_reason=0)
    charging = read(bytes.fromhex(recording("D029")["hex"]))
    assert isinstance(charging, ykc.RealtimeData)
    messages: list[ykc.YkcMessage] = [answer, charging]
    if first == 0x13:
        messages.reverse()
    frames = YkcSplitter().feed(b"".join(pack(message.code, 0, message.encode()) for message in messages))
    assert [decode(frame) for frame in frames] == messages


@pytest.mark.parametrize("code", [0x00, 0x07, 0x39, 0x3F, 0x71, 0x95, 0xE1, 0xFF])
def test_unknown_types_are_kept_with_their_body(code: int) -> None:
    assert read(pack(code, 0, b"\x55\x03")) == UnknownFrame(code, b"\x55\x03")


@pytest.mark.parametrize(
    ("message", "name", "known"),
    [
        (
            ykc.RemoteStartAnswer(trade_no=SERIAL, pile_no=PILE, gun_no="01", result=1, fail_reason=0x34),
            "fail_reason",
            5,
        ),
        (ykc.UpdateAnswer(pile_no=PILE, status=9), "status", 0),
        (ykc.BalanceUpdateAnswer(pile_no=PILE, physical_card="0" * 16, result=9), "result", 2),
        (
            ykc.GroundLockReport(pile_no=PILE, gun_no=1, lock_state=0x33, bay_state=0, battery_pct=101, alarm=1),
            "lock_state",
            0x55,
        ),
    ],
)
def test_a_code_that_nobody_named_stays_a_number(message: ykc.YkcMessage, name: str, known: int) -> None:
    again = read(pack(message.code, 0, message.encode()))
    assert again == message
    assert isinstance(again, ykc.YkcMessage)
    assert type(getattr(again, name)) is int
    named = getattr(type(message).decode(changed(message, **{name: known}).encode()), name)
    assert isinstance(named, IntEnum)


def changed(message: ykc.YkcMessage, **values: Any) -> ykc.YkcMessage:
    fields = {place.name: getattr(message, place.name) for place in message.plan.places}
    return type(message)(**{**fields, **values})


@pytest.mark.parametrize(
    ("sent", "amps"), [(Decimal("-120.0"), Decimal("120.0")), (Decimal("120.0"), Decimal("120.0"))]
)
def test_the_sign_of_a_bms_current_differs_by_maker_and_is_kept(sent: Decimal, amps: Decimal) -> None:
    demand = read(bytes.fromhex(recording("D042")["hex"]))
    assert isinstance(demand, ykc.BmsDemand)
    assert abs(demand.need_i) == amps
    again = changed(demand, need_i=sent)
    assert ykc.BmsDemand.decode(again.encode()).need_i == sent


def test_the_charge_count_has_24_bits_low_byte_first() -> None:
    car = read(bytes.fromhex(recording("D036")["hex"]))
    assert isinstance(car, ykc.ChargeHandshake)
    assert (car.charge_count, car.battery_type, car.made_year) == (120, BatteryType.LFP, 2023)
    assert changed(car, charge_count=0x010203).encode()[43:46] == b"\x03\x02\x01"


def test_a_vin_of_a_start_is_reversed_on_the_wire_and_reads_as_it_is_written() -> None:
    body = bytes.fromhex(recording("D045")["hex"])[6:-2]
    request = ykc.StartRequest.decode(body)
    assert request.vin_reversed == "LGXC14AA5M0123456"
    assert body[34:51] == b"6543210M5AA41CXGL"
    assert changed(request, vin_reversed="").encode()[34:51] == bytes(17)


def test_text_padded_on_the_wrong_side_reads_the_same() -> None:
    update = read(bytes.fromhex(recording("D089")["hex"]))
    assert isinstance(update, ykc.Update)
    assert (update.server, update.user, update.path) == ("10.0.0.9", "ota", "/fw/dc120_v2.bin")
    assert update.encode()[10:26] == b"10.0.0.9".ljust(16, b"\0")


@pytest.mark.parametrize(
    ("code", "size", "behind"),
    [(0x03, 10, 1), (0x13, 141, 81), (0x25, 45, 14), (0x34, 45, 1), (0x51, 9, 1), (0x92, 11, 3)],
)
def test_fields_that_vendors_append_are_kept_behind_the_table(code: int, size: int, behind: int) -> None:
    """Longer bodies of V1.8.22 and others (protocol reference §10)."""
    body = bytes(range(1, size + 1))
    message = read(pack(code, 0, body))
    assert isinstance(message, ykc.YkcMessage)
    assert message.extra == body[-behind:]
    assert message.encode() == body


def test_a_state_that_is_unknown_does_not_hide_the_rest_of_a_reading() -> None:
    reading = read(bytes.fromhex(recording("D029")["hex"]))
    assert isinstance(reading, ykc.RealtimeData)
    again = ykc.RealtimeData.decode(changed(reading, state=7, plugged=9, gun_home=5).encode())
    assert (again.state, again.plugged, again.gun_home) == (7, 9, 5)
    assert not isinstance(again.state, GunState)
    assert again.kwh == reading.kwh


def test_answers_without_a_count_have_as_many_cards_as_there_are() -> None:
    card = "00000000d14b0a54"
    cleared = ykc.OfflineCardClearAnswer(pile_no=PILE, cards=(card + "0100", card + "0001", card + "0202"))
    again = ykc.OfflineCardClearAnswer.decode(cleared.encode())
    assert again == cleared
    assert [(result.ok, result.code) for result in ykc.cleared_cards(again.cards)] == [(True, 0), (False, 1), (True, 2)]
    queried = ykc.OfflineCardQueryAnswer.decode(bytes.fromhex(PILE + card + "01" + card + "00") + b"\x55")
    assert [result.ok for result in ykc.queried_cards(queried.cards)] == [True, False]
    assert queried.extra == b"\x55"


def test_as_many_cards_as_a_frame_may_carry() -> None:
    one = ykc.stored_card("1000000001", "D14B0A54")
    assert one == "000000100000000100000000d14b0a54"
    stored = ykc.OfflineCardSync(pile_no=PILE, count=ykc.MOST_STORED, cards=(one,) * ykc.MOST_STORED)
    assert len(Ykc().encode(stored, 0)) <= 204
    named = ykc.OfflineCardClear(pile_no=PILE, count=ykc.MOST_NAMED, cards=(one[16:],) * ykc.MOST_NAMED)
    assert len(Ykc().encode(named, 0)) <= 204
