"""全站停止: every session of a station ends and none begins, until somebody lifts it; works while `rules` is away.

`stop_station(session, station, …)` and `lift_stop(session, station)`: the caller commits and audits. Each gun is a row
that says what is known of it: idle, asked, stopped (its pile said so), or not reached, with the reason. What is not
reached within 30 s is named, and asked again until the stop is lifted; a pile that comes back is asked then.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts import waits
from evcs.contracts.gun import GunReply
from evcs.contracts.pile import Outcome
from evcs.contracts.reasons import Reason
from evcs.contracts.states import OPEN_ORDER
from evcs.runtime.log import get_logger
from webapi.database import ROW_LOCK
from webapi.guns.now import GunNow, guns_now
from webapi.orders.models import Order
from webapi.orders.stop_guns import has_order, stop_open_orders, stop_whatever_runs
from webapi.piles.models import Pile
from webapi.stations.models import Station
from webapi.stations.revision import raise_piles_of, raise_station
from webapi.stations.stop_models import StationStopGun, StopOutcome

log = get_logger()

NAMED_WITHIN = timedelta(seconds=waits.STOP_ALARM_S)
"""A gun whose charge goes on for so long after it was asked is named as not reached."""
AGAIN_AFTER = timedelta(seconds=waits.STOP_ANSWER_S)


def lock_station(session: Session, code: str) -> Station:
    """The station's row as it now is, locked until the commit."""
    return session.get_one(Station, code, with_for_update=ROW_LOCK, populate_existing=True)


def stop_station(session: Session, station: Station, *, by: str, reason: str, at: datetime) -> None:
    """Stop and inhibit it; again it asks again. The caller has locked the row."""
    if station.station_stop_since is None:
        station.station_stop_by = by
        station.station_stop_reason = reason
        station.station_stop_since = at
        _list_guns(session, station, at)
        raise_piles_of(session, station.code)
        raise_station(session, station.code)
    pursue(session, station, at=at)


def lift_stop(session: Session, station: Station) -> bool:
    """Let charges begin again; whether it was stopped. What was reached stays to be read."""
    if station.station_stop_since is None:
        return False
    station.station_stop_by = station.station_stop_reason = station.station_stop_since = None
    raise_piles_of(session, station.code)
    raise_station(session, station.code)
    return True


def pursue(session: Session, station: Station, *, at: datetime) -> None:
    """Look at every gun of a stopped station, and stop what still runs or runs again."""
    since = station.station_stop_since
    if since is None:
        return
    by = station.station_stop_by or "worker"
    guns = guns_now(session, Pile.station_code == station.code)
    _stop_new_orders(session, station, guns, by=by, at=at)
    rows = {(row.pile_number, row.gun_no): row for row in rows_of(session, station.code, since)}
    for gun in guns:
        row = rows.get((gun.pile, gun.gun))
        if row is not None:
            _look(session, row, gun, at)
    session.flush()


def rows_of(session: Session, station: str, stopped_at: datetime) -> list[StationStopGun]:
    """The guns of one stop, by pile and number."""
    return list(
        session.scalars(
            select(StationStopGun)
            .where(StationStopGun.station_code == station, StationStopGun.stopped_at == stopped_at)
            .order_by(StationStopGun.pile_number, StationStopGun.gun_no)
        )
    )


def stop_replied(session: Session, reply: GunReply) -> None:
    """A pile did not carry out a stop: that is why its gun is not reached yet."""
    if reply.command != "stop" or reply.outcome is Outcome.ACCEPTED or reply.reason is Reason.NOT_CHARGING:
        return
    own = StationStopGun.stop_id == reply.id
    query = select(StationStopGun).where(own, StationStopGun.outcome == StopOutcome.ASKED)
    for row in session.scalars(query):
        row.reason = (reply.reason or Reason.PILE_REFUSED).value


def _list_guns(session: Session, station: Station, at: datetime) -> None:
    for gun in guns_now(session, Pile.station_code == station.code):
        session.add(
            StationStopGun(
                station_code=station.code,
                stopped_at=at,
                pile_number=gun.pile,
                gun_no=gun.gun,
                ran=gun.ran,
                serial=gun.level.serial if gun.level is not None and gun.ran else None,
                outcome=StopOutcome.IDLE,
            )
        )
    session.flush()


def _stop_new_orders(session: Session, station: Station, guns: list[GunNow], *, by: str, at: datetime) -> None:
    """Orders that nobody has asked to end yet; the others repeat their stops by themselves."""
    unasked = session.execute(
        select(Order.pile_number, Order.gun_no).where(
            Order.station_code == station.code,
            Order.state.in_(OPEN_ORDER),
            Order.end_observed_at.is_(None),
            Order.stop_requested_at.is_(None),
        )
    )
    there = {(pile, gun) for pile, gun in unasked}
    concerned = [gun for gun in guns if (gun.pile, gun.gun) in there]
    if concerned:
        stop_open_orders(session, concerned, why=Reason.STATION_STOPPED, by=by, at=at)


def _look(session: Session, row: StationStopGun, gun: GunNow, at: datetime) -> None:
    if not gun.is_heard:
        # Whether current flows is not known: it is named at once, and never called stopped.
        if row.outcome is not StopOutcome.NOT_REACHED:
            was_asked = row.outcome is StopOutcome.ASKED
            row.reason = (Reason.LINK_LOST if was_asked else Reason.PILE_OFFLINE).value
            row.outcome = StopOutcome.NOT_REACHED
            row.asked_at = None
        row.ran = row.ran or gun.ran
        return
    if not gun.runs:
        if row.outcome not in (StopOutcome.STOPPED, StopOutcome.IDLE):
            row.outcome = StopOutcome.STOPPED if row.ran else StopOutcome.IDLE
            row.stopped_seen_at = at
            row.reason = None
        return
    _ask(session, row, gun, at)


def _ask(session: Session, row: StationStopGun, gun: GunNow, at: datetime) -> None:
    serial = gun.level.serial if gun.level is not None else None
    if row.asked_at is None or row.outcome in (StopOutcome.STOPPED, StopOutcome.IDLE):
        row.ran, row.serial, row.asked_at = True, serial, at
        row.outcome, row.reason, row.stopped_seen_at = StopOutcome.ASKED, None, None
        row.tries, row.last_sent_at = 0, None
    if row.outcome is StopOutcome.ASKED and at - row.asked_at >= NAMED_WITHIN:
        row.outcome = StopOutcome.NOT_REACHED
        row.reason = row.reason or Reason.TIMED_OUT.value
        log.warning("station_stop_not_reached", station=row.station_code, pile=row.pile_number, gun=row.gun_no)
    if has_order(session, gun):
        row.stop_id = session.get_one(Order, row.serial).stop_id
        return
    if row.last_sent_at is None or at - row.last_sent_at >= AGAIN_AFTER:
        row.stop_id = stop_whatever_runs(session, gun, why=Reason.STATION_STOPPED, at=at, named=False)
        row.tries += 1
        row.last_sent_at = at
