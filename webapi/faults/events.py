"""What `rules` holds open as alarms, kept as records: each time it was raised is one, and outlives the alarm."""

from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from evcs.contracts.alarm import Alarm as AlarmLevel
from evcs.contracts.topics import Address
from evcs.runtime.log import get_logger
from webapi.faults.dictionary import entry_for
from webapi.faults.models import AlarmRecord
from webapi.stations.models import Station
from webapi.worker.answers import NOTHING, Answers

log = get_logger()

TEXT_MOST = 400
"""Characters of a sentence, or of what the pile said, that are kept."""
WORD_MOST = 16


def alarm_level(session: Session, address: Address, level: AlarmLevel, at: datetime) -> Answers:
    """Keep an alarm: the record of its (id, raised at) by version; raised anew it is a record of its own.

    Work and view session both bring it: one loses nothing, the other is early. So a level may come behind a newer one.
    """
    record = _record(session, AlarmRecord.alarm_id == level.alarm, AlarmRecord.raised_at == level.raised_at)
    if record is not None:
        if level.version > record.version:
            _follow(record, level, at)
            session.flush()
        return NOTHING
    newest = _newest(session, level.alarm)
    if newest is None and session.get(Station, address.station) is None:
        log.warning("alarm_of_unknown_station", station=address.station, alarm=level.alarm)
        return NOTHING
    record = _new_record(session, address, level)
    _follow(record, level, at)
    if newest is not None:
        earlier, later = (record, newest) if level.version < newest.version else (newest, record)
        if earlier.cleared_at is None:
            earlier.cleared_at = max(earlier.raised_at, later.raised_at)
    session.add(record)
    session.flush()
    return NOTHING


def alarm_cleared(session: Session, address: Address, at: datetime) -> None:
    """Its topic stands empty: it is not open any more."""
    newest = _newest(session, address.alarm)
    if newest is not None and newest.cleared_at is None:
        newest.cleared_at = at


def _newest(session: Session, alarm: str) -> AlarmRecord | None:
    return _record(session, AlarmRecord.alarm_id == alarm)


def _record(session: Session, *conditions: ColumnElement[bool]) -> AlarmRecord | None:
    """The newest by version, locked."""
    query = select(AlarmRecord).where(*conditions).order_by(AlarmRecord.version.desc()).limit(1)
    return session.scalars(query.with_for_update(key_share=True, of=AlarmRecord)).first()


def _new_record(session: Session, address: Address, level: AlarmLevel) -> AlarmRecord:
    """A record with what it says and will go on saying, whatever becomes of the dictionary.

    A code that `rules` did not know may have been described in the meantime: its table travels by MQTT.
    """
    record = AlarmRecord(
        alarm_id=level.alarm,
        station_code=address.station,
        pile_number=level.pile,
        protocol=level.protocol[:WORD_MOST],
        code=level.code[:64],
        known=level.known,
        text_zh=level.zh[:TEXT_MOST],
        text_en=level.en[:TEXT_MOST],
        raised_at=level.raised_at,
    )
    entry = None if level.known else entry_for(session, record)
    if entry is not None:
        record.known, record.text_zh, record.text_en = True, entry.text_zh, entry.text_en
    return record


def _follow(record: AlarmRecord, level: AlarmLevel, at: datetime) -> None:
    """What may change while it is open."""
    record.transformer_code = level.transformer
    record.gun_no = level.gun
    record.order_serial = level.serial
    record.kind = level.kind
    record.severity = level.severity
    record.action = level.action[:WORD_MOST]
    record.count = max(level.count, 1)
    record.value, record.limit, record.unit = level.value, level.limit, level.unit[:WORD_MOST]
    record.raw = level.raw[:TEXT_MOST]
    record.cleared_at = None if level.open else (level.cleared_at or at)
    record.version = level.version
