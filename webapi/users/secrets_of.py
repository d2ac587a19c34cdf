"""Secrets of sign-in: passwords by argon2id, cookies and tokens as 256 random bits of which only SHA-256 is kept."""

import hashlib
import secrets
from functools import cache
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from webapi.errors import ApiError

AT_ONCE = 2
"""Each verification takes 64 MiB and most of a core for a moment: more at once would only starve the rest."""
WAIT_S = 5.0

_hasher = PasswordHasher()
_room = BoundedSemaphore(AT_ONCE)


class TooBusy(ApiError):
    """Too many verifications wait already."""


def hash_password(password: str) -> str:
    """The argon2id hash to keep."""
    return _hasher.hash(password)


@cache
def _nobody() -> str:
    """A hash that no password has: users who do not exist take as long as those who do."""
    return _hasher.hash(secrets.token_urlsafe(32))


def verify_password(kept: str | None, password: str) -> bool:
    """Whether the password belongs to the hash; none (no such user) takes the same time. Raises TooBusy."""
    if not _room.acquire(timeout=WAIT_S):
        raise TooBusy
    try:
        return _hasher.verify(kept or _nobody(), password) and kept is not None
    except (Argon2Error, InvalidHashError):
        return False
    finally:
        _room.release()


def new_secret() -> str:
    """256 random bits, as text for a header or cookie."""
    return secrets.token_urlsafe(32)


def fingerprint(secret: str) -> str:
    """What is kept of a random secret: SHA-256, hex."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
