"""Reading limits by hand with what became of them, gun by gun, and which limit binds at a gun."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts.power import PowerControl
from evcs.contracts.reasons import Sentence
from evcs.contracts.session import HeldCap
from evcs.contracts.states import CapState
from webapi.access import Visible
from webapi.guns.limits import YKC_CONTROL, Bound, Effect, effect_of, lowest, pct_of
from webapi.guns.models import Gun
from webapi.guns.power_models import GunSessionLive, LimitKind, PowerSetting, PowerSettingGun, SettingState
from webapi.guns.power_texts import floor_told, told
from webapi.http.paging import NumberKey, Page, PageWish, page_of, read_cursor
from webapi.piles.models import Pile, PileLive

RATED = "rated"
VEHICLE = "vehicle"
HAND = "hand"
PILE_FLOOR = "pile_floor"


@dataclass(frozen=True, slots=True, kw_only=True)
class GunResultView:
    """What became of a limit at one gun; kW and % of its rating."""

    pile: str
    gun: int
    station: str
    rated_kw: Decimal
    limit_kw: Decimal | None
    limit_pct: Decimal | None
    effective_kw: Decimal
    effective_pct: Decimal
    floor: Sentence | None
    state: SettingState
    reason: str | None
    sentence: Sentence
    serial: str | None
    bound_by: str | None
    state_at: datetime
    tries: int


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many guns have come so far."""

    state: SettingState
    guns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingView:
    """A limit with its guns; of many guns only those that the asker sees."""

    id: int
    kind: LimitKind
    value: Decimal | None
    reason: str
    by: str
    at: datetime
    counts: tuple[StateCount, ...]
    guns: tuple[GunResultView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CapView:
    """One cap that the engine holds for a charge."""

    source: str
    cap_kw: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerView:
    """What a gun may draw now, and who binds it; allowances are of the whole pile."""

    rated_kw: Decimal
    hand_limit_kw: Decimal | None
    hand_heeded_kw: Decimal | None
    cap_kw: Decimal | None
    caps: tuple[CapView, ...]
    vehicle_kw: Decimal | None
    floor_kw: Decimal
    effective_kw: Decimal
    effective_pct: Decimal
    bound_by: str
    cap_state: CapState
    allowance_sent_kw: Decimal | None
    allowance_confirmed_kw: Decimal | None
    allowance_refused: str | None
    setting: int | None
    setting_state: SettingState | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingFilter(PageWish):
    """Which limits: those that concern a station or a pile."""

    station: str | None = None
    pile: str | None = None


def list_settings(session: Session, sees: Visible, wish: SettingFilter) -> Page[SettingView]:
    """Limits, newest first, without their guns."""
    query = sees.power_settings()
    of_it = select(PowerSettingGun.setting_id).where(sees.sees_station(PowerSettingGun.station_code))
    if wish.station is not None:
        query = query.where(PowerSetting.id.in_(of_it.where(PowerSettingGun.station_code == wish.station)))
    if wish.pile is not None:
        query = query.where(PowerSetting.id.in_(of_it.where(PowerSettingGun.pile_number == wish.pile)))
    after = read_cursor(wish.cursor, NumberKey)
    if after is not None:
        query = query.where(PowerSetting.id < after.id)
    found = session.scalars(query.order_by(PowerSetting.id.desc()).limit(wish.limit + 1)).all()
    page = page_of(found, wish.limit, lambda row: NumberKey(row.id))
    rows = _rows(session, sees, [setting.id for setting in page.items])
    return page.map(lambda setting: _view(setting, rows.get(setting.id, []), ()))


def find_setting(session: Session, sees: Visible, setting: int) -> PowerSetting | None:
    """A limit that concerns a visible gun."""
    return session.scalars(sees.power_settings().where(PowerSetting.id == setting)).one_or_none()


def rows_of(session: Session, sees: Visible, setting: int) -> list[PowerSettingGun]:
    """Its guns that the asker sees."""
    return _rows(session, sees, [setting]).get(setting, [])


def setting_view(session: Session, sees: Visible, setting: PowerSetting) -> SettingView:
    """A limit with what became of it at each gun."""
    session.flush()
    rows = rows_of(session, sees, setting.id)
    return _view(setting, rows, _results(session, rows))


def power_view(session: Session, gun: Gun, pile: Pile, *, vehicle_kw: float | None, serial: str | None) -> PowerView:
    """The limits of a gun with the one that binds; the car's counts while it is there."""
    live = session.get(GunSessionLive, (gun.pile_number, gun.no))
    effect = effect_of(gun.hand_limit_kw, gun.rated_kw, pile.rated_kw, _control(session.get(PileLive, pile.number)))
    limits = [Bound(gun.rated_kw, RATED)]
    runs = live is not None and live.serial is not None
    if live is not None and runs and live.cap_kw is not None:
        limits.append(Bound(live.cap_kw, live.bound_by or RATED))
    elif gun.hand_limit_kw is not None and not runs:
        limits.append(Bound(effect.effective_kw, PILE_FLOOR if effect.is_floor else HAND))
    vehicle = None if vehicle_kw is None or serial is None else Decimal(str(round(vehicle_kw, 3)))
    if vehicle is not None and vehicle > 0:
        limits.append(Bound(vehicle, VEHICLE))
    bound = lowest(limits)
    newest = session.scalars(
        select(PowerSettingGun)
        .where(PowerSettingGun.pile_number == gun.pile_number, PowerSettingGun.gun_no == gun.no)
        .order_by(PowerSettingGun.setting_id.desc())
        .limit(1)
    ).one_or_none()
    caps = () if live is None else msgspec.json.decode(live.caps_json, type=tuple[HeldCap, ...])
    return PowerView(
        rated_kw=gun.rated_kw,
        hand_limit_kw=gun.hand_limit_kw,
        hand_heeded_kw=None if live is None else live.hand_limit_kw,
        cap_kw=None if live is None else live.cap_kw,
        caps=tuple(CapView(source=cap.source, cap_kw=cap.cap_kw) for cap in caps),
        vehicle_kw=vehicle,
        floor_kw=effect.floor_kw,
        effective_kw=bound.kw,
        effective_pct=pct_of(bound.kw, gun.rated_kw),
        bound_by=bound.by,
        cap_state=CapState.NONE if live is None else live.cap_state,
        allowance_sent_kw=None if live is None else live.allowance_sent_kw,
        allowance_confirmed_kw=None if live is None else live.allowance_confirmed_kw,
        allowance_refused=None if live is None else live.allowance_refused,
        setting=None if newest is None else newest.setting_id,
        setting_state=None if newest is None else newest.state,
    )


def _control(live: PileLive | None) -> PowerControl:
    if live is None or live.power_control_json is None:
        return YKC_CONTROL
    return msgspec.json.decode(live.power_control_json, type=PowerControl)


def _rows(session: Session, sees: Visible, settings: Sequence[int]) -> dict[int, list[PowerSettingGun]]:
    found: dict[int, list[PowerSettingGun]] = {}
    query = (
        select(PowerSettingGun)
        .where(PowerSettingGun.setting_id.in_(settings), sees.sees_station(PowerSettingGun.station_code))
        .order_by(PowerSettingGun.pile_number, PowerSettingGun.gun_no)
        .execution_options(populate_existing=True)
    )
    for row in session.scalars(query):
        found.setdefault(row.setting_id, []).append(row)
    return found


def _view(setting: PowerSetting, rows: list[PowerSettingGun], guns: tuple[GunResultView, ...]) -> SettingView:
    count = {state: sum(row.state is state for row in rows) for state in SettingState}
    return SettingView(
        id=setting.id,
        kind=setting.kind,
        value=setting.value,
        reason=setting.reason,
        by=setting.set_by,
        at=setting.set_at,
        counts=tuple(StateCount(state, count[state]) for state in SettingState if count[state]),
        guns=guns,
    )


def _results(session: Session, rows: Sequence[PowerSettingGun]) -> tuple[GunResultView, ...]:
    numbers = sorted({row.pile_number for row in rows})
    piles = {pile.number: pile for pile in session.scalars(select(Pile).where(Pile.number.in_(numbers)))}
    links = {
        link.pile_number: link for link in session.scalars(select(PileLive).where(PileLive.pile_number.in_(numbers)))
    }
    guns = {(gun.pile_number, gun.no): gun for gun in session.scalars(select(Gun).where(Gun.pile_number.in_(numbers)))}
    return tuple(
        _result(row, guns[row.pile_number, row.gun_no], piles[row.pile_number], _control(links.get(row.pile_number)))
        for row in rows
    )


def _result(row: PowerSettingGun, gun: Gun, pile: Pile, control: PowerControl) -> GunResultView:
    effect: Effect = effect_of(row.limit_kw, gun.rated_kw, pile.rated_kw, control)
    floor_pct = pct_of(effect.floor_kw, pile.rated_kw)
    return GunResultView(
        pile=row.pile_number,
        gun=row.gun_no,
        station=row.station_code,
        rated_kw=gun.rated_kw,
        limit_kw=row.limit_kw,
        limit_pct=None if row.limit_kw is None else pct_of(row.limit_kw, gun.rated_kw),
        effective_kw=effect.effective_kw,
        effective_pct=pct_of(effect.effective_kw, gun.rated_kw),
        floor=floor_told(effect, f"{floor_pct.normalize():f}"),
        state=row.state,
        reason=row.reason,
        sentence=told(row),
        serial=row.serial,
        bound_by=row.bound_by,
        state_at=row.state_at,
        tries=row.tries,
    )
