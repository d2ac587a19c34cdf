"""Logging in and staying alive."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoginSaid:
    pile: str
    kind: str
    """dc or ac."""
    gun_count: int
    protocol: str
    """With its version, `ykc1.6`."""
    firmware: str


@dataclass(frozen=True, slots=True)
class HeartbeatSaid:
    pile: str
    gun_text: str
    """The gun as it stood in the frame: the answer repeats it, also where it is no gun of ours."""


@dataclass(frozen=True, slots=True)
class LoginAnswer:
    pile: str
    ok: bool


@dataclass(frozen=True, slots=True)
class HeartbeatAnswer:
    pile: str
    gun_text: str


Said = LoginSaid | HeartbeatSaid
Told = LoginAnswer | HeartbeatAnswer
