"""A charge without the platform (离线充电): the record of a known card becomes an order of its customer.

The pile checked the card itself (0x44), numbered the charge itself and sends its record after the next login.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from evcs.contracts.gun import ChargeRecord
from evcs.contracts.ids import NO_SERIAL
from evcs.contracts.states import GoalKind, OrderState, StartSource
from evcs.runtime.log import get_logger
from webapi.audit.note import note
from webapi.cards.find import find_card_at
from webapi.cards.models import CardState
from webapi.cards.numbers import is_vin, masked_card
from webapi.guns.models import Gun
from webapi.orders import life
from webapi.orders.models import Order
from webapi.orders.record import CLOCK_TOLERANCE, is_clock_right
from webapi.piles.models import Pile

log = get_logger()

UNKNOWN_SERIAL = "unknown_serial"
CARD_UNKNOWN = "card_unknown"
CARD_BLOCKED = "card_blocked"
GUN_UNKNOWN = "gun_unknown"
FOREIGN_SERIAL = "foreign_serial"


def adopt_offline(session: Session, record: ChargeRecord, *, at: datetime) -> Order | str:
    """The order of a record whose serial nobody knows, or why there is none.

    Billed by the tariff that the pile has confirmed: it had no other while it was away. A card that was blocked by then
    may be in wrong hands: a person decides.
    """
    if record.source is not StartSource.OFFLINE_CARD or record.serial == NO_SERIAL:
        return UNKNOWN_SERIAL
    pile, gun = session.get(Pile, record.pile), session.get(Gun, (record.pile, record.gun))
    if pile is None or gun is None:
        return GUN_UNKNOWN
    numbered_by = record.serial[: len(pile.number)]
    if numbered_by != pile.number and session.get(Pile, numbered_by) is not None:
        # Numbered by another pile, whose own next order could stand under it.
        return FOREIGN_SERIAL
    began = began_at(record)
    card = find_card_at(session, pile.station.tenant_id, record.card.upper(), began, CLOCK_TOLERANCE)
    if card is None:
        return CARD_UNKNOWN
    if card.state is CardState.BLOCKED and card.state_since <= began:
        return CARD_BLOCKED
    order = order_of_record(
        record, pile, gun, card.customer_id, StartSource.OFFLINE_CARD, by=f"pile:{pile.number}", at=at
    )
    order.card_number, order.printed_card = record.card.upper(), card.printed_no
    session.add(order)
    session.flush()
    log.info("offline_charge_adopted", serial=order.serial, card=masked_card(record.card), customer=card.customer_id)
    note(
        session,
        at=at,
        actor=f"pile:{pile.number}",
        action="order_adopt",
        outcome=StartSource.OFFLINE_CARD.value,
        tenant_id=order.tenant_id,
        station=order.station_code,
        object_kind="order",
        object_id=order.serial,
    )
    return order


def began_at(record: ChargeRecord) -> datetime:
    """When the charge of a record began, as far as its clock can be believed; else when the record came."""
    return record.started_at if is_clock_right(record) else record.received_at


def order_of_record(
    record: ChargeRecord, pile: Pile, gun: Gun, customer_id: int, source: StartSource, *, by: str, at: datetime
) -> Order:
    """The order of a charge that has ended and that nobody placed, without a hold; its record settles it next."""
    return Order(
        serial=record.serial,
        tenant_id=pile.station.tenant_id,
        station_code=pile.station_code,
        pile_number=pile.number,
        gun_no=gun.no,
        customer_id=customer_id,
        source=source,
        created_by=by,
        goal_kind=GoalKind.FULL,
        may_queue=False,
        state=OrderState.ENDED,
        state_since=at,
        deadline_at=life.record_deadline(at),
        tariff_version_id=pile.confirmed_tariff_version_id,
        vin=record.vin if is_vin(record.vin) else None,
        requested_at=began_at(record),
        end_observed_at=at,
        electricity_fen=0,
        service_fen=0,
        occupancy_fen=0,
        discount_fen=0,
        total_fen=0,
        provisional=False,
    )
