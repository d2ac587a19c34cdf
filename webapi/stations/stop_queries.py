"""Reading what a station stop reached."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evcs.contracts.reasons import Reason, Sentence, sentence
from webapi.guns.now import guns_now
from webapi.piles.models import Pile
from webapi.stations.lockout_views import LockoutView
from webapi.stations.models import Station
from webapi.stations.queries import stopped_of
from webapi.stations.stop import rows_of
from webapi.stations.stop_models import StationStopGun, StopOutcome

PILE_SAID = "pile_said"
IDLE = Sentence("桩上报无充电。", "Nothing ran there, as its pile says.")
STOPPED = Sentence("已停止：桩已上报。", "Stopped, as its pile says.")
ASKED = Sentence("已下发停止，等待桩上报。", "The stop is on its way; the pile's word is awaited.")
AWAY = Sentence(
    "桩离线，未能停止；不能确认是否仍在充电，请到现场断电。上线后会自动再次停止。",
    "The pile is offline and was not reached: it may go on charging. Switch it off on site; it is asked again when "
    "it is back.",
)
SILENT = Sentence(
    "已下发停止，但桩仍在充电；请到现场断电。平台继续重试。",
    "The stop was sent, but it still charges. Switch it off on site; the platform goes on asking.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedGunView:
    """A gun of a stopped station."""

    pile: str
    gun: int
    ran: bool
    serial: str | None
    outcome: StopOutcome
    proof: str | None
    reason: str | None
    sentence: Sentence
    asked_at: datetime | None
    stopped_at: datetime | None
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StationStopView:
    """The newest stop of a station."""

    station: str
    stop: LockoutView | None
    stopped_at: datetime | None
    idle: int
    stopped: int
    asked: int
    not_reached: int
    guns: tuple[StoppedGunView, ...]


def stop_view(session: Session, station: Station) -> StationStopView:
    """What the stop in force reached, or the last one; none at all: no guns."""
    at = station.station_stop_since or session.scalar(
        select(func.max(StationStopGun.stopped_at)).where(StationStopGun.station_code == station.code)
    )
    rows = [] if at is None else rows_of(session, station.code, at)
    count = {outcome: sum(row.outcome is outcome for row in rows) for outcome in StopOutcome}
    return StationStopView(
        station=station.code,
        stop=None
        if station.station_stop_since is None
        else stopped_of(station, guns_now(session, Pile.station_code == station.code)),
        stopped_at=at,
        idle=count[StopOutcome.IDLE],
        stopped=count[StopOutcome.STOPPED],
        asked=count[StopOutcome.ASKED],
        not_reached=count[StopOutcome.NOT_REACHED],
        guns=tuple(_gun(row) for row in rows),
    )


def _gun(row: StationStopGun) -> StoppedGunView:
    return StoppedGunView(
        pile=row.pile_number,
        gun=row.gun_no,
        ran=row.ran,
        serial=row.serial,
        outcome=row.outcome,
        proof=PILE_SAID if row.outcome in (StopOutcome.IDLE, StopOutcome.STOPPED) else None,
        reason=row.reason,
        sentence=_told(row),
        asked_at=row.asked_at,
        stopped_at=row.stopped_seen_at,
        tries=row.tries,
    )


def _told(row: StationStopGun) -> Sentence:
    match row.outcome:
        case StopOutcome.IDLE:
            return IDLE
        case StopOutcome.STOPPED:
            return STOPPED
        case StopOutcome.ASKED:
            return ASKED
        case StopOutcome.NOT_REACHED:
            if row.reason in (Reason.PILE_OFFLINE, Reason.LINK_LOST):
                return AWAY
            if row.reason in (None, Reason.TIMED_OUT):
                return SILENT
            why = sentence(Reason(row.reason))
            return Sentence(f"{SILENT.zh}（{why.zh}）", f"{SILENT.en} ({why.en})")
