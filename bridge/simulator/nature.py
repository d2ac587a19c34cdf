"""How a fleet is mixed: which pile is of which generation and dialect, by its seed. Pure."""

from dataclasses import dataclass, replace
from random import Random

from bridge.protocols.base import CrcOrder
from bridge.simulator.options import V15, V16, Echo, PileOptions

AC_W = 7_000


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of the piles, 0 … 1, and how far off their clocks are."""

    v15: float = 0.0
    high_first: float = 0.0
    own_echo: float = 0.0
    swapped_echo: float = 0.0
    fault_base_1: float = 0.0
    five_bands: float = 0.0
    ac: float = 0.0
    ground_locks: float = 0.0
    clock_error_s: float = 0.0
    """Clocks are at most so wrong at power-on, in either direction."""
    clock_drift_ppm: float = 0.0


def of_the_fleet(options: PileOptions, mix: Mix, number: str, guns: int, seed: int) -> PileOptions:
    """The nature of one pile; each trait is drawn whatever the shares are, so that one share moves no other trait."""
    dice = Random(f"{seed}/{number}/nature")
    draw = [dice.random() for _ in range(7)]
    error_s, drift_ppm = dice.uniform(-1, 1), dice.uniform(-1, 1)
    is_ac = draw[5] < mix.ac
    echo = Echo.FAITHFUL
    if draw[2] < mix.own_echo:
        echo = Echo.OWN
    elif draw[2] < mix.own_echo + mix.swapped_echo:
        echo = Echo.SWAPPED
    return replace(
        options,
        protocol_version=V15 if draw[0] < mix.v15 else V16,
        crc_order=CrcOrder.HIGH_FIRST if draw[1] < mix.high_first else CrcOrder.LOW_FIRST,
        echo=echo,
        fault_bit_base=int(draw[3] < mix.fault_base_1),
        has_five_bands=draw[4] < mix.five_bands,
        is_ac=is_ac,
        gun_w=AC_W if is_ac else options.gun_w,
        pile_w=AC_W * guns if is_ac else options.pile_w,
        has_ground_locks=draw[6] < mix.ground_locks,
        clock_offset_s=error_s * mix.clock_error_s,
        clock_drift_ppm=drift_ppm * mix.clock_drift_ppm,
    )
