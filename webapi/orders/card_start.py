"""A driver asks at the pile, by card or VIN (0x31, 0xA1): an order in the transaction of the event, or a refusal.

Every request leaves a row in `card_attempt`, by its id: the same event again finds it and does nothing. What refuses at
once is told to the login in which the driver asked; what refuses later (gate, expiry, pile) does `life` by the order.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from evcs.contracts.gun import CardMode, CardRequest, Goal, GunEvent
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GoalKind, OrderState, StartSource
from evcs.contracts.topics import Address
from evcs.runtime.log import get_logger
from webapi.audit.note import note
from webapi.cards.attempt import attempt_row, mode_of
from webapi.cards.find import find_card, find_vehicle
from webapi.cards.models import Card, CardAttempt, CardState
from webapi.cards.numbers import is_vin, masked_card, masked_vin, spellings
from webapi.orders import life, messages
from webapi.orders.advance import TOGETHER, enqueue_command, observe, open_orders_of_gun
from webapi.orders.models import Order
from webapi.orders.place import AskedAtPile, PlaceOrder, place_order
from webapi.orders.place_joint import share_of_wallet
from webapi.piles.link import link_in_force
from webapi.piles.models import Pile
from webapi.refusals import Refusal
from webapi.users.secrets_of import verify_password
from webapi.worker.enqueue import new_id

log = get_logger()

FULL = Goal(kind=GoalKind.FULL)
GUESSES = 5
GUESSES_WITHIN = timedelta(minutes=10)
"""So many wrong passwords of a card at one pile, then it is not even looked at there; other piles are not concerned."""


@dataclass(frozen=True, slots=True)
class Known:
    """Who asks: the customer, and what the pile is told of the card."""

    customer_id: int
    source: StartSource
    printed_card: str = ""


@dataclass(frozen=True, slots=True)
class Denied:
    """Why nothing starts, and whose card or car it is, where that is known."""

    reason: Reason
    customer_id: int | None = None


def card_request(session: Session, address: Address, event: GunEvent, at: datetime) -> None:
    """Place an order for a driver at the pile, or refuse; once per event."""
    asked, pile = event.card_request, session.get(Pile, address.pile)
    if asked is None or pile is None or session.get(CardAttempt, event.id) is not None:
        return
    if at >= asked.expires_at:
        # The bridge has refused by itself long since: nothing is told any more, but the attempt is kept.
        _refuse(session, pile, address, event, asked, Refusal(Reason.EXPIRED), at, None)
        return
    _close_earlier(session, address, at)
    known = identify(session, pile, asked, at)
    if isinstance(known, Denied):
        _refuse(session, pile, address, event, asked, Refusal(known.reason), at, known.customer_id)
        return
    placed = _place(session, address, event, asked, known, at)
    if isinstance(placed, Refusal):
        _refuse(session, pile, address, event, asked, placed, at, known.customer_id)
        return
    session.add(attempt_row(pile, address, event, asked, at, customer_id=known.customer_id, serial=placed.serial))
    session.flush()
    log.info("card_start", serial=placed.serial, pile=pile.number, gun=address.gun, mode=mode_of(asked))


def identify(session: Session, pile: Pile, asked: CardRequest, at: datetime) -> Known | Denied:
    """Whose card or car it is, within the operator of the pile, and whether it may start at all."""
    tenant = pile.station.tenant_id
    match asked.mode:
        case CardMode.CARD:
            card = find_card(session, tenant, asked.card)
            if card is None:
                return Denied(Reason.CARD_UNKNOWN)
            if card.state is CardState.BLOCKED:
                return Denied(Reason.CARD_BLOCKED, card.customer_id)
            if not _is_password_right(session, pile, card, asked, at):
                return Denied(Reason.WRONG_PASSWORD, card.customer_id)
            return Known(card.customer_id, StartSource.CARD, card.printed_no)
        case CardMode.VIN:
            vehicle = find_vehicle(session, tenant, asked.vin) if is_vin(asked.vin) else None
            if vehicle is None:
                return Denied(Reason.VIN_UNKNOWN)
            if vehicle.state is CardState.BLOCKED:
                return Denied(Reason.VEHICLE_BLOCKED, vehicle.customer_id)
            if not vehicle.plug_and_charge:
                return Denied(Reason.ACCOUNT_NOT_ALLOWED, vehicle.customer_id)
            return Known(vehicle.customer_id, StartSource.VIN)
    return Denied(Reason.CARD_MODE_UNSUPPORTED)


def _is_password_right(session: Session, pile: Pile, card: Card, asked: CardRequest, at: datetime) -> bool:
    """A password that is set must be said; one that was said must be the card's (a pile that asks for one means it).

    Guessing is slowed per card and pile: so neither a thief gets far nor is the owner locked out elsewhere.
    """
    if not asked.password and card.password_hash is None:
        return True
    wrong = session.scalar(
        select(func.count())
        .select_from(CardAttempt)
        .where(
            CardAttempt.card.in_(spellings(card.uid)),
            CardAttempt.pile_number == pile.number,
            CardAttempt.reason == Reason.WRONG_PASSWORD.value,
            CardAttempt.at > at - GUESSES_WITHIN,
        )
    )
    if not asked.password or card.password_hash is None or (wrong or 0) >= GUESSES:
        return False
    return verify_password(card.password_hash, asked.password)


def _place(
    session: Session, address: Address, event: GunEvent, asked: CardRequest, known: Known, at: datetime
) -> Order | Refusal:
    other_fails = asked.joint is not None and _other_gun_failed(session, address, asked, at)
    if other_fails:
        return Refusal(Reason.JOINT_CANCELLED)
    share = None
    if asked.joint is not None and not _other_orders(session, address, asked, at):
        share = share_of_wallet(session, known.customer_id, FULL)
    if isinstance(share, Refusal):
        return share
    wanted = PlaceOrder(
        customer_id=known.customer_id,
        pile=address.pile,
        gun=address.gun,
        goal=FULL,
        by=f"customer:{known.customer_id}",
        source=known.source,
        joint=asked.joint,
        hold_at_most_fen=share,
        at_pile=AskedAtPile(
            request_id=event.id,
            bridge=event.receipt.bridge,
            bridge_started_ms=event.receipt.started_ms,
            link=_login_of(session, address.pile, event),
            answer_by=asked.expires_at,
            card=asked.card if known.source is StartSource.CARD else None,
            printed_card=known.printed_card,
            vin=asked.vin if known.source is StartSource.VIN else None,
        ),
    )
    try:
        return place_order(session, wanted, at=at)
    except NoResultFound:  # the customer's account or the gun was archived
        return Refusal(Reason.ACCOUNT_NOT_ALLOWED)


def _login_of(session: Session, pile: str, event: GunEvent) -> str:
    """In which login the driver asked; the newest that is known, where the bridge does not say it."""
    if event.link:
        return event.link
    link = link_in_force(session, pile)
    return "" if link is None else link.link


def _close_earlier(session: Session, address: Address, at: datetime) -> None:
    """A pile waits for the answer to its newest question only: an earlier one for which no verdict came is over.

    A link that broke while the driver waited, or another card: the next swipe must not wait for the deadline.
    """
    for order in open_orders_of_gun(session, address.pile, address.gun):
        if order.state is OrderState.HOLDING and order.card_request_id is not None:
            observe(session, order, life.StopWished(Reason.EXPIRED), at=at)
            order.stop_asked_by = order.stop_asked_by or "worker"


def _other_orders(session: Session, address: Address, asked: CardRequest, at: datetime) -> list[Order]:
    """Orders of the other guns of the same joint charge, of now."""
    if asked.joint is None:
        return []
    return list(
        session.scalars(
            select(Order).where(
                Order.pile_number == address.pile,
                Order.joint_number == asked.joint.number,
                Order.gun_no != address.gun,
                Order.requested_at > at - TOGETHER,
            )
        )
    )


def _other_gun_failed(session: Session, address: Address, asked: CardRequest, at: datetime) -> bool:
    """Whether the other gun was refused before this one asked: one refusal cancels all (YKC V1.6, 0xA2)."""
    if asked.joint is None:
        return False
    if any(order.state in life.ADOPTABLE for order in _other_orders(session, address, asked, at)):
        return True
    refused = session.scalar(
        select(CardAttempt.request_id)
        .where(
            CardAttempt.pile_number == address.pile,
            CardAttempt.joint_number == asked.joint.number,
            CardAttempt.gun_no != address.gun,
            CardAttempt.reason.is_not(None),
            CardAttempt.at > at - TOGETHER,
        )
        .limit(1)
    )
    return refused is not None


def _refuse(
    session: Session,
    pile: Pile,
    address: Address,
    event: GunEvent,
    asked: CardRequest,
    refusal: Refusal,
    at: datetime,
    customer_id: int | None,
) -> None:
    """Keep the attempt, tell the pile, and let the other gun of a joint charge go too."""
    session.add(attempt_row(pile, address, event, asked, at, customer_id=customer_id, refusal=refusal))
    note(
        session,
        at=at,
        actor=f"pile:{pile.number}",
        action="card_start",
        outcome=refusal.reason.value,
        tenant_id=pile.station.tenant_id,
        station=pile.station_code,
        object_kind="card_attempt",
        object_id=event.id,
    )
    log.info(
        "card_start_refused",
        pile=pile.number,
        gun=address.gun,
        mode=mode_of(asked),
        card=masked_card(asked.card),
        vin=masked_vin(asked.vin),
        reason=refusal.reason.value,
    )
    if at < asked.expires_at:
        command = messages.refuse_card(
            event.id,
            address.gun,
            refusal.reason,
            id=new_id(),
            bridge=event.receipt.bridge,
            link=_login_of(session, pile.number, event),
            expires_at=asked.expires_at,
        )
        enqueue_command(session, pile.station_code, pile.number, command, at=at)
    session.flush()
    for order in _other_orders(session, address, asked, at):
        if order.state in life.BEFORE_CHARGE:
            observe(session, order, life.StopWished(Reason.JOINT_CANCELLED), at=at)
            order.stop_asked_by = order.stop_asked_by or "worker"
