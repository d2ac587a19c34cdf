"""Bringing piles the version that they shall have: 0x58 to those that are online, idle and behind.

A pile that logs in asks by itself (0x05, 0x09) and needs no push; one that charges gets it after the charge.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from evcs.contracts.pile import PileCommandKind
from evcs.contracts.reasons import Reason
from evcs.contracts.states import RUNNING, OrderState, TariffBand
from evcs.runtime.log import get_logger
from webapi.database import ROW_LOCK
from webapi.guns.models import GunLive
from webapi.orders.models import Order
from webapi.piles.command_models import CommandState, PileCommandRow
from webapi.piles.commands import Wish, issue
from webapi.piles.link import is_of_login, link_in_force
from webapi.piles.models import BridgeLive, Pile, PileLive
from webapi.refusals import Figure, Refusal
from webapi.tariffs.models import TariffVersion
from webapi.tariffs.rollout import missing_bands, named, next_try
from webapi.tariffs.rollout_models import TariffRollout

log = get_logger()

LOGIN_GRACE = timedelta(seconds=30)
"""What a pile that just logged in has to ask by itself."""
SETTLING = timedelta(seconds=3)
"""From the assignment until the bridge has the new configuration, without which it refuses the push."""
LOOK_AGAIN = timedelta(seconds=10)
"""Until a pile that charges, or cannot be pushed for another reason of ours, is looked at again."""
BY_WORKER = "worker"

FROZEN = frozenset(
    {
        OrderState.HOLDING,
        OrderState.QUEUED,
        OrderState.COMMANDED,
        OrderState.STARTING,
        OrderState.CHARGING,
        OrderState.STOPPING,
    }
)
"""Orders that a new table would cross: they are frozen to the version that the pile has now."""


@dataclass(frozen=True, slots=True)
class Due:
    """A pile whose confirmed version is not the wanted one."""

    pile: str
    station: str


def due(session: Session, *, at: datetime, most: int) -> list[Due]:
    """Online piles that are behind and may be tried now, those that waited longest first."""
    behind = or_(
        Pile.confirmed_tariff_version_id.is_(None),
        Pile.confirmed_tariff_version_id != Pile.wanted_tariff_version_id,
    )
    query = (
        select(Pile.number, Pile.station_code)
        .join(PileLive, PileLive.pile_number == Pile.number)
        .join(
            BridgeLive,
            and_(BridgeLive.bridge == PileLive.bridge, BridgeLive.started_ms == PileLive.bridge_started_ms),
        )
        .outerjoin(TariffRollout, TariffRollout.pile_number == Pile.number)
        .where(
            Pile.archived_at.is_(None),
            Pile.wanted_tariff_version_id.is_not(None),
            behind,
            PileLive.online,
            BridgeLive.online,
            PileLive.login_at <= at - LOGIN_GRACE,
            or_(
                TariffRollout.pile_number.is_(None),
                TariffRollout.next_try_at <= at,
                TariffRollout.version_id.is_(None),
                TariffRollout.version_id != Pile.wanted_tariff_version_id,
            ),
        )
        .order_by(TariffRollout.next_try_at, Pile.number)
        .limit(most)
    )
    return [Due(pile, station) for pile, station in session.execute(query)]


def scheduled(session: Session, *, at: datetime, most: int) -> list[Due]:
    """Piles for whose scheduled version the day has come."""
    query = (
        select(Pile.number, Pile.station_code)
        .join(TariffRollout, TariffRollout.pile_number == Pile.number)
        .where(TariffRollout.scheduled_at <= at)
        .order_by(Pile.number)
        .limit(most)
    )
    return [Due(pile, station) for pile, station in session.execute(query)]


def take_effect(session: Session, number: str, *, at: datetime) -> None:
    """The scheduled version becomes the wanted one."""
    pile = session.get_one(Pile, number, with_for_update=ROW_LOCK, populate_existing=True)
    row = session.get_one(TariffRollout, number, populate_existing=True)
    if row.scheduled_version_id is None or row.scheduled_at is None or row.scheduled_at > at:
        return
    version = session.get_one(TariffVersion, row.scheduled_version_id)
    row.scheduled_version_id = row.scheduled_at = None
    want(session, pile, version, row.assigned_by, at=at)
    log.info("tariff_takes_effect", pile=number, version=version.id)


def want(session: Session, pile: Pile, version: TariffVersion, by: str, *, at: datetime) -> TariffRollout:
    """From now on the pile shall have this version; the tries begin anew. The caller has locked the pile's row."""
    if pile.wanted_tariff_version_id != version.id:
        pile.wanted_tariff_version_id = version.id
        pile.revision += 1
    row = session.get(TariffRollout, pile.number)
    if row is None:
        row = TariffRollout(pile_number=pile.number, last_text_zh="", last_text_en="")
        session.add(row)
    row.version_id = version.id
    row.assigned_by, row.assigned_at = by, at
    row.tries, row.last_tried_at, row.command_id = 0, None, None
    row.last_reason, row.last_text_zh, row.last_text_en = None, "", ""
    row.next_try_at = at + SETTLING
    session.flush()
    return row


def push(session: Session, number: str, *, by: str = BY_WORKER, at: datetime) -> PileCommandRow | Refusal:
    """Push a pile its wanted version, or say why not now. Raises NoResultFound for a pile that does not exist."""
    pile = session.get_one(Pile, number, with_for_update=ROW_LOCK, populate_existing=True)
    version = (
        None if pile.wanted_tariff_version_id is None else session.get(TariffVersion, pile.wanted_tariff_version_id)
    )
    if version is None:
        return Refusal(Reason.NO_TARIFF)
    missing = missing_bands(pile.protocol, version.slots)
    if missing:
        return not_expressible(missing)
    row = session.get(TariffRollout, number, populate_existing=True)
    if row is None or row.version_id != version.id:
        row = want(session, pile, version, by, at=at)
    if is_busy(session, number) or is_pushing(session, row):
        return Refusal(Reason.PILE_BUSY)
    command = issue(
        session, Wish(pile=number, kind=PileCommandKind.TARIFF_PUSH, by=by, tariff_version=version.id), at=at
    )
    if isinstance(command, Refusal):
        return command
    row.tries += 1
    row.last_tried_at = at
    row.command_id = command.id
    # Until the answer or the end of its wait: then `push_ended` says when.
    row.next_try_at = command.deadline_at or at
    session.flush()
    log.debug("tariff_pushed", pile=number, version=version.id, tries=row.tries)
    return command


def push_if_due(session: Session, number: str, *, at: datetime) -> None:
    """The worker's look at a pile; the rows may have moved since it was found."""
    pile = session.get_one(Pile, number, with_for_update=ROW_LOCK, populate_existing=True)
    row = session.get(TariffRollout, number, populate_existing=True)
    if pile.wanted_tariff_version_id in (None, pile.confirmed_tariff_version_id):
        return
    if row is not None and row.version_id == pile.wanted_tariff_version_id and row.next_try_at > at:
        return
    given = push(session, number, at=at)
    if isinstance(given, Refusal):
        _look_later(session, pile, at=at)


def _look_later(session: Session, pile: Pile, *, at: datetime) -> None:
    """Put a pile whose turn it is not behind those that were not looked at yet: many busy ones must not hide them."""
    row = session.get(TariffRollout, pile.number)
    if row is None or row.version_id != pile.wanted_tariff_version_id:
        row = want(session, pile, session.get_one(TariffVersion, pile.wanted_tariff_version_id), BY_WORKER, at=at)
    row.next_try_at = at + LOOK_AGAIN
    session.flush()


def push_ended(session: Session, command: PileCommandRow, *, at: datetime) -> None:
    """The pile answered a push or did not; that it holds the table is told by its status alone."""
    row = session.get(TariffRollout, command.pile_number, with_for_update=ROW_LOCK, populate_existing=True)
    if row is None or row.command_id != command.id:
        return
    if command.state is CommandState.ACCEPTED:
        row.last_reason, row.last_text_zh, row.last_text_en = None, "", ""
        row.next_try_at = next_try(row.tries, None, at=at)
    else:
        row.last_reason = command.reason
        row.last_text_zh, row.last_text_en = command.pile_text_zh, command.pile_text_en
        row.next_try_at = next_try(row.tries, command.reason, at=at)
    session.flush()


def not_expressible(missing: frozenset[TariffBand]) -> Refusal:
    """The version has bands that the pile's protocol has not."""
    names = named(missing)
    return Refusal(Reason.TARIFF_NOT_EXPRESSIBLE, (Figure("bands", f"{names.zh} ({names.en})"),))


def is_busy(session: Session, pile: str) -> bool:
    """Whether a car charges there or is about to: then the pile takes no table, and an order is frozen to the old."""
    if session.scalar(select(Order.serial).where(Order.pile_number == pile, Order.state.in_(FROZEN)).limit(1)):
        return True
    link = link_in_force(session, pile)
    levels = session.scalars(select(GunLive).where(GunLive.pile_number == pile, GunLive.state.in_(RUNNING)))
    return link is not None and any(is_of_login(level, link) for level in levels)


def is_pushing(session: Session, row: TariffRollout) -> bool:
    """Whether the last push still waits for its reply."""
    if row.command_id is None:
        return False
    command = session.get(PileCommandRow, row.command_id)
    return command is not None and command.state is CommandState.WAITING
