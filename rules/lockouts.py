"""Check 0 of the gate, before everything else and for every source: has somebody taken this gun out of use."""

from dataclasses import dataclass
from datetime import datetime

from evcs.contracts.config import Lockout
from evcs.contracts.gun import Figures
from evcs.contracts.reasons import Reason, Sentence
from evcs.contracts.times import BEIJING
from rules.station import Gun, Pile, Station


@dataclass(frozen=True, slots=True)
class Locked:
    """Why the gun is out of use, by whom and until when."""

    reason: Reason
    because: Sentence
    until: datetime | None = None

    def figures(self, now: datetime) -> Figures:
        """When to try again, where somebody has said so."""
        if self.until is None:
            return Figures()
        return Figures(retry_after_s=round((self.until - now).total_seconds()))


def locked(station: Station, pile: Pile, gun: Gun, now: datetime) -> Locked | None:
    """The lockout that holds: of the gun, its pile, the station; the station's stop; an alarm that locks (promise S7).

    One whose `until` is over holds no longer. An alarm locks until the worker has made a lockout from it.
    """
    config = station.config
    for lockout in (
        gun.config.lockout if gun.config is not None else None,
        pile.limits.lockout if pile.limits is not None else None,
        config.lockout if config is not None else None,
    ):
        if lockout is not None and lockout.in_force(now):
            return _by_person(Reason.LOCKED_OUT, lockout, now)
    if config is not None and config.station_stop is not None and config.station_stop.in_force(now):
        return _by_person(Reason.STATION_STOPPED, config.station_stop, now)
    standing = station.alarms.locks(pile.number, gun.number)
    if standing is not None:
        alarm = standing.open
        return Locked(Reason.PROTECTION_LOCKED, Sentence(f"告警：{alarm.zh}", f"Alarm: {alarm.en}"))
    return None


def _by_person(reason: Reason, lockout: Lockout, now: datetime) -> Locked:
    until_zh = until_en = ""
    if lockout.until is not None:
        local = lockout.until.astimezone(BEIJING)
        is_today = local.date() == now.astimezone(BEIJING).date()
        shown = f"{local:%H:%M}" if is_today else f"{local:%Y-%m-%d %H:%M}"
        until_zh, until_en = f"，至 {shown}", f", until {shown}"
    zh, en = ("停用", "Locked out") if reason is Reason.LOCKED_OUT else ("原因", "Why")
    because = Sentence(
        f"{zh}：{lockout.why}（{lockout.who}{until_zh}）。", f"{en}: {lockout.why} ({lockout.who}{until_en})."
    )
    return Locked(reason, because, lockout.until)
