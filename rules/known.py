"""What the engine knows and has decided but not handed out yet; the parts of the engine share it within a step."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from evcs.contracts.bridge import BridgeStatus
from evcs.contracts.gun import Verdict
from evcs.contracts.topics import Topic
from rules.admission import Admission, decide
from rules.fault_codes import Dictionary
from rules.messages import Action
from rules.station import Gun, Pile, Station, Transformer

Decide = Callable[[Station, Transformer, Pile, Gun, datetime], Admission]
"""May this gun start now, and how hard; `rules.admission.decide`, another only where rules are compared."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message belongs."""

    station: Station
    pile: Pile
    gun: Gun

    def at(self, topic: Topic[Any]) -> str:
        """The string of one of the gun's topics."""
        return topic.at(station=self.station.code, pile=self.pile.number, gun=self.gun.number)


@dataclass(slots=True)
class Known:
    """Everything since this owner began."""

    since_ms: int = 0
    decide: Decide = decide
    has_picture: bool = False
    is_answered: bool = False
    resumes_wanted: int | None = None
    resumed: set[str] = field(default_factory=set)
    """Serials, so that a worker that answers twice is not counted twice."""
    stations: dict[str, Station] = field(default_factory=dict)
    bridges: dict[str, BridgeStatus] = field(default_factory=dict)
    dictionary: Dictionary = field(default_factory=Dictionary)
    verdicts: dict[str, tuple[Verdict, datetime]] = field(default_factory=dict)
    """By request, for its repetitions."""
    out: list[Action] = field(default_factory=list)
    """Of the step under way."""

    @property
    def is_sure(self) -> bool:
        """Whether every session that may exist is known: picture complete, the worker has answered with all resumes."""
        return self.has_picture and self.is_answered

    def station(self, code: str) -> Station:
        """The station; what is heard before its configuration is kept for it."""
        return self.stations.setdefault(code, Station(code))
