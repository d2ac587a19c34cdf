"""What `rules` holds open as alarms, kept as rows: the list of faults outlives the alarm."""

from datetime import datetime

from sqlalchemy.orm import Session

from evcs.contracts.alarm import Alarm as AlarmLevel
from evcs.contracts.topics import Address
from evcs.runtime.log import get_logger
from webapi.database import ROW_LOCK
from webapi.faults.models import Alarm
from webapi.stations.models import Station
from webapi.worker.answers import NOTHING, Answers

log = get_logger()


def alarm_level(session: Session, address: Address, level: AlarmLevel, at: datetime) -> Answers:
    """Keep an alarm under its deterministic id, by version; raised again it is the same row."""
    row = session.get(Alarm, level.alarm, with_for_update=ROW_LOCK)
    if row is None:
        if session.get(Station, address.station) is None:
            log.warning("alarm_of_unknown_station", station=address.station, alarm=level.alarm)
            return NOTHING
        row = Alarm(id=level.alarm, station_code=address.station)
        session.add(row)
    elif level.version <= row.version:
        return NOTHING
    row.transformer_code = level.transformer
    row.pile_number = level.pile
    row.gun_no = level.gun
    row.order_serial = level.serial
    row.kind = level.kind.value
    row.code = level.code
    row.severity = level.severity.value
    row.action = level.action
    row.text_zh = level.zh
    row.text_en = level.en
    row.raised_at = level.raised_at
    row.cleared_at = None if level.open else (level.cleared_at or at)
    row.version = level.version
    return NOTHING


def alarm_cleared(session: Session, address: Address, at: datetime) -> None:
    """Its topic stands empty: it is not open any more."""
    row = session.get(Alarm, address.alarm, with_for_update=ROW_LOCK)
    if row is not None and row.cleared_at is None:
        row.cleared_at = at
