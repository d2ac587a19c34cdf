"""The caps of a session: each source sets and clears its own, the lowest binds and is named."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol

from evcs.contracts.session import Held, HeldCap


class CapSource(StrEnum):
    """Who may cap a session; where two say the same, the first named here is said to bind."""

    TRANSFORMER = "transformer"
    """The rule at its admission (requirement 3(1)); released one at a time."""
    HAND = "hand"
    """A person (功率设置): follows the gun's configuration."""
    OVERLOAD = "overload"
    """Above the overload threshold."""
    SHARING = "sharing"
    FEEDER = "feeder"
    PROTECTION = "protection"
    """The action `derate` of an alarm."""


_ORDER = {source: place for place, source in enumerate(CapSource)}

PILE_FLOOR = "pile_floor"
"""What is said to bind where the protocol cannot go as low as the caps ask; no source of its own."""

LASTING = (CapSource.TRANSFORMER, CapSource.HAND)
"""Caps that nobody renews: what a level without its list of caps may be taken for."""


class Capped(Protocol):
    """A session, as far as its caps go."""

    caps: dict[CapSource, float]
    """kW of output."""


def set_cap(session: Capped, source: CapSource, cap_kw: float | None) -> bool:
    """Set or clear (None) the cap of one source, kW; returns whether that changed anything.

    A lower cap reaches the pile by the next `plan`. A higher one, or none, does not: it is heeded by the pile only
    after `power.lift` has weighed it like a start.
    """
    if session.caps.get(source) == cap_kw:
        return False
    if cap_kw is None:
        del session.caps[source]
    else:
        session.caps[source] = cap_kw
    return True


def lowest(caps: Iterable[tuple[CapSource, float]], rated_kw: float) -> tuple[CapSource, float] | None:
    """The cap that binds, with its source; None where none is below the gun's rating."""
    binding = [(kw, _ORDER[source], source) for source, kw in caps if kw < rated_kw]
    if not binding:
        return None
    cap_kw, _, source = min(binding)
    return source, cap_kw


def told(caps: dict[CapSource, float]) -> tuple[HeldCap, ...]:
    """For the level: every cap, the lowest first."""
    return tuple(HeldCap(source=source, cap_kw=kw) for source, kw in sorted(caps.items(), key=lambda cap: cap[1]))


def restored_caps(held: Held) -> dict[CapSource, float]:
    """The caps of a session from its retained level.

    Each source looks at its own again: a cap by an overload, by sharing or by an alarm ends by its own rule, weighed,
    since `set_cap` alone lifts nothing. A level of an older edition tells only the lowest.
    """
    if held.caps:
        known = {source.value: source for source in CapSource}
        return {known[cap.source]: cap.cap_kw for cap in held.caps if cap.source in known}
    if held.cap_kw is None:
        return {}
    source = next((one for one in CapSource if one == held.bound_by), CapSource.TRANSFORMER)
    return {source: held.cap_kw}
