"""The gun behind a scanned code: where it is, how it is, what it costs, and whether this driver could charge now."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts.reasons import Reason, sentence
from evcs.contracts.states import OPEN_ORDER, GunState
from webapi.access import Driver, Visible
from webapi.customers.models import Customer
from webapi.guns.live import state_shown
from webapi.guns.models import Gun, GunLive
from webapi.ledger.holds import DEFAULT_TERMS, HoldRefusal, size_hold
from webapi.ledger.models import Wallet
from webapi.mini.nearby import is_open
from webapi.mini.prices import PriceNow, PricePeriod, price_now, price_periods
from webapi.mini.qr import Scanned
from webapi.orders.models import Order
from webapi.orders.refusal_view import RefusalView
from webapi.piles.models import BridgeLive, CurrentKind, Pile, PileLive
from webapi.refusals import Figure, yuan
from webapi.tariffs.queries import price_table
from webapi.tariffs.slots import PriceTable


@dataclass(frozen=True, slots=True)
class ScannedGunNo:
    """A gun to choose from, where the code names only the pile."""

    gun: int
    state: GunState


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedGun:
    """What a driver sees after the scan. `hinders`: why a start would be refused now as far as can be known here; the
    gate alone knows the transformer. `order`: the driver's own open order at this gun."""

    pile: str
    gun: int
    guns: tuple[ScannedGunNo, ...]
    station: str
    station_name: str
    address: str | None
    kind: CurrentKind
    rated_kw: Decimal
    state: GunState
    is_ours: bool
    price: PriceNow | None
    prices: tuple[PricePeriod, ...]
    available_fen: int
    minimum_fen: int
    hold_fen: int | None
    hinders: RefusalView | None
    order: str | None


def scanned_gun(session: Session, sees: Visible, scanned: Scanned, *, at: datetime) -> ScannedGun | None:
    """The gun, or None where the driver's operator has none like that. A code without a gun shows the first one."""
    guns = session.scalars(sees.guns_to_start().where(Gun.pile_number == scanned.pile).order_by(Gun.no)).all()
    gun = next((one for one in guns if scanned.gun in (None, one.no)), None)
    if gun is None:
        return None
    pile = session.get_one(Pile, gun.pile_number)
    states = _states(session, pile.number)
    table = None if pile.confirmed_tariff_version_id is None else price_table(session, pile.confirmed_tariff_version_id)
    own = _open_order(session, sees, gun)
    wallet = session.get(Wallet, sees.asker.id) if isinstance(sees.asker, Driver) else None
    hold = None if table is None or wallet is None else _hold(wallet, gun, table)
    return ScannedGun(
        pile=pile.number,
        gun=gun.no,
        guns=tuple(ScannedGunNo(one.no, states.get(one.no, GunState.OFFLINE)) for one in guns),
        station=pile.station_code,
        station_name=pile.station.name,
        address=pile.station.address,
        kind=pile.kind,
        rated_kw=gun.rated_kw,
        state=states.get(gun.no, GunState.OFFLINE),
        is_ours=scanned.is_ours,
        price=None if table is None else price_now(table, at),
        prices=() if table is None else price_periods(table),
        available_fen=0 if wallet is None else wallet.available_fen,
        minimum_fen=DEFAULT_TERMS.minimum_fen,
        hold_fen=hold if isinstance(hold, int) else None,
        hinders=_hinders(session, sees, gun, pile, states.get(gun.no, GunState.OFFLINE), hold, own),
        order=own,
    )


def _states(session: Session, pile: str) -> dict[int, GunState]:
    rows = session.execute(
        select(GunLive, PileLive, BridgeLive)
        .outerjoin(PileLive, PileLive.pile_number == GunLive.pile_number)
        .outerjoin(BridgeLive, BridgeLive.bridge == PileLive.bridge)
        .where(GunLive.pile_number == pile)
    )
    return {level.gun_no: state_shown(level, link, bridge) for level, link, bridge in rows}


def _open_order(session: Session, sees: Visible, gun: Gun) -> str | None:
    return session.scalar(
        sees.orders()
        .where(Order.pile_number == gun.pile_number, Order.gun_no == gun.no, Order.state.in_(OPEN_ORDER))
        .with_only_columns(Order.serial)
        .order_by(Order.requested_at.desc())
        .limit(1)
    )


def _hold(wallet: Wallet, gun: Gun, table: PriceTable) -> int | HoldRefusal:
    return size_hold(
        goal_amount_fen=None,
        available_fen=wallet.available_fen,
        debt_fen=wallet.debt_fen,
        rated_kw=gun.rated_kw,
        dearest_e5=table.dearest_e5,
    )


def _hinders(
    session: Session,
    sees: Visible,
    gun: Gun,
    pile: Pile,
    state: GunState,
    hold: int | HoldRefusal | None,
    own: str | None,
) -> RefusalView | None:
    """The first that stands in the way, in the order in which a driver can do something about it."""
    station = pile.station
    if station.station_stop_since is not None:
        return _why(Reason.STATION_STOPPED)
    if not is_open(station) or pile.lockout_since is not None or gun.lockout_since is not None:
        return _why(Reason.LOCKED_OUT)
    if state is GunState.OFFLINE:
        return _why(Reason.PILE_OFFLINE)
    if state is GunState.FAULTED:
        return _why(Reason.GUN_FAULTED)
    if own is None and state in (GunState.STARTING, GunState.CHARGING):
        return _why(Reason.GUN_RESERVED_BY_ORDER)
    if pile.confirmed_tariff_version_id is None:
        return _why(Reason.NO_TARIFF)
    if isinstance(sees.asker, Driver):
        customer = session.get_one(Customer, sees.asker.id)
        if customer.blocked_at is not None:
            return _why(Reason.CUSTOMER_BLOCKED)
    if isinstance(hold, HoldRefusal):
        return _why(
            hold.reason,
            Figure("available_yuan", yuan(hold.available_fen)),
            Figure("minimum_yuan", yuan(hold.minimum_fen)),
            Figure("debt_yuan", yuan(hold.debt_fen)),
        )
    if state is GunState.IDLE:
        return _why(Reason.GUN_NOT_PLUGGED)
    return None


def _why(reason: Reason, *figures: Figure) -> RefusalView:
    said = sentence(reason, **{figure.name: figure.value for figure in figures})
    return RefusalView(reason.value, said.zh, said.en, figures)
