"""Mosquitto's access list, made from the table: a user of each service may do exactly what its rows say.

Mosquitto 2.0 with an `acl_file` grants every subscription and holds back the messages that the user may not read; what
a user may not publish it takes and throws away. Both are silent.
"""

from collections.abc import Iterable
from typing import Any

from evcs.contracts.ids import is_level, shard_of
from evcs.contracts.topics import SERVICE, TABLE, Topic

USER = "evcs.{role}"
"""Names of the services' users at the broker. With its dot none can be a pile's number or a station's code."""

SERVICES = ("bridge", "meter", "simulator", "ingest", "rules", "webapi")

SERVICE_NAMES = {"webapi": "worker"}
"""Under which name a role speaks for itself on `service`, where that is not the role's own."""


class AclError(ValueError):
    """A name that may not stand in an access list."""


def acl_file() -> str:
    """The list of all services; outside systems are added to it by name, see `integrator`."""
    blocks = [
        "# Written by `make docs` from evcs/contracts/topics.py; edit that instead.\n"
        "# For `acl_file`. A user without a line may do nothing. Outside systems are added behind, station by station.",
        *("\n".join([f"user {USER.format(role=role)}", *_of_role(role)]) for role in SERVICES),
    ]
    return "\n\n".join(blocks) + "\n"


def integrator(user: str, stations: Iterable[str]) -> str:
    """The lines of an outside system: what integrators may read, of its stations alone.

    Raises AclError where the name or a code could say more than it should.
    """
    if not is_level(user):
        raise AclError(f"{user!r} is no name for a user")
    lines = [f"user {user}"]
    common = [topic for topic in TABLE if "integrators" in topic.to and "{station}" not in topic.pattern]
    own = [topic for topic in TABLE if "integrators" in topic.to and "{station}" in topic.pattern]
    lines += [f"topic read {topic.everywhere}" for topic in common]
    for station in stations:
        if not is_level(station):
            raise AclError(f"{station!r} is no station's code")
        lines += [f"topic read {_of_station(topic, station)}" for topic in own]
    return "\n".join(lines) + "\n"


def _of_role(role: str) -> list[str]:
    """One line for each row of the table that names the role; who writes may read it, too."""
    lines = []
    for topic in TABLE:
        if role in topic.by:
            own = _own_service(topic, role)
            lines.append(f"topic readwrite {own}")
            if role in topic.to and own != topic.everywhere:
                lines.append(f"topic read {topic.everywhere}")
        elif role in topic.to:
            lines.append(f"topic read {topic.everywhere}")
    return lines


def _own_service(topic: Topic[Any], role: str) -> str:
    """A service speaks on `service` in its own name alone."""
    if topic is not SERVICE:
        return topic.everywhere
    return topic.everywhere.replace("+", SERVICE_NAMES.get(role, role), 1)


def _of_station(topic: Topic[Any], station: str) -> str:
    """The filter of one station's topics of this row."""
    at = topic.pattern.replace("{shard}", shard_of(station)).replace("{station}", station)
    return "/".join("+" if level.startswith("{") else level for level in at.split("/"))
