"""The demo's sign-in: a random password, written once into a file that only its owner reads."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

USERNAME = "demo"
MODE = 0o600


class NoSignIn(Exception):
    """The file is not there or not as it must be; the text says what to do."""


@dataclass(frozen=True, slots=True, repr=False)
class SignIn:
    """Login and password."""

    username: str
    password: str


def read_sign_in(file: Path) -> SignIn:
    """The sign-in as it was written; raises NoSignIn."""
    try:
        lines = dict(line.split(": ", 1) for line in file.read_text(encoding="utf-8").splitlines() if ": " in line)
        return SignIn(lines["username"], lines["password"])
    except (OSError, KeyError) as error:
        raise NoSignIn(f"{file} holds no sign-in: run `python -m webapi.demo seed` first") from error


def keep_sign_in(file: Path) -> SignIn:
    """Read the sign-in, or make one with a new password, readable for its owner only from its first byte on."""
    try:
        return read_sign_in(file)
    except NoSignIn:
        pass
    made = SignIn(USERNAME, secrets.token_urlsafe(15))
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE), "w", encoding="utf-8") as out:
        out.write(f"username: {made.username}\npassword: {made.password}\n")
    fresh.replace(file)
    return made
