"""What is known of guns at this moment: their newest level, and whether it was said in the login in force."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from evcs.contracts.states import RUNNING, GunState
from webapi.guns.models import Gun, GunLive
from webapi.piles.link import Link, is_of_login, link_of
from webapi.piles.models import BridgeLive, Pile, PileLive


@dataclass(frozen=True, slots=True)
class GunNow:
    """A gun in use with its newest level and its pile's login; none: never heard, or the link is gone."""

    pile: str
    gun: int
    station: str
    level: GunLive | None
    link: Link | None

    @property
    def is_heard(self) -> bool:
        """Whether its pile says now what it does; else nobody knows whether current flows."""
        return (
            self.level is not None
            and self.link is not None
            and self.level.state is not GunState.OFFLINE
            and is_of_login(self.level, self.link)
        )

    @property
    def runs(self) -> bool:
        """Whether its pile says that a charge runs or begins."""
        return self.is_heard and self.ran

    @property
    def ran(self) -> bool:
        """Whether a charge ran when it was last heard of."""
        return self.level is not None and self.level.state in RUNNING


def guns_now(session: Session, *conditions: ColumnElement[bool]) -> list[GunNow]:
    """Guns in use by pile and number; conditions on `Gun` and `Pile`."""
    rows = session.execute(
        select(Gun, Pile.station_code, GunLive, PileLive, BridgeLive)
        .join(Pile, Pile.number == Gun.pile_number)
        .outerjoin(GunLive, (GunLive.pile_number == Gun.pile_number) & (GunLive.gun_no == Gun.no))
        .outerjoin(PileLive, PileLive.pile_number == Gun.pile_number)
        .outerjoin(BridgeLive, BridgeLive.bridge == PileLive.bridge)
        .where(Gun.archived_at.is_(None), Pile.archived_at.is_(None), *conditions)
        .order_by(Gun.pile_number, Gun.no)
        .execution_options(populate_existing=True)
    )
    return [
        GunNow(gun.pile_number, gun.no, station, level, link_of(pile, bridge))
        for gun, station, level, pile, bridge in rows
    ]
