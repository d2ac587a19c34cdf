"""功率设置: a person limits one or many guns, in kW or % of the rating, or takes the limit away.

`set_power(session, guns, Wish(...), by=…, at=…)`: the caller has seen that the guns are the asker's, commits and
audits. The limit stands in the gun's row and travels in `config/…`; `rules` alone turns it into a pile's power. At the
pile it is volatile (the bridge sends 0x52 again after a login), so there is no budget of writes to be spared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts import waits
from evcs.contracts.reasons import Reason
from webapi.guns.models import Gun
from webapi.guns.now import GunNow, guns_now
from webapi.guns.power_follow import FOLLOWED
from webapi.guns.power_models import GunSessionLive, LimitKind, PowerSetting, PowerSettingGun, SettingState
from webapi.piles.models import Pile
from webapi.stations.revision import raise_piles, raise_station

HEEDED_WITHIN = timedelta(seconds=waits.REQUEST_S)
"""The engine says by then that it heeds a limit of a charging gun."""
WATT = Decimal("0.001")

Name = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Limit:
    """How high: exactly one of the two; both none: no limit."""

    kw: Decimal | None = None
    pct: Decimal | None = None

    @property
    def kind(self) -> LimitKind:
        """How it was given."""
        if self.kw is not None:
            return LimitKind.KW
        return LimitKind.NONE if self.pct is None else LimitKind.PCT

    def of(self, rated_kw: Decimal) -> Decimal | None:
        """In kW for a gun of this rating, whole watts."""
        if self.pct is not None:
            return (rated_kw * self.pct / 100).quantize(WATT)
        return self.kw


@dataclass(frozen=True, slots=True)
class Wish:
    """Which guns, how high, why."""

    guns: tuple[Name, ...]
    limit: Limit
    reason: str


def set_power(session: Session, guns: Sequence[Gun], wish: Wish, *, by: str, at: datetime) -> PowerSetting:
    """Limit guns; an earlier limit of theirs that has not come through is superseded."""
    setting = PowerSetting(
        kind=wish.limit.kind,
        value=wish.limit.kw if wish.limit.kw is not None else wish.limit.pct,
        reason=wish.reason,
        set_by=by,
        set_at=at,
    )
    session.add(setting)
    session.flush()
    names = [(gun.pile_number, gun.no) for gun in guns]
    _supersede(session, names, at)
    now = _now(session, names)
    for gun in _locked(session, names):
        gun.hand_limit_kw = wish.limit.of(gun.rated_kw)
        known = now[gun.pile_number, gun.no]
        row = PowerSettingGun(
            setting_id=setting.id,
            pile_number=gun.pile_number,
            gun_no=gun.no,
            station_code=known.station,
            limit_kw=gun.hand_limit_kw,
            tries=1,
        )
        _ask(session, row, known, at)
        session.add(row)
    _publish(session, list(now.values()))
    return setting


def ask_again(session: Session, rows: Sequence[PowerSettingGun], *, at: datetime) -> None:
    """Have the engine look at limits that failed once more: with the new revision it asks the piles at once."""
    now = _now(session, [(row.pile_number, row.gun_no) for row in rows])
    for row in rows:
        row.tries += 1
        _ask(session, row, now[row.pile_number, row.gun_no], at)
    _publish(session, list(now.values()))


def _ask(session: Session, row: PowerSettingGun, gun: GunNow, at: datetime) -> None:
    """Where it begins: it stands where nothing runs, else the engine has its time to heed it."""
    live = session.get(GunSessionLive, (gun.pile, gun.gun))
    runs = gun.runs or (live is not None and live.serial is not None)
    row.state_at, row.reason, row.deadline_at = at, None, None
    row.serial = live.serial if live is not None else None
    if not runs and not (gun.link is None and gun.ran):
        row.state = SettingState.STANDING
    elif gun.link is None:
        row.state, row.reason = SettingState.FAILED, Reason.PILE_OFFLINE.value
    else:
        row.state, row.deadline_at = SettingState.ASKED, at + HEEDED_WITHIN


def _locked(session: Session, names: Sequence[Name]) -> list[Gun]:
    """The rows, locked in one order until the commit."""
    piles = sorted({pile for pile, _ in names})
    rows = session.scalars(
        select(Gun)
        .where(Gun.pile_number.in_(piles))
        .order_by(Gun.pile_number, Gun.no)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    wanted = set(names)
    return [gun for gun in rows if (gun.pile_number, gun.no) in wanted]


def _supersede(session: Session, names: Sequence[Name], at: datetime) -> None:
    wanted = set(names)
    rows = session.scalars(
        select(PowerSettingGun).where(
            PowerSettingGun.pile_number.in_(sorted({pile for pile, _ in names})),
            PowerSettingGun.state.in_(sorted(FOLLOWED)),
        )
    )
    for row in rows:
        if (row.pile_number, row.gun_no) in wanted:
            row.state, row.state_at, row.deadline_at = SettingState.SUPERSEDED, at, None


def _now(session: Session, names: Sequence[Name]) -> dict[Name, GunNow]:
    wanted = set(names)
    found = guns_now(session, Pile.number.in_(sorted({pile for pile, _ in names})))
    return {(gun.pile, gun.gun): gun for gun in found if (gun.pile, gun.gun) in wanted}


def _publish(session: Session, guns: Sequence[GunNow]) -> None:
    raise_piles(session, [gun.pile for gun in guns])
    raise_station(session, *(gun.station for gun in guns))
