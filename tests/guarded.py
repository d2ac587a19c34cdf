"""A Mosquitto with the published access list, a user for each role, and a watcher who may do everything."""

import hashlib
import os
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

from evcs.contracts import acl
from tests.servers import Mosquitto

PASSWORD = "only here"
WATCHER = "watcher"
PORTAL = "city-portal"
PUBLISHED = Path(__file__).resolve().parents[1] / "mosquitto" / "acl"
USERS = {role: acl.USER.format(role=role) for role in acl.SERVICES} | {"integrators": PORTAL}
"""Role → user at the broker; all have the one password."""


class Guarded(Mosquitto):
    """Nobody gets in without a name; with `onlookers` anybody may, and sees everything, but says nothing."""

    def __init__(self, folder: Path, *, portal_stations: Sequence[str] = (), onlookers: bool = False) -> None:
        super().__init__(folder)
        self._stations = portal_stations
        self._onlookers = onlookers

    def _command(self) -> list[str]:
        command = super()._command()
        conf, users, rights = self.folder / "mosquitto.conf", self.folder / "users", self.folder / "acl"
        users.write_text("".join(_hashed(name) for name in (*USERS.values(), WATCHER)))
        # Lines before the first user are for those who give no name.
        rights.write_text(
            ("topic read #\n" if self._onlookers else "")
            + f"{PUBLISHED.read_text()}\n{acl.integrator(PORTAL, self._stations)}\nuser {WATCHER}\ntopic readwrite #\n"
        )
        text = conf.read_text()
        if not self._onlookers:
            text = text.replace("allow_anonymous true", "allow_anonymous false")
        conf.write_text(f"{text}password_file {users}\nacl_file {rights}\n")
        return command


def _hashed(user: str) -> str:
    salt = os.urandom(12)
    digest = hashlib.pbkdf2_hmac("sha512", PASSWORD.encode(), salt, 101)
    return f"{user}:$7$101${b64encode(salt).decode()}${b64encode(digest).decode()}\n"
