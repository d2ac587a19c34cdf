"""An own order as a phone polls it: instants instead of ages, so that what is unchanged keeps its ETag."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from evcs.contracts.states import OPEN_ORDER, OrderState
from evcs.store.interface import TelemetryReader
from webapi.access import Visible
from webapi.guns.readings import live_of, newest_of
from webapi.orders.curve import series_of
from webapi.orders.detail import LIVE_STATES
from webapi.orders.models import Order
from webapi.orders.queued import QueueView, queue_view
from webapi.orders.refusal_view import RefusalView, refusal_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How an order stands. Live figures are the pile's newest, None while it does not charge; amounts in fen."""

    serial: str
    state: OrderState
    state_since: datetime
    is_over: bool
    started_at: datetime | None
    ended_at: datetime | None
    at: datetime | None
    power_kw: float | None
    voltage_v: float | None
    current_a: float | None
    soc_pct: float | None
    remaining_min: int | None
    energy_kwh: Decimal | float | None
    cost_fen: float | int | None
    hold_fen: int
    cap_kw: Decimal | None
    refusal: RefusalView | None
    queue: QueueView | None


OVER = frozenset(OrderState) - OPEN_ORDER - {OrderState.REVIEW}
"""Nothing more comes by itself: a phone may stop asking."""


def progress(
    session: Session, sees: Visible, serial: str, telemetry: TelemetryReader, *, at: datetime
) -> Progress | None:
    """One order of the asker."""
    order = session.scalars(sees.orders().where(Order.serial == serial)).one_or_none()
    if order is None:
        return None
    live = None
    if order.state in LIVE_STATES:
        series = series_of(order)
        newest = newest_of(telemetry, (series,)) or {}
        live = live_of(newest.get(series), order.serial, at)
    billed = order.settled_at is not None
    return Progress(
        serial=order.serial,
        state=order.state,
        state_since=order.state_since,
        is_over=order.state in OVER,
        started_at=order.started_at,
        ended_at=order.ended_at,
        at=None if live is None else live.at,
        power_kw=None if live is None else live.power_kw,
        voltage_v=None if live is None else live.voltage_v,
        current_a=None if live is None else live.current_a,
        soc_pct=None if live is None else live.soc_pct,
        remaining_min=None if live is None else live.remaining_min,
        energy_kwh=order.energy_kwh if live is None else live.energy_kwh,
        cost_fen=order.total_fen if billed else None if live is None else live.cost_fen,
        hold_fen=0 if order.hold is None else order.hold.rest_fen,
        cap_kw=order.cap_kw,
        refusal=refusal_of(order),
        queue=queue_view(order),
    )
