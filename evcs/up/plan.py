"""What a run consists of, as declarations: children, what each needs first, and the order of stopping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

STOP_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class Child:
    """One process of the run.

    A `once` child has done its part when it ends with 0; any other child is to run for ever. `port` is the TCP port
    on loopback that accepts when the child is ready; without one it counts as ready when it has started.
    `needs` names the children that must be ready before this one starts.
    """

    name: str
    command: tuple[str, ...]
    what: str
    needs: tuple[str, ...] = ()
    port: int | None = None
    once: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    stop_timeout_s: float = STOP_TIMEOUT_S


@dataclass(frozen=True, slots=True)
class Plan:
    """Groups of children; they stop in reverse order of the groups, those of one group together."""

    groups: tuple[tuple[Child, ...], ...]

    def __post_init__(self) -> None:
        """Raise ValueError for a name that stands twice or a need that no earlier group meets."""
        known: set[str] = set()
        for group in self.groups:
            for child in group:
                if child.name in known or sum(other.name == child.name for other in group) > 1:
                    raise ValueError(f"two children are called {child.name}")
                if unmet := set(child.needs) - known:
                    raise ValueError(f"{child.name} needs {', '.join(sorted(unmet))}, which no earlier group starts")
            known |= {child.name for child in group}

    def __iter__(self) -> Iterator[Child]:
        return (child for group in self.groups for child in group)
