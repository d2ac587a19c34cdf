"""Reading the roll-out of a tariff: each pile that shall have one of its versions, and where it stands."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from evcs.contracts.reasons import Reason, Sentence, sentence
from evcs.contracts.states import RUNNING
from evcs.contracts.times import to_ms
from webapi.access import Visible
from webapi.guns.live import is_online
from webapi.guns.models import GunLive
from webapi.http.paging import NameKey, Page, PageWish, page_of, read_cursor
from webapi.orders.models import Order
from webapi.piles.command_models import CommandState, PileCommandRow
from webapi.piles.link import LOGIN_SLACK
from webapi.piles.models import BridgeLive, Pile, PileLive
from webapi.tariffs.models import TariffDelivery, TariffVersion
from webapi.tariffs.push import FROZEN
from webapi.tariffs.rollout import Facts, RolloutState, missing_bands, standing
from webapi.tariffs.rollout_models import TariffRollout


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledView:
    """A version that becomes the wanted one later."""

    version: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PileRolloutView:
    """Where a pile stands on its way to the wanted version."""

    pile: str
    station: str
    state: RolloutState
    sentence: Sentence
    wanted: str | None
    confirmed: str | None
    delivered_at: datetime | None
    tries: int
    last_tried_at: datetime | None
    next_try_at: datetime | None
    command: str | None
    scheduled: ScheduledView | None


@dataclass(frozen=True, slots=True)
class RolloutCount:
    """How many piles stand so."""

    state: RolloutState
    piles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutView:
    """The whole roll-out in figures, and a page of its piles."""

    tariff: int
    counts: tuple[RolloutCount, ...]
    items: tuple[PileRolloutView, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutFilter(PageWish):
    """Which piles of a roll-out."""

    state: RolloutState | None = None


def rollout_view(session: Session, sees: Visible, tariff_id: int, wish: RolloutFilter, *, at: datetime) -> RolloutView:
    """The roll-out at the piles that the asker sees, by number.

    A pile's state is joined from several tables at the time of asking, so all of them are looked at for the figures.
    """
    views = [_view(facts, at) for facts in _piles(session, sees, tariff_id)]
    counts = Counter(view.state for view in views)
    after = read_cursor(wish.cursor, NameKey)
    left = [
        view
        for view in views
        if (wish.state is None or view.state is wish.state) and (after is None or view.pile > after.code)
    ]
    page: Page[PileRolloutView] = page_of(left[: wish.limit + 1], wish.limit, lambda view: NameKey(view.pile))
    return RolloutView(
        tariff=tariff_id,
        counts=tuple(RolloutCount(state, counts[state]) for state in RolloutState if counts[state]),
        items=page.items,
        next=page.next,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    pile: Pile
    version: TariffVersion | None
    row: TariffRollout | None
    command: PileCommandRow | None
    delivered_at: datetime | None
    is_online: bool
    is_busy: bool


def _piles(session: Session, sees: Visible, tariff_id: int) -> list[_Known]:
    """All piles that want a version of the tariff or have one scheduled, with what is known of each."""
    versions = {
        version.id: version
        for version in session.scalars(select(TariffVersion).where(TariffVersion.tariff_id == tariff_id))
    }
    query = (
        sees.piles()
        .outerjoin(TariffRollout, TariffRollout.pile_number == Pile.number)
        .where(
            or_(
                Pile.wanted_tariff_version_id.in_(list(versions)),
                TariffRollout.scheduled_version_id.in_(list(versions)),
            )
        )
        .order_by(Pile.number)
    )
    piles = session.scalars(query).all()
    numbers = [pile.number for pile in piles]
    rows = {
        row.pile_number: row
        for row in session.scalars(select(TariffRollout).where(TariffRollout.pile_number.in_(numbers)))
    }
    commands = {
        command.id: command
        for command in session.scalars(
            select(PileCommandRow).where(
                PileCommandRow.id.in_([row.command_id for row in rows.values() if row.command_id is not None])
            )
        )
    }
    delivered = {
        (pile, model_no): when
        for pile, model_no, when in session.execute(
            select(TariffDelivery.pile_number, TariffDelivery.model_no, TariffDelivery.delivered_at).where(
                TariffDelivery.pile_number.in_(numbers)
            )
        )
    }
    links = {
        live.pile_number: live
        for live, bridge in session.execute(
            select(PileLive, BridgeLive)
            .join(BridgeLive, BridgeLive.bridge == PileLive.bridge)
            .where(PileLive.pile_number.in_(numbers))
        )
        if is_online(live, bridge)
    }
    busy = _busy(session, numbers, links)
    found = []
    for pile in piles:
        version = versions.get(pile.wanted_tariff_version_id or "")
        row = rows.get(pile.number)
        tried = row if row is not None and row.version_id == pile.wanted_tariff_version_id else None
        found.append(
            _Known(
                pile=pile,
                version=version,
                row=row,
                command=None if tried is None else commands.get(tried.command_id or ""),
                delivered_at=None if version is None else delivered.get((pile.number, version.model_no)),
                is_online=pile.number in links,
                is_busy=pile.number in busy,
            )
        )
    return found


def _busy(session: Session, numbers: Sequence[str], links: dict[str, PileLive]) -> set[str]:
    """As `push.is_busy`, for many piles."""
    busy = set(
        session.scalars(select(Order.pile_number).where(Order.pile_number.in_(numbers), Order.state.in_(FROZEN)))
    )
    for level in session.scalars(select(GunLive).where(GunLive.pile_number.in_(numbers), GunLive.state.in_(RUNNING))):
        live = links.get(level.pile_number)
        if live is not None and level.login_ms >= to_ms((live.login_at or live.since) - LOGIN_SLACK):
            busy.add(level.pile_number)
    return busy


def _view(known: _Known, at: datetime) -> PileRolloutView:
    pile, row = known.pile, known.row
    tried = row if row is not None and row.version_id == pile.wanted_tariff_version_id else None
    accepted = known.command is not None and known.command.state is CommandState.ACCEPTED
    stands = standing(
        Facts(
            is_scheduled=known.version is None,
            is_confirmed=pile.confirmed_tariff_version_id is not None
            and pile.confirmed_tariff_version_id == pile.wanted_tariff_version_id,
            missing=frozenset() if known.version is None else missing_bands(pile.protocol, known.version.slots),
            is_pushing=known.command is not None
            and (
                known.command.state is CommandState.WAITING
                or (accepted and tried is not None and tried.next_try_at > at)
            ),
            is_online=known.is_online,
            is_busy=known.is_busy,
            last_reason=None if tried is None else tried.last_reason,
            last_text=_said(tried),
        )
    )
    return PileRolloutView(
        pile=pile.number,
        station=pile.station_code,
        state=stands.state,
        sentence=stands.sentence,
        wanted=pile.wanted_tariff_version_id,
        confirmed=pile.confirmed_tariff_version_id,
        delivered_at=known.delivered_at,
        tries=0 if tried is None else tried.tries,
        last_tried_at=None if tried is None else tried.last_tried_at,
        next_try_at=None if tried is None or stands.state is RolloutState.CONFIRMED else tried.next_try_at,
        command=None if known.command is None else known.command.id,
        scheduled=None
        if row is None or row.scheduled_version_id is None or row.scheduled_at is None
        else ScheduledView(version=row.scheduled_version_id, at=row.scheduled_at),
    )


def _said(row: TariffRollout | None) -> Sentence:
    """Why the pile refused, in its own words, else by the reason's sentence."""
    if row is None or row.last_reason is None:
        return Sentence("", "")
    if row.last_text_zh:
        return Sentence(row.last_text_zh, row.last_text_en or row.last_text_zh)
    said = sentence(Reason(row.last_reason))
    return Sentence(said.zh.rstrip("。"), said.en.rstrip("."))
