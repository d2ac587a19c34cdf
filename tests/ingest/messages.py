"""Messages as a bridge and a meter publish them, short to write."""

from datetime import UTC, datetime, timedelta
from typing import Any

from evcs.contracts.envelope import Receipt
from evcs.contracts.gun import Telemetry
from evcs.contracts.states import GunState
from evcs.contracts.topics import READING, TELEMETRY
from evcs.contracts.transformer import TransformerReading

T0 = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
PILE = "32010200000001"
SERIAL = "32010200000001012605011600000001"


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def telemetry(n: int = 0, *, pile: str = PILE, gun: int = 1, **fields: Any) -> Telemetry:
    """The n-th reading of a gun, 15 s after the one before."""
    fields = {"power_kw": 60.0, "state": GunState.CHARGING, "serial": SERIAL} | fields
    return Telemetry(
        receipt=Receipt(bridge="b1", started_ms=1, n=n), received_at=at(15 * n), pile=pile, gun=gun, **fields
    )


def sent(told: Telemetry, station: str = "s1") -> tuple[str, bytes]:
    """Topic and payload."""
    return TELEMETRY.at(station=station, pile=told.pile, gun=told.gun), TELEMETRY.encode(told)


def reading(n: int = 0, *, transformer: str = "t1", **fields: Any) -> tuple[str, bytes]:
    """The n-th reading of a transformer's meter: topic and payload."""
    told = TransformerReading(transformer=transformer, received_at=at(15 * n), **fields)
    return READING.at(station="s1", transformer=transformer), READING.encode(told)
