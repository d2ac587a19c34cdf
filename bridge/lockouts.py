"""Pure: which lockouts (停用) of a pile's configuration are in force."""

from evcs.contracts.config import GunConfig, PileConfig
from evcs.contracts.times import Instant


def is_pile_locked(config: PileConfig, at: Instant) -> bool:
    """Whether the whole pile is locked out: only then may 0x52 take its work permission."""
    return config.lockout is not None and config.lockout.in_force(at)


def is_gun_locked(config: PileConfig, gun: GunConfig, at: Instant) -> bool:
    """Whether a gun is locked out, by itself or with its pile."""
    return is_pile_locked(config, at) or (gun.lockout is not None and gun.lockout.in_force(at))
