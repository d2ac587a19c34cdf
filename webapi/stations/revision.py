"""Raising the revision of what travels as `config/…`: by the database, so that two who change at once count twice."""

from collections.abc import Iterable

from sqlalchemy import update
from sqlalchemy.orm import Session

from webapi.piles.models import Pile
from webapi.stations.models import Station


def raise_station(session: Session, *codes: str) -> None:
    """Something in the configuration of these stations has changed; called after the change, before the commit."""
    session.flush()
    for code in sorted(set(codes)):
        session.execute(update(Station).where(Station.code == code).values(revision=Station.revision + 1))


def raise_piles(session: Session, numbers: Iterable[str]) -> None:
    """The same for piles."""
    session.flush()
    for number in sorted(set(numbers)):
        session.execute(update(Pile).where(Pile.number == number).values(revision=Pile.revision + 1))


def raise_piles_of(session: Session, station: str) -> None:
    """The same for every pile of a station."""
    session.flush()
    session.execute(
        update(Pile).where(Pile.station_code == station, Pile.archived_at.is_(None)).values(revision=Pile.revision + 1)
    )
