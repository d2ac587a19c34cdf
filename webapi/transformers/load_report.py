"""The monthly load report of a transformer, for its owner and the inspector: what was carried, refused and forced."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from webapi.http.call import Call
from webapi.orders.models import Order
from webapi.piles.models import Pile
from webapi.transformers.load_figures import DaySpan, Span, figures
from webapi.transformers.load_report_lists import (
    CappedStart,
    Listed,
    Override,
    RefusedStart,
    ReportedAlarm,
    alarms_of,
    capped_starts,
    overrides_of,
    refused_starts,
)
from webapi.transformers.load_series import estimated, metered
from webapi.transformers.models import Transformer


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
        refused=refused_starts(session, orders),
        capped=capped_starts(session, orders),
        overrides=overrides_of(session, transformer, piles, begin, until),
        alarms=alarms_of(session, transformer, numbers, begin, until),
    )
