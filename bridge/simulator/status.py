"""How a fleet is doing, as figures: for its log, and for the line that a terminal shows. Pure."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bridge.simulator.counts import Counts
from bridge.simulator.gun import Gun
from bridge.simulator.link import SimulatedPile


@dataclass(frozen=True, slots=True)
class Status:
    """A moment of the fleet; rates since the moment before."""

    piles: int
    online: int
    guns: Counter[str]
    kw: int
    unconfirmed: int
    sent_per_s: float
    received_per_s: float
    troubles: Counter[str]


class Watch:
    """Looks at a fleet again and again."""

    def __init__(self, piles: Sequence[SimulatedPile], counts: Counts) -> None:
        self._piles = piles
        self._counts = counts
        self._before = (0, 0)

    def look(self, passed_s: float) -> Status:
        """The fleet now, `passed_s` after the look before."""
        guns = [gun for pile in self._piles for gun in pile.pile.guns.values()]
        sent, received = self._counts.sent, self._counts.received
        rates = [
            (now - then) / passed_s if passed_s > 0 else 0.0
            for now, then in zip((sent, received), self._before, strict=True)
        ]
        self._before = (sent, received)
        troubles: Counter[str] = Counter()
        for pile in self._piles:
            troubles.update({trouble.value: count for trouble, count in pile.troubles.happened.items()})
        return Status(
            piles=len(self._piles),
            online=sum(pile.is_online for pile in self._piles),
            guns=Counter(_word(gun) for gun in guns),
            kw=sum(gun.power_w for gun in guns) // 1000,
            unconfirmed=sum(len(pile.pile.records) for pile in self._piles),
            sent_per_s=rates[0],
            received_per_s=rates[1],
            troubles=troubles,
        )


def _word(gun: Gun) -> str:
    if gun.session is not None:
        return gun.session.phase.name.lower()
    if gun.faulty:
        return "faulty"
    if gun.shown:
        return "refused"
    return "plugged" if gun.is_plugged else "free"


def line(status: Status) -> str:
    """One line for a terminal."""
    guns = " ".join(f"{count} {word}" for word, count in sorted(status.guns.items()))
    troubles = " ".join(f"{name} {count}" for name, count in status.troubles.most_common(4))
    return (
        f"{status.online}/{status.piles} online | {guns} | {status.kw} kW | "
        f"{status.sent_per_s:.0f}↑ {status.received_per_s:.0f}↓ frames/s | {status.unconfirmed} records open"
        + (f" | {troubles}" if troubles else "")
    )
