"""Charge records that no order explains: listing them, and giving one to the customer who charged."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Select
from sqlalchemy.orm import Session

from evcs.contracts import topics
from evcs.contracts.gun import ChargeRecord as Record
from evcs.contracts.ids import NO_SERIAL
from evcs.contracts.states import StartSource
from webapi.access import Visible
from webapi.cards.numbers import is_uid, is_vin, masked_card, masked_vin
from webapi.cards.rights import sees_numbers
from webapi.customers.models import Customer
from webapi.guns.models import Gun
from webapi.http.paging import NumberKey, Page, PageWish, page_of, read_cursor
from webapi.orders import life
from webapi.orders.adopt_offline import order_of_record
from webapi.orders.advance import observe
from webapi.orders.models import ChargeRecord, Order, RecordVerdict
from webapi.orders.settle import settle_orphan
from webapi.piles.models import Pile


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanView:
    """A record without an order, as the pile wrote it. Times are the pile's; amounts in 0.0001 yuan."""

    id: int
    serial: str
    station: str
    pile: str
    gun: int
    source: str
    card: str | None
    vin: str | None
    started_at: datetime
    ended_at: datetime
    energy_kwh: Decimal
    pile_amount_e4: int
    reason: str | None
    received_at: datetime
    repeats: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OrphanFilter(PageWish):
    """Which orphans."""

    station: str | None = None
    pile: str | None = None


def list_orphans(session: Session, sees: Visible, wish: OrphanFilter) -> Page[OrphanView]:
    """Orphans of visible stations, newest first."""
    query = _orphans(sees)
    if wish.station is not None:
        query = query.where(Pile.station_code == wish.station)
    if wish.pile is not None:
        query = query.where(ChargeRecord.pile_number == wish.pile)
    after = read_cursor(wish.cursor, NumberKey)
    if after is not None:
        query = query.where(ChargeRecord.id < after.id)
    found = session.scalars(query.order_by(ChargeRecord.id.desc()).limit(wish.limit + 1)).all()
    return page_of(found, wish.limit, lambda row: NumberKey(row.id)).map(lambda row: _view(session, row, sees))


def find_record(session: Session, sees: Visible, record_id: int) -> ChargeRecord | None:
    """A visible record, locked for its adoption."""
    query = sees.records().where(ChargeRecord.id == record_id).with_for_update(of=ChargeRecord)
    return session.scalars(query).one_or_none()


def adopt_orphan(session: Session, row: ChargeRecord, customer: Customer, *, by: str, at: datetime) -> Order | None:
    """Have a customer pay for an orphan: an order without a hold, settled from the record at once.

    None where the record has an order by now, or names none that could be made. The caller commits.
    """
    pile, gun = session.get_one(Pile, row.pile_number), session.get(Gun, (row.pile_number, row.gun_no))
    if row.verdict is not RecordVerdict.ORPHAN or row.serial == NO_SERIAL or gun is None:
        return None
    if session.get(Order, row.serial) is not None:
        return None
    record = topics.RECORD.decode(row.decoded_json.encode())
    source = record.source if isinstance(record.source, StartSource) else StartSource.PLATFORM
    order = order_of_record(record, pile, gun, customer.id, source, by=by, at=at)
    order.card_number = card_of(record)
    session.add(order)
    session.flush()
    settled = settle_orphan(session, row, order, at=at, by=by)
    if settled.outcome is None:
        raise ValueError(f"{order.serial}: the record is not of its own order")
    observe(session, order, life.RecordStored(settled.outcome, settled.has_energy, order.ended_at), at=at, by=by)
    session.flush()
    return order


def card_of(record: Record) -> str | None:
    """The card of a record as cards are kept; none where none was read. The wire spells it in either case."""
    card = record.card.upper()
    return card if is_uid(card) else None


def _orphans(sees: Visible) -> Select[ChargeRecord]:
    return sees.records().where(ChargeRecord.verdict == RecordVerdict.ORPHAN)


def _view(session: Session, row: ChargeRecord, sees: Visible) -> OrphanView:
    record = topics.RECORD.decode(row.decoded_json.encode())
    in_full = sees_numbers(sees)
    card = card_of(record)
    vin = record.vin if is_vin(record.vin) else None
    return OrphanView(
        id=row.id,
        serial=row.serial,
        station=session.get_one(Pile, row.pile_number).station_code,
        pile=row.pile_number,
        gun=row.gun_no,
        source=record.source.value if isinstance(record.source, StartSource) else str(record.source),
        card=card if in_full else masked_card(card),
        vin=vin if in_full else masked_vin(vin),
        started_at=record.started_at,
        ended_at=record.ended_at,
        energy_kwh=row.energy_kwh,
        pile_amount_e4=row.pile_amount_e4,
        reason=row.verdict_reason,
        received_at=row.received_at,
        repeats=row.repeats,
    )
