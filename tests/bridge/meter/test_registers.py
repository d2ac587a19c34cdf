"""Numbers out of registers: forms, orders, scales, and what is no number; which requests read them."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.meter.registers import READ_AT_MOST, Block, Form, Order, Quantity, Register, blocks

FLOAT_1234_5 = struct.unpack(">HH", struct.pack(">f", 1234.5))


def register(form: Form, **more: object) -> Register:
    return Register(quantity=Quantity.APPARENT_KVA, address=0, form=form, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("form", "words", "more", "number"),
    [
        (Form.U16, (1234,), {}, 1234.0),
        (Form.U16, (1234,), {"scale": 0.1}, 123.4),
        (Form.U16, (0x0102,), {"byte_order": Order.LITTLE}, 513.0),
        (Form.S16, (200,), {}, 200.0),
        (Form.U32, (0x0001, 0x86A0), {}, 100_000.0),
        (Form.U32, (0x86A0, 0x0001), {"word_order": Order.LITTLE}, 100_000.0),
        (Form.U32, (0x0100, 0xA086), {"byte_order": Order.LITTLE}, 100_000.0),
        (Form.U32, (0xA086, 0x0100), {"byte_order": Order.LITTLE, "word_order": Order.LITTLE}, 100_000.0),
        (Form.S32, (0x0000, 0x01F4), {}, 500.0),
        (Form.FLOAT32, FLOAT_1234_5, {}, 1234.5),
        (Form.FLOAT32, FLOAT_1234_5[::-1], {"word_order": Order.LITTLE}, 1234.5),
        (Form.FLOAT32, (0, 0), {}, 0.0),
        # What is no number, and what cannot be
        (Form.U16, (0xFFFF,), {}, None),
        (Form.S16, (0x7FFF,), {}, None),
        (Form.S16, (0x8000,), {}, None),
        (Form.S16, (0xFFFF,), {}, None),
        (Form.S16, (0xFFFE,), {}, None),  # −2 kVA
        (Form.U32, (0xFFFF, 0xFFFF), {}, None),
        (Form.S32, (0x7FFF, 0xFFFF), {}, None),
        (Form.S32, (0x8000, 0x0000), {}, None),
        (Form.FLOAT32, (0x7FC0, 0x0000), {}, None),  # NaN
        (Form.FLOAT32, (0x7F80, 0x0000), {}, None),  # infinity
        (Form.FLOAT32, (0xFFFF, 0xFFFF), {}, None),
        (Form.FLOAT32, (0x7F7F, 0xFFFF), {}, None),  # 3.4e38
        (Form.U16, (0xFFFE,), {"empty_too": (0xFFFE,)}, None),
        (Form.U16, (0xFFFE,), {}, 65534.0),
    ],
)
def test_a_number_out_of_its_registers(
    form: Form, words: tuple[int, ...], more: dict[str, object], number: float | None
) -> None:
    found = register(form, **more).number(words)
    assert found == (None if number is None else pytest.approx(number, rel=1e-6))


@pytest.mark.parametrize(
    ("quantity", "raw", "number"),
    [
        (Quantity.ACTIVE_KW, -250, -250.0),
        (Quantity.PHASE_A_V, -2, None),
        (Quantity.OIL_TEMP_C, -40, -40.0),
        (Quantity.OIL_TEMP_C, -70, None),
        (Quantity.OIL_TEMP_C, 201, None),
    ],
)
def test_only_what_can_be_negative_may_be(quantity: Quantity, raw: int, number: float | None) -> None:
    found = Register(quantity=quantity, address=0, form=Form.S16).number((raw & 0xFFFF,))
    assert found == number


@given(st.lists(st.integers(0, 65535), min_size=2, max_size=2), st.sampled_from(Form), st.sampled_from(Order))
def test_any_registers_give_a_possible_number_or_none(words: list[int], form: Form, order: Order) -> None:
    found = register(form, word_order=order).number(words[: register(form).count])
    assert found is None or 0 <= found <= 100_000


def at(address: int, form: Form = Form.U16, function: int = 3) -> Register:
    return Register(quantity=Quantity.ACTIVE_KW, address=address, form=form, function=function)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("registers", "gap", "expected"),
    [
        ([at(0), at(1), at(2, Form.U32)], 0, [Block(3, 0, 4)]),
        ([at(5), at(0)], 0, [Block(3, 0, 1), Block(3, 5, 1)]),
        ([at(5), at(0)], 4, [Block(3, 0, 6)]),
        ([at(5), at(0)], 3, [Block(3, 0, 1), Block(3, 5, 1)]),
        ([at(0), at(0, function=4)], 8, [Block(3, 0, 1), Block(4, 0, 1)]),
        ([at(0, Form.FLOAT32), at(1)], 0, [Block(3, 0, 2)]),
        ([at(n) for n in range(READ_AT_MOST + 1)], 0, [Block(3, 0, READ_AT_MOST), Block(3, READ_AT_MOST, 1)]),
    ],
)
def test_few_requests_read_all_registers(registers: list[Register], gap: int, expected: list[Block]) -> None:
    assert list(blocks(registers, gap)) == expected
