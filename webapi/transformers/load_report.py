"""The monthly load report of a transformer, for its owner and the inspector: what was carried, refused and forced."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, selectinload

from evcs.contracts.gun import Figures, Verdict
from evcs.contracts.states import OrderState, StartSource
from webapi.audit.models import AuditEntry
from webapi.faults.models import AlarmRecord
from webapi.http.call import Call
from webapi.orders.models import Order
from webapi.orders.refusal_view import refusal_of
from webapi.piles.models import Pile
from webapi.transformers.load_figures import DaySpan, Span, figures
from webapi.transformers.load_series import estimated, metered
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """Everything; percentages of the rated apparent power as it is configured now."""

    month: str
    begin: datetime
    end: datetime
    made_at: datetime
    is_whole: bool
    """Whether the month was over when it was made."""
    transformer: str
    name: str
    station: str
    station_name: str
    rated_kva: Decimal
    source: str
    """meter or estimate."""
    step_minutes: int
    limited_pct: float
    blocked_pct: float
    overload_pct: float
    figures: Span
    days: tuple[DaySpan, ...]
    starts: int
    """Asked for, refused ones included."""
    charged_kwh: Decimal
    """Billed, of charges that began in the month."""
    refused: Listed[RefusedStart]
    capped: Listed[CappedStart]
    overrides: Listed[Override]
    alarms: Listed[ReportedAlarm]


def load_report(call: Call, transformer: Transformer, month: str, begin: datetime, end: datetime) -> LoadReport:
    """Gather the report of [begin, end), as far as it is past. Raises StoreUnavailable."""
    until = min(end, call.at)
    session = call.session
    piles = session.scalars(
        select(Pile)
        .where(Pile.transformer_code == transformer.code)
        .options(selectinload(Pile.guns))
        .order_by(Pile.number)
    ).all()
    windows = (
        metered(call, transformer, begin, until)
        if transformer.has_meter
        else estimated(call, transformer, piles, begin, until)
    )
    thresholds = tuple(
        float(pct) for pct in (transformer.limited_pct, transformer.blocked_pct, transformer.overload_pct)
    )
    load, days = figures(windows, begin, until, thresholds, float(transformer.rated_kva))
    numbers = [pile.number for pile in piles]
    orders = (
        select(Order)
        .where(Order.pile_number.in_(numbers), Order.requested_at >= begin, Order.requested_at < until)
        .order_by(Order.requested_at, Order.serial)
    )
    starts, charged = session.execute(
        orders.with_only_columns(func.count(Order.serial), func.sum(Order.energy_kwh)).order_by(None)
    ).one()
    return LoadReport(
        month=month,
        begin=begin,
        end=until,
        made_at=call.at,
        is_whole=until >= end,
        transformer=transformer.code,
        name=transformer.name,
        station=transformer.station_code,
        station_name=transformer.station.name,
        rated_kva=transformer.rated_kva,
        source="meter" if transformer.has_meter else "estimate",
        step_minutes=max((window.minutes for window in windows), default=1 if transformer.has_meter else 15),
        limited_pct=thresholds[0],
        blocked_pct=thresholds[1],
        overload_pct=thresholds[2],
        figures=load,
        days=days,
        starts=starts,
        charged_kwh=Decimal(charged or 0),
        refused=_listed(session, orders.where(Order.state == OrderState.REFUSED), Order.serial, _refused),
        capped=_listed(
            session,
            orders.where(Order.state != OrderState.REFUSED, Order.cap_kw.is_not(None)),
            Order.serial,
            _capped,
        ),
        overrides=_overrides(session, transformer, piles, begin, until),
        alarms=_alarms(session, transformer, numbers, begin, until),
    )


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


def _overrides(
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


def _alarms(
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
