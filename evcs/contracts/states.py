"""States and kinds that stand in messages and rows, and the one join that says what to show."""

from enum import StrEnum


class GunState(StrEnum):
    """What a gun is doing (domain, gun state map)."""

    OFFLINE = "offline"
    IDLE = "idle"
    PLUGGED = "plugged"
    STARTING = "starting"
    CHARGING = "charging"
    FINISHED = "finished"
    FAULTED = "faulted"
    RESERVED = "reserved"
    DISABLED = "disabled"


READY_TO_START = frozenset({GunState.PLUGGED, GunState.FINISHED})
"""A start needs a plugged gun without a session."""

RUNNING = frozenset({GunState.STARTING, GunState.CHARGING})


class Band(StrEnum):
    """Load band of a transformer."""

    NORMAL = "normal"
    LIMITED = "limited"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


class TariffBand(StrEnum):
    """尖 sharp, 峰 peak, 平 flat, 谷 valley, 深谷 deep valley."""

    SHARP = "sharp"
    PEAK = "peak"
    FLAT = "flat"
    VALLEY = "valley"
    DEEP_VALLEY = "deep_valley"


class OrderState(StrEnum):
    """A charging order's life (domain, Terms §3)."""

    HOLDING = "holding"
    QUEUED = "queued"
    COMMANDED = "commanded"
    STARTING = "starting"
    CHARGING = "charging"
    STOPPING = "stopping"
    ENDED = "ended"
    SETTLED = "settled"
    REFUSED = "refused"
    START_FAILED = "start_failed"
    CANCELLED = "cancelled"
    EXCEPTION = "exception"
    REVIEW = "review"
    REFUNDED = "refunded"


OPEN_ORDER = frozenset(
    {
        OrderState.HOLDING,
        OrderState.QUEUED,
        OrderState.COMMANDED,
        OrderState.STARTING,
        OrderState.CHARGING,
        OrderState.STOPPING,
        OrderState.ENDED,
        OrderState.EXCEPTION,
    }
)
"""Orders that the worker resumes with `rules` after a restart and that hold a gun."""


class GoalKind(StrEnum):
    """充满, 定时, 定金额, 定电量."""

    FULL = "full"
    TIME = "time"
    AMOUNT = "amount"
    ENERGY = "energy"


class StartSource(StrEnum):
    """Who started a charge (启动方式)."""

    APP = "app"
    CARD = "card"
    OFFLINE_CARD = "offline_card"
    VIN = "vin"
    PLATFORM = "platform"
    PARTNER = "partner"


class CapState(StrEnum):
    """How far a power allowance has come: sent, confirmed (0x51), applied (seen in telemetry) or failed."""

    NONE = "none"
    SENT = "sent"
    CONFIRMED = "confirmed"
    APPLIED = "applied"
    FAILED = "failed"


class Proof(StrEnum):
    """How a pile proved who it is, weakest first."""

    NUMBER = "number"
    KEY = "key"
    CERTIFICATE = "certificate"


PROOF_RANK = {Proof.NUMBER: 0, Proof.KEY: 1, Proof.CERTIFICATE: 2}


class Scope(StrEnum):
    """For what a protocol can set a power cap."""

    PILE = "pile"
    GUN = "gun"


class StopClass(StrEnum):
    """What a pile's stop code means for the order (YKC V1.6 §9)."""

    NORMAL = "normal"
    START_FAILED = "start_failed"
    ABNORMAL = "abnormal"
    UNKNOWN = "unknown"


def shown_state(gun: GunState, *, pile_online: bool, bridge_online: bool) -> GunState:
    """What to show for a gun: offline as soon as its pile or the bridge that holds it is gone."""
    return gun if pile_online and bridge_online else GunState.OFFLINE
