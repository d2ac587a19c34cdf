"""What happened at a pile is kept once, merged while it repeats; traced frames are kept up to a bound."""

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evcs.contracts.pile import FrameField, PileEvent, PileEventKind, PileFrame
from evcs.contracts.reasons import Reason
from evcs.contracts.topics import Address
from tests.webapi.books import BEGIN, PILE, STATION, Books
from tests.webapi.said import AT_PILE, at, receipt
from webapi.audit.models import AuditEntry
from webapi.piles.events import pile_event, pile_frame
from webapi.piles.history import EVENTS_KEPT, FRAMES_A_PILE, FRAMES_KEPT, KEPT, forget_history
from webapi.piles.history_models import PileEventRow, PileFrameRow
from webapi.piles.history_queries import KINDS


def event(n: int, kind: PileEventKind, seconds: float = 0, **more: object) -> PileEvent:
    return PileEvent(id=f"e{n}", receipt=receipt(n), kind=kind, received_at=at(seconds), **more)  # type: ignore[arg-type]


def rows(session: Session) -> list[PileEventRow]:
    return list(session.scalars(select(PileEventRow).order_by(PileEventRow.id)))


@pytest.mark.parametrize("kind", list(PileEventKind))
def test_an_event_is_kept_once_however_often_it_comes(books: Books, kind: PileEventKind) -> None:
    for _ in range(3):
        pile_event(books.session, AT_PILE, event(1, kind), BEGIN)
    assert [(row.kind, row.times, row.station_code) for row in rows(books.session)] == (
        [(kind, 1, STATION)] if kind in KEPT else []
    )


def test_every_kept_kind_has_its_name_in_both_languages() -> None:
    assert set(KINDS) == KEPT


def test_the_same_within_an_hour_is_counted_and_another_thing_is_another_entry(books: Books) -> None:
    session = books.session
    refused = PileEventKind.LOGIN_REFUSED
    for n in range(5):
        pile_event(session, AT_PILE, event(n, refused, 30 * n, reason=Reason.NETWORK_NOT_ALLOWED), at(30 * n))
    pile_event(session, AT_PILE, event(10, refused, 200, reason=Reason.WEAKER_PROOF), at(200))
    pile_event(session, AT_PILE, event(11, refused, 4000, reason=Reason.WEAKER_PROOF), at(4000))
    kept = [(row.reason, row.times, row.first_at, row.last_at) for row in rows(session)]
    assert kept == [
        ("network_not_allowed", 5, at(0), at(120)),
        ("weaker_proof", 1, at(200), at(200)),
        ("weaker_proof", 1, at(4000), at(4000)),
    ]


def test_who_proved_what_stands_in_the_audit_too(books: Books) -> None:
    pile_event(books.session, AT_PILE, event(1, PileEventKind.CONNECTION_REPLACED), BEGIN)
    pile_event(books.session, AT_PILE, event(2, PileEventKind.CLOCK_WRONG, clock_offset_s=90.0), BEGIN)
    assert books.session.scalars(select(AuditEntry.action)).all() == ["connection_replaced"]
    assert [row.clock_offset_s for row in rows(books.session)] == [None, 90.0]


def frame(n: int) -> PileFrame:
    return PileFrame(
        pile=PILE,
        received_at=at(n),
        from_pile=True,
        frame_type="0x13",
        title_zh="上传实时监测数据",
        title_en="realtime data",
        fields=(FrameField(name="voltage", zh="电压", value="380.0 V"),),
        frame_hex=f"68{n:04x}",
    )


def test_of_a_traced_pile_the_newest_frames_are_kept(books: Books) -> None:
    session = books.session
    for n in range(FRAMES_A_PILE + 7):
        pile_frame(session, AT_PILE, frame(n), at(n))
    kept = session.scalars(select(PileFrameRow).order_by(PileFrameRow.id)).all()
    assert [row.frame_hex for row in kept] == [f"68{n:04x}" for n in range(7, FRAMES_A_PILE + 7)]
    assert msgspec.json.decode(kept[0].fields_json, type=tuple[FrameField, ...]) == frame(7).fields


def test_frames_of_a_pile_that_nobody_knows_are_dropped(books: Books) -> None:
    pile_frame(books.session, Address(station=STATION, pile="none"), frame(1), BEGIN)
    assert books.session.scalar(select(func.count()).select_from(PileFrameRow)) == 0


def test_old_history_is_forgotten(books: Books) -> None:
    session = books.session
    pile_event(session, AT_PILE, event(1, PileEventKind.CLOCK_WRONG), BEGIN)
    pile_frame(session, AT_PILE, frame(1), BEGIN)
    forget_history(session, at=BEGIN + FRAMES_KEPT)
    assert session.scalar(select(func.count()).select_from(PileFrameRow)) == 1
    forget_history(session, at=BEGIN + FRAMES_KEPT + timedelta(seconds=2))
    assert session.scalar(select(func.count()).select_from(PileFrameRow)) == 0
    assert len(rows(session)) == 1
    forget_history(session, at=BEGIN + EVENTS_KEPT + timedelta(seconds=1))
    assert rows(session) == []
