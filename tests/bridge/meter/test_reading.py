"""A reading out of all registers: what is derived, what may be missing, what withholds the whole."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from bridge.meter.reading import Read, reading_of
from bridge.meter.registers import Form, Quantity, Register, RegisterMap, blocks

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
Q = Quantity
VOLTS = {Q.PHASE_A_V: 230, Q.PHASE_B_V: 231, Q.PHASE_C_V: 229}
AMPERES = {Q.PHASE_A_A: 100, Q.PHASE_B_A: 200, Q.PHASE_C_A: 300}
KVA = {Q.PHASE_A_KVA: 20, Q.PHASE_B_KVA: 40, Q.PHASE_C_KVA: 60}
NOTHING = 0xFFFF


def map_of(quantities: Mapping[Quantity, int]) -> RegisterMap:
    registers = tuple(Register(quantity=one, address=n, form=Form.U16) for n, one in enumerate(quantities))
    return RegisterMap(maker="m", model="m", verified=True, source="test", registers=registers)


def read(values: Mapping[Quantity, int]) -> Read:
    registers = map_of(values)
    (block,) = blocks(registers.registers, registers.largest_gap)
    return reading_of("t1", registers, {block: list(values.values())}, AT)


def test_everything_that_a_meter_has_is_in_the_reading() -> None:
    found = read({Q.APPARENT_KVA: 123, Q.ACTIVE_KW: 110, **KVA, **VOLTS, **AMPERES, Q.OIL_TEMP_C: 55}).reading
    assert found is not None
    assert (found.transformer, found.received_at) == ("t1", AT)
    assert (found.apparent_kva, found.active_kw, found.oil_temp_c) == (123, 110, 55)
    assert found.phase_kva == (20, 40, 60)
    assert found.phase_voltage_v == (230, 231, 229)
    assert found.phase_current_a == (100, 200, 300)


def test_apparent_power_is_that_of_the_phases_where_the_meter_does_not_say_it() -> None:
    by_phase = read(KVA).reading
    assert by_phase is not None
    assert by_phase.apparent_kva == 120
    by_volts = read({**VOLTS, **AMPERES}).reading
    assert by_volts is not None
    assert by_volts.phase_kva == pytest.approx((23.0, 46.2, 68.7))
    assert by_volts.apparent_kva == pytest.approx(137.9)


@pytest.mark.parametrize("quantity", [Q.APPARENT_KVA, Q.ACTIVE_KW, *KVA, *AMPERES])
def test_a_load_without_a_possible_value_withholds_the_reading(quantity: Quantity) -> None:
    everything = {Q.APPARENT_KVA: 123, Q.ACTIVE_KW: 110, **KVA, **VOLTS, **AMPERES}
    assert read({**everything, quantity: NOTHING}) == Read(None, (quantity,))


@pytest.mark.parametrize("quantity", [Q.OIL_TEMP_C, *VOLTS])
def test_a_missing_temperature_or_voltage_is_left_out(quantity: Quantity) -> None:
    found = read({Q.APPARENT_KVA: 123, **VOLTS, Q.OIL_TEMP_C: 55, quantity: NOTHING})
    assert found.bad == (quantity,)
    assert found.reading is not None
    assert found.reading.apparent_kva == 123
    left_out = found.reading.oil_temp_c if quantity is Q.OIL_TEMP_C else found.reading.phase_voltage_v
    assert left_out is None


def test_a_voltage_on_which_the_load_rests_withholds_the_reading() -> None:
    assert read({**VOLTS, **AMPERES, Q.PHASE_B_V: NOTHING}).reading is None


@pytest.mark.parametrize(
    ("quantities", "why"),
    [
        ((Q.ACTIVE_KW,), "needs apparent_kva"),
        ((Q.APPARENT_KVA, Q.PHASE_A_A), "A: all three"),
        ((Q.APPARENT_KVA, Q.APPARENT_KVA), "stands twice"),
        (tuple(AMPERES), "needs apparent_kva"),
        ((Q.APPARENT_KVA,), None),
        (tuple(KVA), None),
        ((*VOLTS, *AMPERES), None),
    ],
)
def test_a_map_without_a_load_is_refused(quantities: tuple[Quantity, ...], why: str | None) -> None:
    registers = tuple(Register(quantity=one, address=n, form=Form.U16) for n, one in enumerate(quantities))
    wrong = RegisterMap(maker="m", model="m", verified=True, source="t", registers=registers).wrong()
    assert wrong == why if why is None else why in (wrong or "")
