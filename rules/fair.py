"""Max-min fair shares under nested limits: nobody gets more while somebody with less could have it. Pure.

Progressive filling: one level of power rises for all; whoever is at what they want, or below a limit that is used up,
keeps what they have, and the rest rise on (Bertsekas and Gallager, Data Networks, 6.5.2).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

ROUNDING_KW = 1e-9


@dataclass(frozen=True, slots=True)
class Limit:
    """A node of the tree: what everything below it may draw together."""

    name: str
    limit_kw: float
    """Input power, kW."""
    parent: str | None = None
    """None: the root."""


@dataclass(frozen=True, slots=True)
class Demand:
    """A session that asks for power."""

    key: str
    below: str
    """The lowest limit above it."""
    wants_kw: float
    """Output, kW."""
    least_kw: float = 0.0
    """What it cannot be held below (the protocol's floor); it gets that even where a limit is too small."""
    efficiency: float = 1.0
    """Output ÷ what the limits see."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a session gets, kW of output."""

    kw: float
    bound_by: str = ""
    """The limit that keeps it below what it wants; "": none."""


@dataclass(slots=True)
class _Node:
    left_kw: float
    rising: dict[str, Demand] = field(default_factory=dict)
    level_kw: float | None = None
    """Up to which level those that still rise find room here; None: to be reckoned."""


def shares(limits: Iterable[Limit], demands: Sequence[Demand]) -> dict[str, Share]:
    """Divide the limits' power among the demands; the order of either does not matter.

    Raises ValueError for a demand below an unknown limit and for limits that form no tree.
    """
    named = {limit.name: limit for limit in limits}
    nodes = {name: _Node(limit.limit_kw) for name, limit in named.items()}
    above = {name: _chain(named, name) for name in named}
    for demand in demands:
        if demand.below not in above:
            raise ValueError(f"{demand.key}: no limit {demand.below}")
        for name in above[demand.below]:
            nodes[name].rising[demand.key] = demand
    done: dict[str, Share] = {}
    while True:
        first, level_kw = _lowest(nodes)
        if first is None:
            break
        for demand in list(nodes[first].rising.values()):
            kw = _at(demand, level_kw)
            done[demand.key] = Share(kw, first if kw < demand.wants_kw - ROUNDING_KW else "")
            for passed in above[demand.below]:
                node = nodes[passed]
                del node.rising[demand.key]
                node.left_kw -= kw / demand.efficiency
                node.level_kw = None
    return done


def _chain(named: Mapping[str, Limit], name: str) -> tuple[str, ...]:
    found: list[str] = []
    at: str | None = name
    while at is not None:
        if at in found or at not in named:
            raise ValueError(f"{name}: the limits above it form no tree")
        found.append(at)
        at = named[at].parent
    return tuple(found)


def _lowest(nodes: Mapping[str, _Node]) -> tuple[str | None, float]:
    """The limit that is used up first while the level rises, the highest in the tree where several are at once."""
    lowest: tuple[str | None, float] = (None, inf)
    for name, node in nodes.items():
        if not node.rising:
            continue
        if node.level_kw is None:
            node.level_kw = _level(node)
        if lowest[0] is None or node.level_kw < lowest[1] - ROUNDING_KW:
            lowest = (name, node.level_kw)
    return lowest


def _level(node: _Node) -> float:
    """How high the level may rise here: infinite where all get what they want, 0 where even the floors are too much."""
    used_kw = slope = 0.0
    turns: list[tuple[float, float]] = []
    for demand in node.rising.values():
        least_kw = min(demand.least_kw, demand.wants_kw)
        used_kw += least_kw / demand.efficiency
        turns += [(least_kw, 1 / demand.efficiency), (demand.wants_kw, -1 / demand.efficiency)]
    if used_kw > node.left_kw:
        return 0.0
    level_kw = 0.0
    for turn_kw, change in sorted(turns):
        rise_kw = (turn_kw - level_kw) * slope
        if used_kw + rise_kw > node.left_kw:
            return level_kw + (node.left_kw - used_kw) / slope
        used_kw += rise_kw
        level_kw = turn_kw
        slope += change
    return inf


def _at(demand: Demand, level_kw: float) -> float:
    return min(demand.wants_kw, max(min(demand.least_kw, demand.wants_kw), level_kw))
