"""Pure: a message of the contracts → a point of the store."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

from evcs.contracts.envelope import ContractError
from evcs.contracts.gun import Telemetry
from evcs.contracts.measurements import GUN, TRANSFORMER
from evcs.contracts.topics import READING, TELEMETRY, Address, Topic
from evcs.contracts.transformer import TransformerReading
from evcs.store.interface import Point, Value
from ingest.errors import RejectReason, Unreadable

P = TypeVar("P")

REMEMBERED_TOPICS = 100_000


def gun_point(topic: str, payload: bytes) -> Point:
    """A gun's reading (`G/telemetry`). Raises Unreadable."""
    address, tags = _GUNS.of(topic)
    told = _decoded(TELEMETRY, payload)
    if told.pile != address.pile or told.gun != address.gun:
        raise Unreadable(RejectReason.NAMES_DIFFER, f"the payload speaks of pile {told.pile}, gun {told.gun}")
    return Point(GUN, tags, _gun_fields(told), told.received_at)


def transformer_point(topic: str, payload: bytes) -> Point:
    """A reading of a transformer's meter (`T/reading`). Raises Unreadable."""
    address, tags = _TRANSFORMERS.of(topic)
    told = _decoded(READING, payload)
    if told.transformer != address.transformer:
        raise Unreadable(RejectReason.NAMES_DIFFER, f"the payload speaks of transformer {told.transformer}")
    return Point(TRANSFORMER, tags, _transformer_fields(told), told.received_at)


@dataclass(frozen=True, slots=True)
class Source:
    """A topic that is stored, and how it becomes points."""

    topic: Topic[Any]
    point: Callable[[str, bytes], Point]


SOURCES = (Source(TELEMETRY, gun_point), Source(READING, transformer_point))


def _decoded(topic: Topic[P], payload: bytes) -> P:
    try:
        return topic.decode(payload)
    except ContractError as error:
        raise Unreadable(RejectReason.NOT_THE_CONTRACT, str(error)) from error


class _Series:
    """Topics seen, taken apart: a gun reports all day under the same one."""

    def __init__(self, topic: Topic[Any], tags: Callable[[Address], tuple[str, ...]]) -> None:
        self._topic = topic
        self._tags = tags
        self._seen: dict[str, tuple[Address, tuple[str, ...]]] = {}

    def of(self, name: str) -> tuple[Address, tuple[str, ...]]:
        """Address and tags; raises Unreadable."""
        found = self._seen.get(name)
        if found is None:
            address = self._topic.parse(name)
            if address is None:
                raise Unreadable(RejectReason.TOPIC_MALFORMED, f"not a topic of {self._topic.leaf}")
            if len(self._seen) >= REMEMBERED_TOPICS:
                self._seen.clear()
            found = self._seen[name] = (address, self._tags(address))
        return found


_GUNS = _Series(TELEMETRY, lambda address: (address.station, address.pile, str(address.gun)))
_TRANSFORMERS = _Series(READING, lambda address: (address.station, address.transformer))


def _gun_fields(told: Telemetry) -> tuple[Value | None, ...]:
    """In the order of `measurements.GUN`; a test compares the names."""
    return (
        told.state.value,
        told.serial,
        told.voltage_v,
        told.current_a,
        told.power_kw,
        _float(told.energy_kwh),
        told.soc_pct,
        told.cable_temp_c,
        told.battery_temp_max_c,
        told.battery_temp_min_c,
        told.cell_voltage_max_v,
        told.demand_voltage_v,
        told.demand_current_a,
        told.limit_voltage_v,
        told.limit_current_a,
        told.max_power_kw,
        told.elapsed_min,
        told.remaining_min,
        _float(told.cost_fen),
        told.receipt.n,
        told.receipt.started_ms,
    )


def _transformer_fields(told: TransformerReading) -> tuple[Value | None, ...]:
    """In the order of `measurements.TRANSFORMER`."""
    nothing = (None, None, None)
    return (
        told.apparent_kva,
        told.active_kw,
        *(told.phase_kva or nothing),
        *(told.phase_voltage_v or nothing),
        *(told.phase_current_a or nothing),
        told.oil_temp_c,
    )


def _float(exact: Decimal | None) -> float | None:
    """Curves are drawn, not billed: money and energy of a bill never come from the telemetry store."""
    return None if exact is None else float(exact)
