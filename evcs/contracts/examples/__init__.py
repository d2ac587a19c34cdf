"""A complete message for every topic, of each kind where kinds differ: shown in the documents, run by tests."""

from typing import Any

from evcs.contracts.examples import charge, commands, config, events, gate, pile, services, starts, station
from evcs.contracts.examples.story import Example
from evcs.contracts.topics import Topic

EXAMPLES: tuple[Example[Any], ...] = (
    *services.EXAMPLES,
    *pile.EXAMPLES,
    *commands.EXAMPLES,
    *charge.EXAMPLES,
    *events.EXAMPLES,
    *gate.EXAMPLES,
    *starts.EXAMPLES,
    *station.EXAMPLES,
    *config.EXAMPLES,
)


def of(topic: Topic[Any]) -> tuple[Example[Any], ...]:
    """The examples of one topic, the plainest first."""
    return tuple(example for example in EXAMPLES if example.topic is topic)


__all__ = ["EXAMPLES", "Example", "of"]
