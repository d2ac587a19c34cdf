"""Confirming charge records: `G/confirm` for whatever is stored, again until the bridge has written 0x40."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from evcs.contracts import topics
from evcs.contracts.gun import RecordConfirm
from webapi.orders.models import ChargeRecord
from webapi.piles.models import Pile
from webapi.worker.answers import Answer, Answers
from webapi.worker.enqueue import new_id


def confirmation(row: ChargeRecord, station: str) -> Answer:
    """Result 0 for every stored record: also a repeated, disputed, unknown one."""
    return Answer(
        topic=topics.CONFIRM.at(station=station, pile=row.pile_number, gun=row.gun_no),
        payload=topics.CONFIRM.encode(RecordConfirm(id=new_id(), serial=row.serial)),
        confirms=row.id,
    )


def unsent(session: Session, pile: str | None = None) -> Answers:
    """Confirmations of which no bridge has said that 0x40 is written; of one pile, or of all."""
    query = (
        select(ChargeRecord, Pile.station_code)
        .join(Pile, Pile.number == ChargeRecord.pile_number)
        .where(ChargeRecord.confirm_sent_at.is_(None))
        .order_by(ChargeRecord.id)
    )
    if pile is not None:
        query = query.where(ChargeRecord.pile_number == pile)
    return tuple(confirmation(row, station) for row, station in session.execute(query))


def mark_published(session: Session, record_ids: list[int], *, at: datetime) -> None:
    """The broker has these confirmations."""
    session.execute(update(ChargeRecord).where(ChargeRecord.id.in_(record_ids)).values(confirmed_at=at))


def mark_sent(session: Session, pile: str, serial: str, *, at: datetime) -> None:
    """The bridge has written 0x40 for this serial, which confirms every record of it that the pile sent."""
    session.execute(
        update(ChargeRecord)
        .where(ChargeRecord.pile_number == pile, ChargeRecord.serial == serial, ChargeRecord.confirm_sent_at.is_(None))
        .values(confirm_sent_at=at)
    )
