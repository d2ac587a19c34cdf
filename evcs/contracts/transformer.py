"""A transformer's meter reading, the policy in force, and its queue."""

from typing import Annotated

import msgspec

from evcs.contracts.envelope import Payload
from evcs.contracts.ids import Code, Serial
from evcs.contracts.power import Kw
from evcs.contracts.states import Band
from evcs.contracts.times import Instant


class TransformerReading(Payload, frozen=True, kw_only=True):
    """`T/reading`: from the transformer's meter."""

    transformer: Code
    received_at: Instant
    apparent_kva: float | None = None
    active_kw: float | None = None
    phase_kva: tuple[float, float, float] | None = None
    phase_voltage_v: tuple[float, float, float] | None = None
    phase_current_a: tuple[float, float, float] | None = None
    oil_temp_c: float | None = None


class TransformerPolicy(Payload, frozen=True, kw_only=True):
    """`T/policy`: retained. % of the rated apparent power."""

    version: Annotated[int, msgspec.Meta(ge=0)]
    transformer: Code
    band: Band
    load_pct: float | None
    """None: no figure (stale meter)."""
    planned_pct: float | None
    load_kva: float | None = None
    guns_kw: Kw = 0.0
    """Sum of the guns' output, as last read."""
    rated_kva: float = 0.0
    source: str
    """meter or estimate: which figure counts."""
    why_zh: str = ""
    why_en: str = ""
    since: Instant
    """Since when this band is in force."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """An order that waits for the band to open."""

    serial: Serial
    pile: str
    gun: int
    position: int
    expires_at: Instant


class TransformerQueue(Payload, frozen=True, kw_only=True):
    """`T/queue`: retained. Who waits for the band to open."""

    version: Annotated[int, msgspec.Meta(ge=0)]
    transformer: Code
    waiting: tuple[Waiting, ...] = ()
