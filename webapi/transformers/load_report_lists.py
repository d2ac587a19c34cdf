"""The lists of the load report: refused and capped starts, what people did by hand, faults and warnings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from evcs.contracts.gun import Figures, Verdict
from evcs.contracts.states import OrderState, StartSource
from webapi.audit.models import AuditEntry
from webapi.faults.models import AlarmRecord
from webapi.orders.models import Order
from webapi.orders.refusal_view import refusal_of
from webapi.piles.models import Pile
from webapi.transformers.models import Feeder, Transformer
from webapi.users.models import User

T = TypeVar("T")
V = TypeVar("V")

MOST_ROWS = 5000
"""Of each list; what is left out is counted."""
OVERRIDES = ("lockout", "station_stop", "degraded_", "transformer_", "feeder_", "pile_feeder", "power_")
"""How the actions begin in the audit by which a person changed what the rule decides by itself."""


@dataclass(frozen=True, slots=True)
class Listed(Generic[V]):
    """A list of the report and how many of its rows are not in it."""

    items: tuple[V, ...]
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedStart:
    """A start that the gate refused."""

    at: datetime
    serial: str
    pile: str
    gun: int
    source: StartSource
    code: str
    zh: str
    en: str
    load_pct: float | None
    planned_pct: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CappedStart:
    """A start that was admitted with a power cap."""

    at: datetime
    serial: str
    pile: str
    gun: int
    source: StartSource
    cap_kw: float
    zh: str
    en: str
    load_pct: float | None
    planned_pct: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Something that a person did by hand."""

    at: datetime
    who: str
    name: str
    action: str
    object_kind: str
    object_id: str
    outcome: str
    details: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedAlarm:
    """A fault or warning at the transformer or at one of its piles."""

    raised_at: datetime
    cleared_at: datetime | None
    severity: str
    code: str
    zh: str
    en: str
    pile: str | None
    gun: int | None
    count: int
    acknowledged_name: str | None


def refused_starts(session: Session, orders: Select[Order]) -> Listed[RefusedStart]:
    """Of some orders those that the gate refused, with its reasons."""
    return _listed(session, orders.where(Order.state == OrderState.REFUSED), Order.serial, _refused)


def capped_starts(session: Session, orders: Select[Order]) -> Listed[CappedStart]:
    """Of some orders those that were admitted with a cap."""
    query = orders.where(Order.state != OrderState.REFUSED, Order.cap_kw.is_not(None))
    return _listed(session, query, Order.serial, _capped)


def _listed(session: Session, query: Select[T], key: InstrumentedAttribute[Any], make: Callable[[T], V]) -> Listed[V]:
    rows = session.scalars(query.limit(MOST_ROWS)).all()
    left_out = 0
    if len(rows) == MOST_ROWS:
        number = session.scalar(query.with_only_columns(func.count(key)).order_by(None)) or 0
        left_out = number - MOST_ROWS
    return Listed(tuple(make(row) for row in rows), left_out)


def _refused(order: Order) -> RefusedStart:
    why = refusal_of(order)
    said = _figures(order)
    return RefusedStart(
        at=order.requested_at,
        serial=order.serial,
        pile=order.pile_number,
        gun=order.gun_no,
        source=order.source,
        code=order.refusal_code or "",
        zh=why.zh if why else "",
        en=why.en if why else "",
        load_pct=said.load_pct,
        planned_pct=said.planned_pct,
    )


def _capped(order: Order) -> CappedStart:
    verdict = _verdict(order)
    said = _figures(order)
    cap_kw = float(order.cap_kw or 0)
    zh, en = ("", "") if verdict is None else (verdict.zh, verdict.en)
    return CappedStart(
        at=order.requested_at,
        serial=order.serial,
        pile=order.pile_number,
        gun=order.gun_no,
        source=order.source,
        cap_kw=cap_kw,
        zh=zh or f"计划负荷 {_pct(said.planned_pct)}，限 {_pct(said.limited_pct)}：限至 {cap_kw:g} kW",
        en=en or f"planned load {_pct(said.planned_pct)}, limit {_pct(said.limited_pct)}: held to {cap_kw:g} kW",
        load_pct=said.load_pct,
        planned_pct=said.planned_pct,
    )


def _pct(value: float | None) -> str:
    return "—" if value is None else f"{value:g}%"


def _verdict(order: Order) -> Verdict | None:
    if order.verdict_json is None:
        return None
    try:
        return msgspec.json.decode(order.verdict_json, type=Verdict)
    except msgspec.DecodeError:
        return None


def _figures(order: Order) -> Figures:
    verdict = _verdict(order)
    return Figures() if verdict is None else verdict.figures


def overrides_of(
    session: Session, transformer: Transformer, piles: Sequence[Pile], begin: datetime, until: datetime
) -> Listed[Override]:
    """What people did at this station that reaches this transformer; what concerns another one alone does not."""
    query = (
        select(AuditEntry)
        .where(
            AuditEntry.station_code == transformer.station_code,
            AuditEntry.at >= begin,
            AuditEntry.at < until,
            or_(*(AuditEntry.action.startswith(start, autoescape=True) for start in OVERRIDES)),
            _reaches(transformer, piles),
        )
        .order_by(AuditEntry.at, AuditEntry.id)
    )
    ids = session.scalars(query.with_only_columns(AuditEntry.actor).distinct().order_by(None)).all()
    names = _names(session, ids)

    def make(entry: AuditEntry) -> Override:
        return Override(
            at=entry.at,
            who=entry.actor,
            name=names.get(entry.actor, ""),
            action=entry.action,
            object_kind=entry.object_kind or "",
            object_id=entry.object_id or "",
            outcome=entry.outcome,
            details=entry.details_json or "",
        )

    return _listed(session, query, AuditEntry.id, make)


def _reaches(transformer: Transformer, piles: Sequence[Pile]) -> ColumnElement[bool]:
    numbers = [pile.number for pile in piles]
    guns = [f"{pile.number}-{gun.no}" for pile in piles for gun in pile.guns]
    elsewhere = select(Feeder.code).where(Feeder.transformer_code != transformer.code)
    kind, name = AuditEntry.object_kind, AuditEntry.object_id
    return or_(
        and_(kind == "transformer", name == transformer.code),
        and_(kind == "pile", name.in_(numbers)),
        and_(kind == "gun", name.in_(guns)),
        and_(kind == "feeder", name.not_in(elsewhere)),
        kind.not_in(("transformer", "pile", "gun", "feeder")),
    )


def _names(session: Session, actors: Sequence[str]) -> dict[str, str]:
    numbers = [int(actor.removeprefix("user:")) for actor in actors if actor.startswith("user:")]
    users = session.execute(select(User.id, User.name, User.username).where(User.id.in_(numbers)))
    return {f"user:{number}": name or username for number, name, username in users}


def alarms_of(
    session: Session, transformer: Transformer, piles: Sequence[str], begin: datetime, until: datetime
) -> Listed[ReportedAlarm]:
    query = (
        select(AlarmRecord)
        .where(
            AlarmRecord.station_code == transformer.station_code,
            or_(AlarmRecord.transformer_code == transformer.code, AlarmRecord.pile_number.in_(piles)),
            AlarmRecord.raised_at >= begin,
            AlarmRecord.raised_at < until,
        )
        .order_by(AlarmRecord.raised_at, AlarmRecord.id)
    )

    def make(record: AlarmRecord) -> ReportedAlarm:
        return ReportedAlarm(
            raised_at=record.raised_at,
            cleared_at=record.cleared_at,
            severity=record.severity.value,
            code=record.code,
            zh=record.text_zh,
            en=record.text_en,
            pile=record.pile_number,
            gun=record.gun_no,
            count=record.count,
            acknowledged_name=record.acknowledged_name,
        )

    return _listed(session, query, AlarmRecord.id, make)
