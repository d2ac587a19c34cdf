"""Which login of a pile commands are for, and whether what is known of the pile counts now."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts.times import to_ms
from webapi.guns.models import GunLive
from webapi.piles.models import BridgeLive, PileLive

LOGIN_SLACK = timedelta(seconds=1)
"""A gun's level names the login in ms, the pile's status as a time of its own: they may differ by a rounding."""


@dataclass(frozen=True, slots=True)
class Link:
    """A login: commands name it, and the bridge ignores those for another."""

    bridge: str
    link: str
    login_at: datetime


def link_in_force(session: Session, pile: str) -> Link | None:
    """The pile's login, while its bridge is online with the same start; None: the pile cannot be reached."""
    found = session.execute(
        select(PileLive, BridgeLive)
        .join(BridgeLive, BridgeLive.bridge == PileLive.bridge)
        .where(PileLive.pile_number == pile)
    ).one_or_none()
    if found is None:
        return None
    live, bridge = found
    return link_of(live, bridge)


def link_of(live: PileLive | None, bridge: BridgeLive | None) -> Link | None:
    """The same from rows that are at hand."""
    if live is None or bridge is None:
        return None
    if not (live.online and bridge.online and live.bridge_started_ms == bridge.started_ms and live.link):
        return None
    return Link(bridge=bridge.bridge, link=live.link, login_at=live.login_at or live.since)


def is_of_login(level: GunLive, link: Link) -> bool:
    """Whether a gun's level was said in this login; one of an earlier login tells nothing about now."""
    return level.login_ms >= to_ms(link.login_at - LOGIN_SLACK)
