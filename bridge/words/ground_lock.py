"""Parking locks (地锁): what they report and what they are told."""

from dataclasses import dataclass

from evcs.contracts.gun import GroundLock
from evcs.contracts.pile import LockAction


@dataclass(frozen=True, slots=True)
class GroundLockSaid:
    pile: str
    gun: int
    lock: GroundLock


@dataclass(frozen=True, slots=True)
class GroundLockAnswered:
    pile: str
    gun: int
    ok: bool
    code: int


@dataclass(frozen=True, slots=True)
class GroundLockTold:
    pile: str
    gun: int
    action: LockAction


Said = GroundLockSaid | GroundLockAnswered
Told = GroundLockTold
