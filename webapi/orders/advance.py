"""An observation applied to an order's row: `life` decides, this writes the row and carries the effects out.

Everything happens in the caller's transaction; what is published leaves through the outbox after its commit.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts import topics, waits
from evcs.contracts.gun import Request
from evcs.contracts.pile import PileCommand, PileCommandKind
from evcs.contracts.reasons import Reason
from evcs.contracts.states import OPEN_ORDER
from evcs.runtime.log import get_logger
from webapi.audit.note import note
from webapi.database import ROW_LOCK
from webapi.ledger.holds import release_hold
from webapi.ledger.models import Hold, HoldState
from webapi.orders import life, messages
from webapi.orders.models import Order
from webapi.orders.provisional import settle_provisionally
from webapi.orders.reckon_anew import reckon_anew
from webapi.orders.review import close_review
from webapi.orders.stop_steps import end_warning, stop_sent, warn_unanswered
from webapi.piles.commands import Wish, issue
from webapi.piles.link import link_in_force
from webapi.refusals import Refusal
from webapi.worker.enqueue import enqueue, new_id

log = get_logger()

WORKER = "worker"
"""Who did it, in entries that nobody asked for."""
TOGETHER = timedelta(seconds=waits.START_DEADLINE_S)
"""The guns of one car ask within this time: a pile without a clock numbers every joint charge alike."""


def lock_order(session: Session, serial: str) -> Order | None:
    """The order's row as it now is, locked until the commit."""
    return session.get(Order, serial, with_for_update=ROW_LOCK, populate_existing=True)


def open_orders_of_gun(session: Session, pile: str, gun: int) -> list[Order]:
    """Orders of a gun that still wait for something, locked, oldest first."""
    return list(
        session.scalars(
            select(Order)
            .where(Order.pile_number == pile, Order.gun_no == gun, Order.state.in_(OPEN_ORDER))
            .order_by(Order.serial)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    )


def open_orders_of_pile(session: Session, pile: str) -> list[Order]:
    """The same for all guns of a pile."""
    return list(
        session.scalars(
            select(Order)
            .where(Order.pile_number == pile, Order.state.in_(OPEN_ORDER))
            .order_by(Order.serial)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
    )


def facts_of(session: Session, order: Order) -> life.OrderFacts:
    """What `life` needs to know, read from the row."""
    hold = session.get(Hold, order.serial)
    running = None
    if order.running_login_ms is not None and order.running_version is not None:
        running = (order.running_login_ms, order.running_version)
    return life.OrderFacts(
        state=order.state,
        since=order.state_since,
        deadline=order.deadline_at,
        hold_open=hold is not None and hold.state is HoldState.OPEN,
        serial=order.serial,
        charged=order.started_at is not None,
        running=running,
        stop_reason=None if order.stop_reason is None else Reason(order.stop_reason),
        stop_since=order.stop_requested_at,
        end_observed_at=order.end_observed_at,
        ended_at=order.ended_at,
        reason=None if order.refusal_code is None else Reason(order.refusal_code),
        trouble=None if order.exception_code is None else life.Trouble(order.exception_code),
        asked_at_pile=order.card_request_id is not None,
    )


def observe(session: Session, order: Order, seen: life.Observation, *, at: datetime, by: str = WORKER) -> Order:
    """Let an order see something; the caller has locked its row and commits."""
    before = order.state
    done = life.step(facts_of(session, order), seen, at)
    _write(order, done.facts, seen, at)
    for effect in done.effects:
        _carry_out(session, order, effect, at, by)
    if order.state is not before:
        log.info(
            "order_moved",
            serial=order.serial,
            was=before.value,
            state=order.state.value,
            seen=type(seen).__name__,
            reason=order.refusal_code or order.exception_code,
        )
        _cancel_other_gun(session, order, at, by)
        end_warning(session, order, at=at)
    return order


def _cancel_other_gun(session: Session, order: Order, at: datetime, by: str) -> None:
    """Two guns on one car start together or not at all (YKC V1.6, 0xA2: "one refusal cancels all")."""
    if order.joint_number is None or order.state not in life.ADOPTABLE:
        return
    other = other_gun(session, order)
    if other is not None:
        observe(session, other, life.StopWished(Reason.JOINT_CANCELLED), at=at, by=by)
        other.stop_asked_by = other.stop_asked_by or by


def other_gun(session: Session, order: Order) -> Order | None:
    """The open order of the other gun of a joint charge, locked; none where it is over or was never placed.

    An earlier charge under the same number may still wait for its record: it is not of this car.
    """
    return session.scalars(
        select(Order)
        .where(
            Order.pile_number == order.pile_number,
            Order.joint_number == order.joint_number,
            Order.gun_no != order.gun_no,
            Order.requested_at.between(order.requested_at - TOGETHER, order.requested_at + TOGETHER),
            Order.state.in_(OPEN_ORDER),
        )
        .order_by(Order.requested_at.desc(), Order.serial.desc())
        .limit(1)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one_or_none()


def _write(order: Order, facts: life.OrderFacts, seen: life.Observation, at: datetime) -> None:
    order.state = facts.state
    order.state_since = facts.since
    order.deadline_at = facts.deadline
    order.stop_reason = None if facts.stop_reason is None else facts.stop_reason.value
    order.stop_requested_at = facts.stop_since
    order.end_observed_at = facts.end_observed_at
    order.ended_at = facts.ended_at
    order.refusal_code = None if facts.reason is None else facts.reason.value
    order.exception_code = None if facts.trouble is None else facts.trouble.value
    if facts.running is not None:
        order.running_login_ms, order.running_version = facts.running
    if facts.charged and order.started_at is None:
        order.started_at = min(seen.since, at) if isinstance(seen, life.LevelSeen) else at


def _carry_out(session: Session, order: Order, effect: life.Effect, at: datetime, by: str) -> None:
    match effect:
        case life.PublishStop(why):
            publish_stop(session, order, why, at=at)
        case life.LeaveQueue():
            message = messages.leave_queue(order, id=new_id(), at=at)
            _enqueue_request(session, order, message, at)
        case life.ReleaseHold():
            release_hold(session, order, at=at, by=by)
        case life.SettleProvisionally():
            settled = settle_provisionally(session, order, at=at)
            observe(session, order, life.ProvisionalMade(settled=settled), at=at)
        case life.ReckonAnew():
            was = order.total_fen
            observe(session, order, life.ReckonedAnew(reckon_anew(session, order, at=at, by=by)), at=at)
            if order.state is life.State.REVIEW and order.total_fen != was:
                session.flush()
                publish_change(session, order, at=at)
        case life.CloseReview():
            close_review(session, order, at=at, by=by)
            observe(session, order, life.ReviewClosed(), at=at)
        case life.Adopt(was):
            log.warning("order_adopted", serial=order.serial, was=was.value)
            note(
                session,
                at=at,
                actor=by,
                action="order_adopt",
                outcome=was.value,
                tenant_id=order.tenant_id,
                station=order.station_code,
                object_kind="order",
                object_id=order.serial,
            )
        case life.WarnStopUnanswered():
            log.warning("stop_unanswered", serial=order.serial, pile=order.pile_number, gun=order.gun_no)
            warn_unanswered(session, order, at=at)
        case life.RefuseAtPile(why):
            refuse_at_pile(session, order, why, at=at)
        case life.PublishOrderChange():
            session.flush()
            publish_change(session, order, at=at)


def refuse_at_pile(session: Session, order: Order, why: Reason, *, at: datetime) -> None:
    """Tell the login in which the driver asked; once its wait is over the bridge has refused by itself."""
    if order.card_request_id is None or order.bridge is None or order.link is None:
        return
    expires_at = order.request_expires_at or at
    if at >= expires_at:
        return
    refusal = messages.refuse_card(
        order.card_request_id,
        order.gun_no,
        why,
        id=new_id(),
        bridge=order.bridge,
        link=order.link,
        expires_at=expires_at,
    )
    enqueue_command(session, order.station_code, order.pile_number, refusal, at=at)


def enqueue_command(session: Session, station: str, pile: str, command: PileCommand, *, at: datetime) -> None:
    """Put a pile command of the worker's own into the outbox."""
    enqueue(
        session,
        topics.PILE_COMMAND,
        command,
        at=at,
        station=station,
        levels={"pile": pile},
        expires_at=command.expires_at,
    )


def publish_longer_hold(session: Session, order: Order, *, at: datetime) -> None:
    """Tell the gate what the hold covers now, and the pile its new balance (0x42), where it can be reached.

    With the card where one was read: the pile compares it. What it answers stands with its other commands; should it
    refuse, it stops by the old balance, and the gate by the new one.
    """
    _enqueue_request(session, order, messages.longer_hold(order, id=new_id(), at=at), at)
    told = issue(
        session,
        Wish(
            pile=order.pile_number,
            kind=PileCommandKind.BALANCE,
            by=WORKER,
            gun=order.gun_no,
            serial=order.serial,
            balance_fen=order.pile_balance_fen,
            card=order.card_number,
        ),
        at=at,
    )
    if isinstance(told, Refusal):
        log.warning("balance_not_told", serial=order.serial, pile=order.pile_number, reason=told.reason.value)


def publish_stop(session: Session, order: Order, why: Reason, *, at: datetime) -> None:
    """Put a stop under a new id into the outbox; where the pile is away the next repetition finds it."""
    link = link_in_force(session, order.pile_number)
    if link is None:
        return
    order.stop_id = new_id()
    stop_sent(session, order, order.stop_id, why, at=at)
    stop = messages.stop(order.serial, id=order.stop_id, link=link, why=why, at=at)
    enqueue(
        session,
        topics.STOP,
        stop,
        at=at,
        station=order.station_code,
        levels={"pile": order.pile_number, "gun": order.gun_no},
        expires_at=stop.expires_at,
    )


def publish_change(session: Session, order: Order, *, at: datetime) -> None:
    """Put the order's state into the outbox for integrators and live pages."""
    enqueue(
        session,
        topics.ORDER,
        messages.order_change(order, at=at),
        at=at,
        station=order.station_code,
        levels={"serial": order.serial},
    )


def _enqueue_request(session: Session, order: Order, message: Request, at: datetime) -> None:
    enqueue(
        session,
        topics.REQUEST,
        message,
        at=at,
        station=order.station_code,
        levels={"pile": order.pile_number, "gun": order.gun_no},
        expires_at=at + timedelta(seconds=waits.REQUEST_S),
    )


def publish_request(session: Session, order: Order, *, at: datetime) -> None:
    """Put the order's start request into the outbox."""
    _enqueue_request(session, order, messages.start_request(order), at)
