"""Putting a question to the gate, keeping its answer, and how it stands."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from evcs.contracts import topics, waits
from evcs.contracts.gun import AskRequest, Verdict
from evcs.contracts.reasons import Reason, Sentence, sentence
from evcs.contracts.topics import Address
from webapi.access import Visible
from webapi.gate.models import GateAsk
from webapi.guns.models import Gun
from webapi.piles.models import Pile
from webapi.worker.enqueue import enqueue, new_id

KEPT = timedelta(days=1)


class AskState(StrEnum):
    """`no_answer`: the rules engine is away; nothing could start now either."""

    ASKED = "asked"
    ADMITTED = "admitted"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskView:
    """A question and what the gate says. `cap_kw`: a start would be limited to that, kW."""

    id: str
    pile: str
    gun: int
    state: AskState
    reason: str | None
    text: Sentence | None
    cap_kw: Decimal | None
    asked_at: datetime
    answered_at: datetime | None


def ask_gate(session: Session, sees: Visible, pile: str, gun: int, *, at: datetime) -> GateAsk | None:
    """Ask; the caller commits, then the question goes out. None: there is no such gun for the asker."""
    found = session.scalars(sees.guns_to_start().where(Gun.pile_number == pile, Gun.no == gun)).one_or_none()
    if found is None:
        return None
    station = session.get_one(Pile, pile).station_code
    asked = GateAsk(
        id=new_id(),
        station_code=station,
        pile_number=pile,
        gun_no=gun,
        asked_by=sees.asker.key,
        asked_at=at,
        expires_at=at + timedelta(seconds=waits.ASK_S),
        text_zh="",
        text_en="",
    )
    session.add(asked)
    enqueue(
        session,
        topics.REQUEST,
        AskRequest(id=asked.id, expires_at=asked.expires_at),
        at=at,
        station=station,
        levels={"pile": pile, "gun": gun},
        expires_at=asked.expires_at,
    )
    session.flush()
    return asked


def answered(session: Session, address: Address, said: Verdict, at: datetime) -> None:
    """Keep the gate's answer, the first one; an answer to nobody's question, or from elsewhere, is nothing."""
    asked = session.get(GateAsk, said.request) if said.request else None
    if asked is None or asked.answered_at is not None:
        return
    if (asked.pile_number, asked.gun_no) != (address.pile, address.gun):
        return
    asked.answered_at = at
    asked.would_admit = said.would_admit is True
    asked.reason = None if said.reason is None else said.reason.value
    asked.cap_kw = None if said.cap_kw is None else Decimal(str(said.cap_kw))
    asked.text_zh, asked.text_en = said.zh, said.en


def find_ask(session: Session, sees: Visible, ask_id: str) -> GateAsk | None:
    """A question of the asker's own."""
    return session.scalars(
        select(GateAsk).where(GateAsk.id == ask_id, GateAsk.asked_by == sees.asker.key)
    ).one_or_none()


def ask_view(asked: GateAsk, at: datetime) -> AskView:
    """How a question stands."""
    state = _state(asked, at)
    text = Sentence(asked.text_zh, asked.text_en) if asked.text_zh else None
    return AskView(
        id=asked.id,
        pile=asked.pile_number,
        gun=asked.gun_no,
        state=state,
        reason=Reason.ENGINE_AWAY.value if state is AskState.NO_ANSWER else asked.reason,
        text=sentence(Reason.ENGINE_AWAY) if state is AskState.NO_ANSWER else text,
        cap_kw=asked.cap_kw,
        asked_at=asked.asked_at,
        answered_at=asked.answered_at,
    )


def forget_asks(session: Session, *, at: datetime) -> None:
    """Clear away questions that nobody waits for any more."""
    session.execute(delete(GateAsk).where(GateAsk.asked_at < at - KEPT))


def _state(asked: GateAsk, at: datetime) -> AskState:
    if asked.answered_at is not None:
        return AskState.ADMITTED if asked.would_admit else AskState.REFUSED
    return AskState.ASKED if at < asked.expires_at else AskState.NO_ANSWER
