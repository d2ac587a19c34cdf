"""What happened at a pile, kept so that it can be looked up: events, merged while they repeat, and traced frames."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from evcs.contracts.pile import PileEvent, PileEventKind, PileFrame
from webapi.piles.history_models import PileEventRow, PileFrameRow
from webapi.piles.models import Pile

KEPT = frozenset(
    {
        PileEventKind.TARIFF_CONFIRMED,
        PileEventKind.TARIFF_REFUSED,
        PileEventKind.CLOCK_WRONG,
        PileEventKind.KEY_REFUSED,
        PileEventKind.LOGIN_REFUSED,
        PileEventKind.CONNECTION_REPLACED,
    }
)
"""Kinds that a person looks for; the counters of receipts are not among them."""

SAME_WITHIN = timedelta(hours=1)
"""The same thing again so soon is one row, counted: a pile that is refused tries again every 30 s."""
EVENTS_KEPT = timedelta(days=180)
FRAMES_A_PILE = 200
FRAMES_KEPT = timedelta(days=1)


def keep_event(session: Session, pile: Pile, event: PileEvent) -> None:
    """Add an event to the pile's history, or count it with the same one of the last hour. The caller saw it first."""
    reason = None if event.reason is None else event.reason.value
    newest = session.scalars(
        select(PileEventRow)
        .where(PileEventRow.pile_number == pile.number, PileEventRow.kind == event.kind)
        .order_by(PileEventRow.id.desc())
        .limit(1)
    ).one_or_none()
    text = event.text[:200]
    is_same = (
        newest is not None
        and (newest.reason, newest.text, newest.tariff_version) == (reason, text, event.tariff_version)
        and newest.last_at > event.received_at - SAME_WITHIN
    )
    if newest is not None and is_same:
        newest.times += 1
        newest.last_at = max(newest.last_at, event.received_at)
        newest.clock_offset_s = event.clock_offset_s
    else:
        session.add(
            PileEventRow(
                pile_number=pile.number,
                station_code=pile.station_code,
                kind=event.kind,
                reason=reason,
                text=text,
                tariff_version=event.tariff_version,
                clock_offset_s=event.clock_offset_s,
                first_at=event.received_at,
                last_at=event.received_at,
                times=1,
            )
        )
    session.flush()


def keep_frame(session: Session, pile: str, frame: PileFrame) -> None:
    """Keep a frame of a traced pile; the oldest beyond the newest of that pile goes."""
    session.add(
        PileFrameRow(
            pile_number=pile,
            at=frame.received_at,
            from_pile=frame.from_pile,
            frame_type=frame.frame_type[:8],
            title_zh=frame.title_zh[:100],
            title_en=frame.title_en[:100],
            fields_json=msgspec.json.encode(frame.fields).decode(),
            problem=frame.problem[:200],
            frame_hex=frame.frame_hex,
        )
    )
    session.flush()
    beyond = session.scalar(
        select(PileFrameRow.id)
        .where(PileFrameRow.pile_number == pile)
        .order_by(PileFrameRow.id.desc())
        .offset(FRAMES_A_PILE)
        .limit(1)
    )
    if beyond is not None:
        session.execute(delete(PileFrameRow).where(PileFrameRow.pile_number == pile, PileFrameRow.id <= beyond))


def forget_history(session: Session, *, at: datetime) -> None:
    """Delete what nobody looks up any more."""
    session.execute(delete(PileFrameRow).where(PileFrameRow.at < at - FRAMES_KEPT))
    session.execute(delete(PileEventRow).where(PileEventRow.last_at < at - EVENTS_KEPT))
