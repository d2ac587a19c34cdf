"""A meter's registers as data: which of them hold which quantity, in which form (the file's form: docs/meters.md)."""

import math
import struct
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

Word = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class Quantity(StrEnum):
    """What a register holds, in the unit of its name; those of the measurement `transformer`."""

    APPARENT_KVA = "apparent_kva"
    ACTIVE_KW = "active_kw"
    PHASE_A_KVA = "phase_a_kva"
    PHASE_B_KVA = "phase_b_kva"
    PHASE_C_KVA = "phase_c_kva"
    PHASE_A_V = "phase_a_v"
    PHASE_B_V = "phase_b_v"
    PHASE_C_V = "phase_c_v"
    PHASE_A_A = "phase_a_a"
    PHASE_B_A = "phase_b_a"
    PHASE_C_A = "phase_c_a"
    OIL_TEMP_C = "oil_temp_c"


class Form(StrEnum):
    """How a number is written into registers."""

    U16 = "u16"
    S16 = "s16"
    U32 = "u32"
    S32 = "s32"
    FLOAT32 = "float32"


class Order(StrEnum):
    """Which end comes first."""

    BIG = "big"
    LITTLE = "little"


LETTER = {Form.U16: "H", Form.S16: "h", Form.U32: "I", Form.S32: "i", Form.FLOAT32: "f"}
NO_VALUE = {
    Form.U16: {0xFFFF},
    Form.S16: {0x7FFF, -0x8000, -1},
    Form.U32: {0xFFFFFFFF},
    Form.S32: {0x7FFFFFFF, -0x80000000, -1},
}
"""What meters write where they have no value: all bits set (-1 where signed), or the ends of the range."""
AT_MOST = 100_000.0
"""kVA, kW, V, A beyond this no transformer of a charging station has."""
OIL_C = (-60.0, 200.0)
READ_AT_MOST = 125
"""Registers of one request (Modbus Application Protocol V1.1b3 §6.3)."""


class Register(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One number. `address` counts from 0 as on the wire, so the "40001" of a manual is address 0 of function 3."""

    quantity: Quantity
    address: Word
    form: Form
    function: Literal[3, 4] = 3
    """3: holding registers, 4: input registers."""
    word_order: Order = Order.BIG
    """big: the high word stands at the lower address."""
    byte_order: Order = Order.BIG
    """Of the two bytes within a register; Modbus itself says big."""
    scale: float = 1.0
    """Multiplies the raw number: to the unit of the quantity, and the ratio of the current transformers."""
    empty_too: tuple[int, ...] = ()
    """Raw numbers by which this model says "no value", beside those that are usual."""

    @property
    def count(self) -> int:
        """How many registers it takes."""
        return struct.calcsize(LETTER[self.form]) // 2

    def number(self, words: Sequence[int]) -> float | None:
        """The quantity out of its registers; None where it is none: no value, not a number, or impossible."""
        order = words if self.word_order is Order.BIG else tuple(reversed(words))
        raw = b"".join(word.to_bytes(2, self.byte_order.value) for word in order)
        (value,) = struct.unpack(f">{LETTER[self.form]}", raw)
        if value in NO_VALUE.get(self.form, ()) or value in self.empty_too or not math.isfinite(value):
            return None
        scaled = float(f"{value * self.scale:.7g}")  # as many digits as a float of 32 bits has
        return scaled if _is_possible(self.quantity, scaled) else None


class RegisterMap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A meter's model."""

    maker: str
    model: str
    verified: bool
    """Whether somebody has compared it with a real meter's display."""
    source: str
    """Manual, edition, page."""
    registers: tuple[Register, ...]
    largest_gap: Annotated[int, msgspec.Meta(ge=0, le=READ_AT_MOST)] = 8
    """Unused registers that one request may run over; 0 where the meter refuses those."""

    def wrong(self) -> str | None:
        """Why no reading could come of it; None: it is good."""
        have = [register.quantity for register in self.registers]
        twice = {one.value for one in have if have.count(one) > 1}
        if twice:
            return f"{', '.join(sorted(twice))} stands twice"
        for what, phases in PHASES.items():
            if 0 < len(set(phases) & set(have)) < len(phases):
                return f"{what}: all three phases or none"
        if Quantity.APPARENT_KVA not in have and not (set(have) >= VOLTS_AMPERES or set(have) >= PHASE_KVA):
            return "needs apparent_kva, or the kVA of all phases, or their V and A"
        if any(register.address + register.count > 65536 for register in self.registers):
            return "a register lies beyond 65535"
        return None


PHASES: Mapping[str, tuple[Quantity, Quantity, Quantity]] = {
    "kVA": (Quantity.PHASE_A_KVA, Quantity.PHASE_B_KVA, Quantity.PHASE_C_KVA),
    "V": (Quantity.PHASE_A_V, Quantity.PHASE_B_V, Quantity.PHASE_C_V),
    "A": (Quantity.PHASE_A_A, Quantity.PHASE_B_A, Quantity.PHASE_C_A),
}
PHASE_KVA = frozenset(PHASES["kVA"])
VOLTS_AMPERES = frozenset(PHASES["V"] + PHASES["A"])


class Block(msgspec.Struct, frozen=True):
    """One request."""

    function: int
    address: int
    count: int


def blocks(registers: Sequence[Register], largest_gap: int) -> tuple[Block, ...]:
    """As few requests as read all registers, none over 125 of them and none over a larger gap."""
    found: list[Block] = []
    for register in sorted(registers, key=lambda one: (one.function, one.address)):
        end = register.address + register.count
        last = found[-1] if found else None
        if last is not None and last.function == register.function:
            joined = max(end, last.address + last.count) - last.address
            if register.address - (last.address + last.count) <= largest_gap and joined <= READ_AT_MOST:
                found[-1] = Block(last.function, last.address, joined)
                continue
        found.append(Block(register.function, register.address, register.count))
    return tuple(found)


def _is_possible(quantity: Quantity, value: float) -> bool:
    match quantity:
        case Quantity.OIL_TEMP_C:
            return OIL_C[0] <= value <= OIL_C[1]
        case Quantity.ACTIVE_KW:
            return abs(value) <= AT_MOST  # it may feed back
        case _:
            return 0 <= value <= AT_MOST
