"""An order's time line: tariff bands as intervals, and what happened when, from rows alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import msgspec
from sqlalchemy.orm import Session

from evcs.contracts.states import OPEN_ORDER, TariffBand
from evcs.contracts.times import SLOT, slot_start
from webapi.orders.course import findings_of
from webapi.orders.evidence_gather import faults_of, frame_facts, posting_facts
from webapi.orders.evidence_keep import Cap
from webapi.orders.evidence_models import FrameKind
from webapi.orders.models import Order
from webapi.tariffs.queries import price_table

LONGEST = timedelta(days=3)
"""An order that stood open longer shows its first days: bands and curve stay bounded."""
MOST_EVENTS = 500


@dataclass(frozen=True, slots=True)
class BandInterval:
    """Half hours of one band on end, cut to the order's time; prices in 0.00001 yuan/kWh."""

    start: datetime
    end: datetime
    band: TariffBand
    energy_price_e5: int
    service_price_e5: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEvent:
    """Something that happened; only what the kind has is set. Amounts in fen."""

    at: datetime
    kind: str
    until: datetime | None = None
    code: str | None = None
    zh: str | None = None
    en: str | None = None
    amount_fen: int | None = None
    cap_kw: float | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """From the request to the end, or to now while it is open."""

    serial: str
    start: datetime
    end: datetime
    is_open: bool
    bands: tuple[BandInterval, ...]
    events: tuple[TimelineEvent, ...]


def order_timeline(session: Session, order: Order, *, at: datetime) -> Timeline:
    """Everything that stands beside an order's curves."""
    start, end = span_of(order, at)
    events = sorted(_events(session, order, end), key=lambda event: event.at)
    return Timeline(
        order.serial,
        start,
        end,
        order.state in OPEN_ORDER,
        _bands(session, order, start, end),
        tuple(events[:MOST_EVENTS]),
    )


def span_of(order: Order, at: datetime) -> tuple[datetime, datetime]:
    """From the request to the end of the charge, to now while it is open, to its closing where it never charged."""
    start = order.requested_at
    closed = at if order.state in OPEN_ORDER else order.state_since
    end = order.ended_at or order.end_observed_at or closed
    return start, min(max(end, start), start + LONGEST)


def _bands(session: Session, order: Order, start: datetime, end: datetime) -> tuple[BandInterval, ...]:
    """Bands of the frozen version; none where no version is known."""
    if order.tariff_version_id is None:
        return ()
    table = price_table(session, order.tariff_version_id)
    cuts = [start]
    slot = slot_start(start) + SLOT
    while slot < end:
        if table.band_at(slot) is not table.band_at(cuts[-1]):
            cuts.append(slot)
        slot += SLOT
    found = []
    for since, until in pairwise([*cuts, end]):
        price = table.price_of(table.band_at(since))
        if price is not None and until > since:
            found.append(BandInterval(since, until, price.band, price.energy_price_e5, price.service_price_e5))
    return tuple(found)


def _events(session: Session, order: Order, end: datetime) -> Iterator[TimelineEvent]:
    for moment, kind in (
        (order.requested_at, "requested"),
        (order.admitted_at, "admitted"),
        (order.started_at, "started"),
        (order.ended_at, "ended"),
        (order.settled_at, "settled"),
    ):
        if moment is not None:
            yield TimelineEvent(at=moment, kind=kind)
    if order.stop_requested_at is not None:
        yield TimelineEvent(at=order.stop_requested_at, kind="stop_requested", code=order.stop_asked_by)
    for posting in posting_facts(session, order.serial):
        held = sum(entry.amount_fen for entry in posting.entries if entry.account.endswith(":held"))
        yield TimelineEvent(at=posting.at, kind=posting.kind, amount_fen=held)
    for frame in frame_facts(session, order.serial):
        if frame.kind == FrameKind.CAP.value:
            cap = msgspec.json.decode(frame.said, type=Cap)
            yield TimelineEvent(at=frame.at, kind="cap", code=cap.bound_by or cap.state, cap_kw=cap.cap_kw)
        elif frame.kind == FrameKind.REPLY.value:
            reply = msgspec.json.decode(frame.said, type=Said)
            yield TimelineEvent(at=frame.at, kind=f"{reply.command}_answered", code=reply.outcome)
        elif frame.kind == FrameKind.VERDICT.value:
            verdict = msgspec.json.decode(frame.said, type=Said)
            yield TimelineEvent(
                at=frame.at,
                kind=f"verdict_{verdict.kind}",
                code=verdict.reason,
                zh=verdict.zh or None,
                en=verdict.en or None,
            )
    for found in findings_of(order).items:
        yield TimelineEvent(at=found.at, kind=found.kind, code=", ".join(one.code for one in found.findings) or None)
    for fault in faults_of(session, order, end):
        yield TimelineEvent(
            at=fault.raised_at,
            until=fault.cleared_at,
            kind=fault.kind.value,
            code=fault.code,
            zh=fault.text_zh,
            en=fault.text_en,
        )


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What the time line shows of a reply or verdict."""

    command: str = ""
    outcome: str = ""
    kind: str = ""
    reason: str | None = None
    zh: str = ""
    en: str = ""
