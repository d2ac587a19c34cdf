"""Pure: a meter's registers as they were read → a transformer's reading, or which quantities stand in its way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.meter.registers import PHASES, Block, Quantity, RegisterMap
from evcs.contracts.transformer import TransformerReading

Phases = tuple[float, float, float]
Words = Mapping[Block, Sequence[int]]

LEFT_OUT = frozenset({Quantity.OIL_TEMP_C, *PHASES["V"]})
"""A reading may be without these; without any other that the map has, what is left would look like less load."""


@dataclass(frozen=True, slots=True)
class Read:
    """The reading, none where it could be a wrong one (promise S3), and what was not readable."""

    reading: TransformerReading | None
    bad: tuple[Quantity, ...]


def reading_of(transformer: str, registers: RegisterMap, words: Words, at: datetime) -> Read:
    """Compose the reading of a transformer from all blocks of its meter."""
    values = {
        one.quantity: one.number(_words(words, one.function, one.address, one.count)) for one in registers.registers
    }
    bad = tuple(quantity for quantity, value in values.items() if value is None)
    good = {quantity: value for quantity, value in values.items() if value is not None}
    volts, amperes, kva = (_phases(good, what) for what in ("V", "A", "kVA"))
    if kva is None and volts is not None and amperes is not None:
        kva = _times(volts, amperes)
    apparent = good.get(Quantity.APPARENT_KVA)
    if apparent is None and kva is not None:
        apparent = sum(kva)
    if apparent is None or not LEFT_OUT.issuperset(bad):
        return Read(None, bad)
    reading = TransformerReading(
        transformer=transformer,
        received_at=at,
        apparent_kva=apparent,
        active_kw=good.get(Quantity.ACTIVE_KW),
        phase_kva=kva,
        phase_voltage_v=volts,
        phase_current_a=amperes,
        oil_temp_c=good.get(Quantity.OIL_TEMP_C),
    )
    return Read(reading, bad)


def _words(words: Words, function: int, address: int, count: int) -> Sequence[int]:
    for block, read in words.items():
        start = address - block.address
        if block.function == function and start >= 0 and start + count <= len(read):
            return read[start : start + count]
    raise ValueError(f"register {address} of function {function} was not read")


def _phases(values: Mapping[Quantity, float], what: str) -> Phases | None:
    a, b, c = (values.get(quantity) for quantity in PHASES[what])
    return None if a is None or b is None or c is None else (a, b, c)


def _times(volts: Phases, amperes: Phases) -> Phases:
    """kVA of each phase: effective voltage (to neutral) times effective current."""
    a, b, c = (volt * ampere / 1000 for volt, ampere in zip(volts, amperes, strict=True))
    return a, b, c
