"""How far a limit by hand has come at a gun, read from what `rules` says of it; kept with the limit's row."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts.reasons import Reason
from evcs.contracts.states import CapState
from evcs.runtime.log import get_logger
from webapi.database import ROW_LOCK
from webapi.guns.models import Gun
from webapi.guns.power_models import GunSessionLive, PowerSettingGun, SettingState
from webapi.piles.link import link_in_force

log = get_logger()

FOLLOWED = frozenset(
    {
        SettingState.ASKED,
        SettingState.STANDING,
        SettingState.SENT,
        SettingState.CONFIRMED,
        SettingState.FAILED,
    }
)
"""States out of which a limit still moves; `applied` stays, whatever the next charge does."""

_BY_CAP = {
    CapState.SENT: SettingState.SENT,
    CapState.CONFIRMED: SettingState.CONFIRMED,
    CapState.APPLIED: SettingState.APPLIED,
    CapState.FAILED: SettingState.FAILED,
}


def judge(limit_kw: Decimal | None, rated_kw: Decimal, live: GunSessionLive) -> SettingState | None:
    """How far it has come; none: the engine does not heed it yet.

    A limit that is not below the rating, or none at all, is applied as soon as it is heeded: nothing has to be sent
    for it but what lifts an earlier one.
    """
    if live.hand_limit_kw != limit_kw:
        return None
    if live.serial is None:
        return SettingState.STANDING
    is_free = limit_kw is None or limit_kw >= rated_kw
    if live.cap_state is CapState.NONE:
        return SettingState.APPLIED if is_free else None
    if is_free and live.cap_state in (CapState.CONFIRMED, CapState.APPLIED):
        return SettingState.APPLIED
    return _BY_CAP[live.cap_state]


def follow(session: Session, live: GunSessionLive, *, at: datetime) -> None:
    """Bring the gun's newest limit to where the engine says that it is."""
    row = session.scalars(
        select(PowerSettingGun)
        .where(PowerSettingGun.pile_number == live.pile_number, PowerSettingGun.gun_no == live.gun_no)
        .order_by(PowerSettingGun.setting_id.desc())
        .limit(1)
        .with_for_update(key_share=True)
    ).one_or_none()
    if row is None or row.state not in FOLLOWED:
        return
    gun = session.get_one(Gun, (live.pile_number, live.gun_no))
    state = judge(row.limit_kw, gun.rated_kw, live)
    if state is None:
        return
    reason = None
    if state is SettingState.FAILED:
        reason = live.allowance_refused or Reason.CAP_NOT_CONFIRMED.value
    bound_by = live.bound_by or None
    if (state, reason, live.serial, bound_by) == (row.state, row.reason, row.serial, row.bound_by):
        return
    row.serial, row.bound_by = live.serial, bound_by
    move(row, state, reason, at=at)


def move(row: PowerSettingGun, state: SettingState, reason: str | None, *, at: datetime) -> None:
    """Put a limit's row into a state; nothing is awaited of the engine any more."""
    if state is not row.state:
        log.info(
            "power_setting_moved",
            setting=row.setting_id,
            pile=row.pile_number,
            gun=row.gun_no,
            state=state.value,
            reason=reason,
        )
    row.state, row.reason, row.state_at, row.deadline_at = state, reason, at, None


def give_up(session: Session, key: tuple[int, str, int], *, at: datetime) -> None:
    """The engine has not said in time that it heeds a limit: it is away, or there is no room for a higher one.

    It still stands, and is heeded when the reason is gone; then the row moves on.
    """
    row = session.get(PowerSettingGun, key, with_for_update=ROW_LOCK, populate_existing=True)
    if row is None or row.deadline_at is None or at < row.deadline_at:
        return
    live = session.get(GunSessionLive, (row.pile_number, row.gun_no))
    reason = Reason.ENGINE_AWAY
    if link_in_force(session, row.pile_number) is None:
        reason = Reason.PILE_OFFLINE
    elif live is not None and _is_raise(row.limit_kw, live):
        reason = Reason.NO_HEADROOM
    move(row, SettingState.FAILED, reason.value, at=at)


def overdue(session: Session, *, at: datetime, most: int) -> list[tuple[tuple[int, str, int], str]]:
    """(key, station) of the limits for which the engine has had its time."""
    query = (
        select(
            PowerSettingGun.setting_id,
            PowerSettingGun.pile_number,
            PowerSettingGun.gun_no,
            PowerSettingGun.station_code,
        )
        .where(PowerSettingGun.deadline_at <= at)
        .order_by(PowerSettingGun.deadline_at)
        .limit(most)
    )
    return [((setting, pile, gun), station) for setting, pile, gun, station in session.execute(query)]


def _is_raise(limit_kw: Decimal | None, live: GunSessionLive) -> bool:
    """Whether the engine heeds a lower limit than is wished: what goes up is weighed like a start."""
    return live.hand_limit_kw is not None and (limit_kw is None or limit_kw > live.hand_limit_kw)
