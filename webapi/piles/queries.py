"""Reading piles: configuration with the newest of the connection, tariff wanted and confirmed."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from webapi.access import Visible
from webapi.guns.live import is_online
from webapi.guns.now import GunNow, guns_now
from webapi.http.paging import NameKey, Page, PageWish, page_of, read_cursor
from webapi.piles.firmware import Firmware, firmware_of
from webapi.piles.models import BridgeLive, CurrentKind, Pile, PileLive
from webapi.stations.lockout_views import LockoutView, lockout_of
from webapi.stations.models import Station
from webapi.tariffs.models import TariffVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkView:
    """What the pile's connection last said; ages in seconds."""

    online: bool
    since: datetime | None
    login_at: datetime | None
    link_age_s: float | None
    protocol: str | None
    firmware: str | None
    address: str | None
    proof: str | None
    bridge: str | None
    clock_offset_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffStateView:
    """The version that the pile shall have and the one that it confirmed; without a confirmed one nothing starts."""

    wanted: str | None
    wanted_model_no: str | None
    confirmed: str | None
    confirmed_model_no: str | None

    @property
    def is_current(self) -> bool:
        """Whether the pile bills by what it shall."""
        return self.confirmed is not None and self.confirmed == self.wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class PileView:
    """A pile as lists and its page show it."""

    number: str
    station: str
    name: str
    maker: str | None
    model: str | None
    kind: CurrentKind
    rated_kw: Decimal
    hand_limit_kw: Decimal | None
    transformer: str
    feeder: str | None
    guns: int
    lockout: LockoutView | None
    live: LinkView
    tariff: TariffStateView
    firmware: Firmware


@dataclass(frozen=True, slots=True, kw_only=True)
class PileFilter(PageWish):
    """Which piles."""

    station: str | None = None


def list_piles(session: Session, sees: Visible, wish: PileFilter, *, at: datetime) -> Page[PileView]:
    """Piles by number; a station that is not visible has none."""
    query = sees.piles().options(selectinload(Pile.guns), selectinload(Pile.live))
    if wish.station is not None:
        query = query.where(Pile.station_code == wish.station)
    after = read_cursor(wish.cursor, NameKey)
    if after is not None:
        query = query.where(Pile.number > after.code)
    found = session.scalars(query.order_by(Pile.number).limit(wish.limit + 1)).all()
    page = page_of(found, wish.limit, lambda pile: NameKey(pile.number))
    return page.map(_Viewer(session, page.items, at).view)


def pile_detail(session: Session, sees: Visible, number: str, *, at: datetime) -> PileView | None:
    """One pile."""
    pile = session.scalars(sees.piles().where(Pile.number == number)).one_or_none()
    return None if pile is None else pile_view(session, pile, at=at)


def pile_view(session: Session, pile: Pile, *, at: datetime) -> PileView:
    """A pile that is at hand."""
    return _Viewer(session, (pile,), at).view(pile)


def sees_station(session: Session, sees: Visible, code: str) -> bool:
    """Whether a station is there for the asker."""
    return session.scalars(sees.stations().where(Station.code == code)).one_or_none() is not None


class _Viewer:
    """Makes views of some piles with two further selects for all of them."""

    def __init__(self, session: Session, piles: tuple[Pile, ...], at: datetime) -> None:
        self._at = at
        bridges = {pile.live.bridge for pile in piles if pile.live is not None and pile.live.bridge is not None}
        self._bridges = {
            bridge.bridge: bridge
            for bridge in session.scalars(select(BridgeLive).where(BridgeLive.bridge.in_(sorted(bridges))))
        }
        self._locked: dict[str, list[GunNow]] = {one.number: [] for one in piles if one.lockout_since is not None}
        if self._locked:
            for gun in guns_now(session, Pile.number.in_(sorted(self._locked))):
                self._locked[gun.pile].append(gun)
        versions = {pile.wanted_tariff_version_id for pile in piles} | {
            pile.confirmed_tariff_version_id for pile in piles
        }
        self._models = {
            version.id: version.model_digits
            for version in session.scalars(
                select(TariffVersion).where(TariffVersion.id.in_(sorted(v for v in versions if v is not None)))
            )
        }

    def view(self, pile: Pile) -> PileView:
        """One of them."""
        wanted, confirmed = pile.wanted_tariff_version_id, pile.confirmed_tariff_version_id
        return PileView(
            number=pile.number,
            station=pile.station_code,
            name=pile.name,
            maker=pile.maker,
            model=pile.model,
            kind=pile.kind,
            rated_kw=pile.rated_kw,
            hand_limit_kw=pile.hand_limit_kw,
            transformer=pile.transformer_code,
            feeder=pile.feeder_code,
            guns=sum(gun.archived_at is None for gun in pile.guns),
            lockout=lockout_of(pile, self._locked.get(pile.number, ())),
            live=self._link(pile.live),
            tariff=TariffStateView(
                wanted=wanted,
                wanted_model_no=self._models.get(wanted or ""),
                confirmed=confirmed,
                confirmed_model_no=self._models.get(confirmed or ""),
            ),
            firmware=firmware_of(pile),
        )

    def _link(self, live: PileLive | None) -> LinkView:
        bridge = None if live is None or live.bridge is None else self._bridges.get(live.bridge)
        online = is_online(live, bridge)
        since = None if live is None else live.since
        if live is not None and not online and live.online and bridge is not None:
            since = bridge.since
        login = live.login_at if live is not None and online else None
        return LinkView(
            online=online,
            since=since,
            login_at=login,
            link_age_s=None if login is None else max(0.0, (self._at - login).total_seconds()),
            protocol=None if live is None else live.protocol,
            firmware=None if live is None else live.firmware,
            address=None if live is None else live.address,
            proof=None if live is None else live.proof,
            bridge=None if live is None else live.bridge,
            clock_offset_s=None if live is None else live.clock_offset_s,
        )
