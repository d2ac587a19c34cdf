"""Fault bits are published as they stand in 0x13; which of them is Bit1 is a setting of the model, read beside them."""

from typing import Any

import pytest
from msgspec.structs import replace

from bridge.protocols.ykc import codes
from bridge.protocols.ykc.codes import GunState as WireGun
from evcs.contracts.gun import GunEventKind
from evcs.contracts.states import GunState
from evcs.contracts.topics import GUN_EVENT, GUN_STATE
from tests.bridge.kit import Desk, pile_config, realtime


@pytest.mark.parametrize(
    ("base", "bits", "numbers"),
    [
        (0, 0x0001, (1,)),
        (1, 0x0002, (1,)),
        (1, 0x0082, (1, 7)),  # recorded: emergency stop and meter lost, from a pile that counts from 1
        (0, 0x0041, (1, 7)),
        (0, 0x1000, (13,)),
        (1, 0x2000, (13,)),
        (1, 0x0001, (0,)),  # reserved there: shown all the same, a wrong base must not hide it
        (1, 0xC000, (14, 15)),
        (0, 0x8000, (16,)),
    ],
)
def test_what_is_published_is_raw_and_names_the_faults_with_the_model_s_base(
    base: int, bits: int, numbers: tuple[int, ...]
) -> None:
    desk = Desk(replace(pile_config(), fault_bit_base=base)).ready()
    desk.wire.say(realtime(1, WireGun.FAULT, plugged=1, fault_bits=bits))
    level = desk.last(GUN_STATE)
    assert (level.state, level.fault_bits) == (GunState.FAULTED, bits)
    raised: Any = desk.last(GUN_EVENT)
    assert (raised.kind, raised.fault_bits) == (GunEventKind.FAULT_RAISED, bits)
    assert codes.fault_numbers(raised.fault_bits, desk.config.fault_bit_base) == numbers
    desk.wire.say(realtime(1, plugged=1))
    cleared: Any = desk.last(GUN_EVENT)
    assert (cleared.kind, cleared.fault_bits) == (GunEventKind.FAULT_CLEARED, bits)
    assert desk.last(GUN_STATE).fault_bits == 0


def test_a_fault_without_a_bit_is_one() -> None:
    desk = Desk().ready()
    desk.wire.say(realtime(1, WireGun.FAULT, plugged=1))
    assert desk.last(GUN_STATE).state is GunState.FAULTED
    assert desk.of(GUN_EVENT) == []
