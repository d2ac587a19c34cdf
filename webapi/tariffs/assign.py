"""Giving piles a tariff version: from now on they shall have it, or from the day on which it becomes valid."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapi.database import ROW_LOCK
from webapi.piles.models import Pile
from webapi.refusals import Refusal
from webapi.tariffs.models import TariffVersion
from webapi.tariffs.push import not_expressible, want
from webapi.tariffs.rollout import missing_bands
from webapi.tariffs.rollout_models import TariffRollout


@dataclass(frozen=True, slots=True)
class Assigned:
    """What became of one pile: it shall have the version, now or from `from_at` on, or why it cannot."""

    pile: str
    from_at: datetime | None = None
    refusal: Refusal | None = None


def assign(
    session: Session, version: TariffVersion, piles: Sequence[str], *, by: str, at: datetime
) -> tuple[Assigned, ...]:
    """Give each of these piles the version; the worker brings it to them. The caller has checked whose they are.

    A pile that cannot express it keeps what it has. A pile that wants it already and one again is tried anew.
    """
    rows = session.scalars(
        select(Pile)
        .where(Pile.number.in_(piles))
        .order_by(Pile.number)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    return tuple(_assign(session, version, pile, by, at) for pile in rows)


def _assign(session: Session, version: TariffVersion, pile: Pile, by: str, at: datetime) -> Assigned:
    missing = missing_bands(pile.protocol, version.slots)
    if missing:
        return Assigned(pile.number, refusal=not_expressible(missing))
    if version.valid_from > at:
        row = session.get(TariffRollout, pile.number, with_for_update=ROW_LOCK)
        if row is None:
            row = TariffRollout(
                pile_number=pile.number, tries=0, next_try_at=at, last_text_zh="", last_text_en="", assigned_at=at
            )
            row.version_id = pile.wanted_tariff_version_id
            session.add(row)
        row.assigned_by, row.assigned_at = by, at
        row.scheduled_version_id, row.scheduled_at = version.id, version.valid_from
        session.flush()
        return Assigned(pile.number, from_at=version.valid_from)
    row = want(session, pile, version, by, at=at)
    row.scheduled_version_id = row.scheduled_at = None
    session.flush()
    return Assigned(pile.number)


def unschedule(session: Session, version: str, piles: Sequence[str]) -> tuple[str, ...]:
    """Cancel a version whose day has not come at these piles; those where it was scheduled. They keep what they have.

    Each pile is locked as `take_effect` does it: either the change was made before, or it never is.
    """
    wanted = (
        select(Pile)
        .join(TariffRollout, TariffRollout.pile_number == Pile.number)
        .where(Pile.number.in_(piles), TariffRollout.scheduled_version_id == version)
        .order_by(Pile.number)
        .with_for_update(key_share=True, of=Pile)
        .execution_options(populate_existing=True)
    )
    done = []
    for pile in session.scalars(wanted).all():
        row = session.get_one(TariffRollout, pile.number, populate_existing=True)
        if row.scheduled_version_id == version:
            row.scheduled_version_id = row.scheduled_at = None
            done.append(pile.number)
    session.flush()
    return tuple(done)


def push_again(session: Session, tariff_id: int, piles: Sequence[str], *, at: datetime) -> tuple[str, ...]:
    """Let the worker try at once what is behind, whatever the back-off says; the piles that it will look at."""
    wanted = (
        select(Pile)
        .join(TariffVersion, TariffVersion.id == Pile.wanted_tariff_version_id)
        .where(
            Pile.number.in_(piles),
            TariffVersion.tariff_id == tariff_id,
            Pile.confirmed_tariff_version_id.is_distinct_from(Pile.wanted_tariff_version_id),
        )
        .order_by(Pile.number)
        .with_for_update(key_share=True, of=Pile)
        .execution_options(populate_existing=True)
    )
    behind = session.scalars(wanted).all()
    for pile in behind:
        row = session.get(TariffRollout, pile.number)
        if row is not None:
            row.next_try_at = at
    session.flush()
    return tuple(pile.number for pile in behind)
