"""Whether a stop had its effect: sent → acknowledged by the pile → no power any more → settled, each with its time.

A stop that the pile acknowledges is not yet a charge that has ended (steve#651): the end is what the gun shows. Where
it still charges after 30 s an alarm says so, besides the repetition under a new id (design: "stop answered · alarm").
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from evcs.contracts.alarm import AlarmKind, Severity
from evcs.contracts.pile import Outcome
from evcs.contracts.reasons import Reason
from evcs.contracts.states import OrderState
from evcs.contracts.times import to_ms
from webapi.faults.models import AlarmRecord
from webapi.orders.models import Order
from webapi.orders.stop_models import OrderStop

CODE = "stop_unanswered"
TEXT_ZH = "停止指令 30 秒后仍在充电，正在重发；请现场按停止键或急停，必要时停用该枪。"
TEXT_EN = (
    "It still charges 30 s after the stop, which is repeated; press stop or the emergency button at the pile, and lock "
    "the gun out if need be."
)
PURSUED = frozenset({OrderState.STOPPING, OrderState.EXCEPTION})
"""In these a stop is still being pursued."""


class StopStage(StrEnum):
    """How far a stop is: 已请求, 已下发, 桩已应答, 电流归零, 已结算."""

    ASKED = "asked"
    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    POWER_GONE = "power_gone"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class StopCommandView:
    """One of the commands; the first, and its repetitions."""

    id: str
    sent_at: datetime
    replied_at: datetime | None
    outcome: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSteps:
    """A stop step by step. `lock_offered`: nothing but locking the gun out is left to do from here."""

    stage: StopStage
    asked_at: datetime
    sent_at: datetime | None
    acknowledged_at: datetime | None
    power_gone_at: datetime | None
    settled_at: datetime | None
    unanswered_since: datetime | None
    lock_offered: bool
    commands: tuple[StopCommandView, ...]


def stop_sent(session: Session, order: Order, id: str, why: Reason, *, at: datetime) -> None:
    """Remember a command."""
    session.add(OrderStop(id=id, order_serial=order.serial, why=why.value, sent_at=at))


def stop_replied(session: Session, order: Order, id: str, outcome: Outcome, *, at: datetime) -> None:
    """Remember what became of it; the first answer counts."""
    session.execute(
        update(OrderStop)
        .where(OrderStop.id == id, OrderStop.order_serial == order.serial, OrderStop.replied_at.is_(None))
        .values(replied_at=at, outcome=outcome.value)
    )


def warn_unanswered(session: Session, order: Order, *, at: datetime) -> None:
    """Raise the alarm, once while it is open."""
    if _open_alarm(session, order) is not None:
        return
    session.add(
        AlarmRecord(
            alarm_id=_alarm_id(order),
            station_code=order.station_code,
            pile_number=order.pile_number,
            gun_no=order.gun_no,
            order_serial=order.serial,
            kind=AlarmKind.WARNING,
            code=CODE,
            severity=Severity.CRITICAL,
            text_zh=TEXT_ZH,
            text_en=TEXT_EN,
            raised_at=at,
            version=to_ms(at),
        )
    )


def end_warning(session: Session, order: Order, *, at: datetime) -> None:
    """Clear it once the order is past its stop."""
    if order.stop_requested_at is None or order.state in PURSUED:
        return
    alarm = _open_alarm(session, order)
    if alarm is not None:
        alarm.cleared_at = at


def stop_steps(session: Session, order: Order) -> StopSteps | None:
    """Step by step; none where nobody wished it to end."""
    if order.stop_requested_at is None:
        return None
    commands = tuple(
        StopCommandView(one.id, one.sent_at, one.replied_at, one.outcome)
        for one in session.scalars(
            select(OrderStop).where(OrderStop.order_serial == order.serial).order_by(OrderStop.sent_at, OrderStop.id)
        )
    )
    answered = [one.replied_at for one in commands if one.replied_at and one.outcome == Outcome.ACCEPTED.value]
    acknowledged = min(answered, default=None)
    gone = order.end_observed_at or order.ended_at
    alarm = session.scalars(
        select(AlarmRecord)
        .where(AlarmRecord.alarm_id == _alarm_id(order))
        .order_by(AlarmRecord.version.desc())
        .limit(1)
    ).first()
    stage = StopStage.ASKED
    for reached, when in (
        (StopStage.SENT, commands),
        (StopStage.ACKNOWLEDGED, acknowledged),
        (StopStage.POWER_GONE, gone),
        (StopStage.SETTLED, order.settled_at),
    ):
        if when:
            stage = reached
    return StopSteps(
        stage=stage,
        asked_at=order.stop_requested_at,
        sent_at=commands[0].sent_at if commands else None,
        acknowledged_at=acknowledged,
        power_gone_at=gone,
        settled_at=order.settled_at,
        unanswered_since=None if alarm is None else alarm.raised_at,
        lock_offered=alarm is not None and gone is None and order.state in PURSUED,
        commands=commands,
    )


def _open_alarm(session: Session, order: Order) -> AlarmRecord | None:
    return session.scalars(
        select(AlarmRecord).where(AlarmRecord.alarm_id == _alarm_id(order), AlarmRecord.cleared_at.is_(None))
    ).first()


def _alarm_id(order: Order) -> str:
    """Of this order alone; those of `rules` never begin so."""
    return f"stop-{order.serial}"
