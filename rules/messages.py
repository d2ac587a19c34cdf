"""What goes into the engine and what comes out: messages of the topic table, the passing of time, publications."""

from dataclasses import dataclass
from typing import Any

from evcs.contracts.envelope import Payload
from evcs.contracts.topics import Address, Topic


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of the topic table."""

    topic: Topic[Any]
    address: Address
    payload: Payload


@dataclass(frozen=True, slots=True)
class Gone:
    """A retained level of somebody else was taken away."""

    topic: Topic[Any]
    address: Address


@dataclass(frozen=True, slots=True)
class Began:
    """This owner counts as just started (process start, stalled loop, session taken over): all it knew is void."""

    since_ms: int
    """Stands in its `service` level and asks the worker for a resume."""


@dataclass(frozen=True, slots=True)
class PictureComplete:
    """Every retained level of the view has been heard once since `Began`."""


@dataclass(frozen=True, slots=True)
class PictureLost:
    """The view is interrupted: nothing is decided until the picture is complete again."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed; once a second for each station, also when nothing is heard.

    A large owner takes its stations in turn, every so manyth at a time, so that no reading waits for all of them.
    """

    part: int = 0
    parts: int = 1


Message = Heard | Gone | Began | PictureComplete | PictureLost | Tick


@dataclass(frozen=True, slots=True)
class Publish:
    """Publish a payload of the topic table."""

    topic: Topic[Any]
    name: str
    """The topic's string."""
    payload: Payload
    first: bool = False
    """The broker must have acknowledged it before anything behind it goes out."""


@dataclass(frozen=True, slots=True)
class Clear:
    """Clear a retained level that nothing stands behind any more."""

    name: str


Action = Publish | Clear
