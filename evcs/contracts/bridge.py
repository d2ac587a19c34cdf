"""What a bridge and the other services say about themselves, and piles that nobody knows."""

from typing import Annotated

import msgspec

from evcs.contracts.envelope import Payload
from evcs.contracts.ids import Code
from evcs.contracts.times import Instant


class BridgeStatus(Payload, frozen=True, kw_only=True):
    """`B/status`: retained, last will. Readers join it with the piles that name this bridge and this start."""

    version: Annotated[int, msgspec.Meta(ge=0)]
    bridge: Code
    online: bool
    started_ms: int
    """The bridge's start, wall time in ms; a pile's status counts only with the same start."""
    since: Instant
    address: str = ""
    """Where piles connect, `host:port`."""


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """The worker's word that it has published everything for one start of a `rules` shard."""

    instance: str
    since_ms: int
    """The `since_ms` of the `rules` service level that is answered."""
    resumes: Annotated[int, msgspec.Meta(ge=0)]
    """How many `resume` requests were published for it."""


class ServiceStatus(Payload, frozen=True, kw_only=True):
    """`evcs/v1/service/{name}/{instance}`: retained, last will.

    `ready` means that the persistent session exists and its subscriptions are granted.
    """

    version: Annotated[int, msgspec.Meta(ge=0)]
    name: str
    instance: str
    ready: bool
    since_ms: int
    """Start of this run (or of the one after a stalled loop), wall ms; a new value asks the worker for a resume."""
    software: str = ""
    answered: tuple[Answered, ...] = ()
    """Only of the worker."""


class UnknownPile(Payload, frozen=True, kw_only=True):
    """`B/unknown_pile`: somebody who said a number that no `config/pile` names."""

    number: str
    address: str
    reason: str
    frames_hex: tuple[str, ...]
    received_at: Instant
