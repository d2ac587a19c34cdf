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
    meter_kva: float | None = None
    """What the meter says, worst phase; None: no meter, or none that may be trusted."""
    estimate_kva: float | None = None
    """Guns ÷ efficiency and base load; shown beside the meter."""
    meter_at: Instant | None = None
    """When the meter was last read."""
    limited_pct: float | None = None
    """The thresholds in force now: in degraded mode others than configured."""
    blocked_pct: float | None = None
    degraded_until: Instant | None = None
    """Degraded mode in force: the estimate counts instead of a dead meter (domain A11)."""
    over_since: Instant | None = None
    """Since when the load has been above the overload threshold."""
    curtailed: int = 0
    """Running sessions that are held below what they were admitted with because of an overload or of sharing."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """An order that waits for the band to open."""

    serial: Serial
    pile: str
    gun: int
    position: int
    """From 1, the head."""
    expires_at: Instant
    since: Instant | None = None
    """When it began to wait."""
    estimate_s: int | None = None
    """Seconds until it may start, guessed from the sessions under way; None: no guess."""


class TransformerQueue(Payload, frozen=True, kw_only=True):
    """`T/queue`: retained. Who waits for the band to open."""

    version: Annotated[int, msgspec.Meta(ge=0)]
    transformer: Code
    waiting: tuple[Waiting, ...] = ()
