"""Telling a pile something: row and message together, one answer each, an end for every wait, no password kept."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from evcs.contracts import topics, waits
from evcs.contracts.envelope import encode
from evcs.contracts.pile import (
    CardResult,
    FirmwareUpdate,
    LockAction,
    OfflineCard,
    Outcome,
    PileCommand,
    PileCommandKind,
    PileReply,
    QrPrefix,
    RunWhen,
)
from evcs.contracts.reasons import Reason
from evcs.contracts.topics import Address
from tests.webapi.books import BEGIN, PILE, STATION, Books
from tests.webapi.orders.test_place import sent
from tests.webapi.said import AT_PILE, at, bridge, pile, receipt
from webapi.piles import answers
from webapi.piles.command_models import CommandState, PileCommandRow
from webapi.piles.command_texts import told
from webapi.piles.commands import REPEATED, WRITTEN_WITHIN, Wish, issue
from webapi.piles.events import bridge_status, pile_reply, pile_status
from webapi.refusals import Refusal
from webapi.worker.models import OutboxRow

CARDS = tuple(OfflineCard(uid=f"00000000{n:08X}") for n in range(1, 25))
UPDATE = FirmwareUpdate(server="10.0.0.8", user="ota", password="hush-hush-4711", path="/dc.bin")

SAID = [
    ({"kind": PileCommandKind.RESTART, "when": RunWhen.AT_ONCE}, {"when": RunWhen.AT_ONCE}),
    ({"kind": PileCommandKind.UPDATE, "update": UPDATE, "when": RunWhen.WHEN_IDLE}, {"update": UPDATE}),
    ({"kind": PileCommandKind.QR_PREFIX, "qr": QrPrefix(prefix="https://a/")}, {"qr": QrPrefix(prefix="https://a/")}),
    ({"kind": PileCommandKind.CARDS_STORE, "cards": CARDS}, {"cards": CARDS}),
    ({"kind": PileCommandKind.GROUND_LOCK, "gun": 1, "lock": LockAction.LOWER}, {"gun": 1, "lock": LockAction.LOWER}),
    ({"kind": PileCommandKind.POLL, "gun": 2}, {"gun": 2}),
    ({"kind": PileCommandKind.CLOCK}, {}),
    ({"kind": PileCommandKind.TRACE, "trace_until": at(600)}, {"trace_until": at(600)}),
    (
        {
            "kind": PileCommandKind.BALANCE,
            "gun": 1,
            "serial": "1" * 32,
            "balance_fen": 5000,
            "card": "00000000D14B0A54",
        },
        {"gun": 1, "serial": "1" * 32, "balance_fen": 5000, "card": "00000000D14B0A54"},
    ),
]


@pytest.fixture
def online(books: Books) -> Session:
    """The pile is logged in."""
    bridge_status(books.session, Address(bridge="b1"), bridge(), BEGIN)
    pile_status(books.session, AT_PILE, pile(), BEGIN)
    return books.session


def give(session: Session, kind: PileCommandKind = PileCommandKind.POLL, seconds: float = 0, **more: object) -> str:
    row = issue(session, Wish(pile=PILE, kind=kind, by="user:1", **more), at=at(seconds))  # type: ignore[arg-type]
    assert isinstance(row, PileCommandRow)
    return row.id


def reply(command: str, outcome: Outcome = Outcome.ACCEPTED, *, seconds: float = 2, **more: object) -> PileReply:
    return PileReply(id=command, receipt=receipt(), outcome=outcome, received_at=at(seconds), **more)  # type: ignore[arg-type]


def row_of(session: Session, command: str) -> PileCommandRow:
    return session.get_one(PileCommandRow, command, populate_existing=True)


@pytest.mark.parametrize(("wish", "said"), SAID, ids=lambda one: str(one.get("kind", "")))
def test_what_is_told_is_what_was_wished(online: Session, wish: dict[str, object], said: dict[str, object]) -> None:
    command = give(online, **wish)  # type: ignore[arg-type]
    (message,) = sent(online, topics.PILE_COMMAND)
    assert (message.id, message.kind, message.bridge) == (command, wish["kind"], "b1")
    assert message.link == pile().link
    assert message.expires_at == BEGIN + WRITTEN_WITHIN
    assert {name: getattr(message, name) for name in said} == said
    row = row_of(online, command)
    assert (row.state, row.asked_by, row.station_code, row.tries) == (CommandState.WAITING, "user:1", STATION, 1)
    assert row.deadline_at is not None
    assert row.deadline_at > row.expires_at


def test_a_pile_that_is_away_is_told_nothing(books: Books) -> None:
    given = issue(books.session, Wish(pile=PILE, kind=PileCommandKind.CLOCK, by="user:1"), at=BEGIN)
    assert given == Refusal(Reason.PILE_OFFLINE)
    assert sent(books.session, topics.PILE_COMMAND) == []
    assert books.session.scalars(select(PileCommandRow)).all() == []


def test_a_pile_behind_a_dead_bridge_is_away(online: Session) -> None:
    bridge_status(online, Address(bridge="b1"), bridge(online=False, version=2), at(1))
    given = issue(online, Wish(pile=PILE, kind=PileCommandKind.CLOCK, by="user:1"), at=at(2))
    assert given == Refusal(Reason.PILE_OFFLINE)


def test_a_pile_that_does_not_exist_is_no_refusal(books: Books) -> None:
    with pytest.raises(NoResultFound):
        issue(books.session, Wish(pile="none", kind=PileCommandKind.CLOCK, by="user:1"), at=BEGIN)


def test_the_password_of_an_update_is_in_its_message_and_nowhere_else(online: Session) -> None:
    command = give(online, PileCommandKind.UPDATE, update=UPDATE)
    row = row_of(online, command)
    assert UPDATE.password not in row.params_json
    outbox = online.scalars(select(OutboxRow).where(OutboxRow.topic.endswith("/command"))).one()
    assert outbox.is_secret
    assert UPDATE.password.encode() in outbox.payload
    give(online, PileCommandKind.CLOCK)
    others = online.scalars(select(OutboxRow).where(OutboxRow.is_secret.is_(False))).all()
    assert others
    assert all(UPDATE.password.encode() not in one.payload for one in others)


@pytest.mark.parametrize(
    ("outcome", "reason", "state", "kept"),
    [
        (Outcome.ACCEPTED, None, CommandState.ACCEPTED, None),
        (Outcome.REFUSED, None, CommandState.REFUSED, "pile_refused"),
        (Outcome.REFUSED, Reason.PILE_BUSY, CommandState.REFUSED, "pile_busy"),
        (Outcome.REFUSED, Reason.NOT_SUPPORTED, CommandState.REFUSED, "not_supported"),
        (Outcome.TIMED_OUT, None, CommandState.TIMED_OUT, "timed_out"),
        (Outcome.TIMED_OUT, Reason.LINK_LOST, CommandState.TIMED_OUT, "link_lost"),
        (Outcome.EXPIRED, None, CommandState.EXPIRED, "expired"),
    ],
)
def test_the_one_reply_ends_the_wait(
    online: Session, outcome: Outcome, reason: Reason | None, state: CommandState, kept: str | None
) -> None:
    command = give(online)
    text = {"pile_code": 3, "pile_text_zh": "下载超时", "pile_text_en": "download timed out"}
    pile_reply(online, AT_PILE, reply(command, outcome, reason=reason, **text), at(2))
    row = row_of(online, command)
    assert (row.state, row.reason, row.replied_at, row.deadline_at) == (state, kept, at(2), None)
    assert (row.pile_code, row.pile_text_zh, row.pile_text_en) == (3, "下载超时", "download timed out")
    shown = told(row)
    assert shown.zh
    assert shown.en
    assert "未启动" not in shown.zh, "a command is no start"
    other = Outcome.REFUSED if outcome is Outcome.ACCEPTED else Outcome.ACCEPTED
    pile_reply(online, AT_PILE, reply(command, other, seconds=3), at(3))
    row = row_of(online, command)
    assert (row.state, row.replied_at) == (state, at(2)), "a second reply changes nothing"


def test_a_refusal_is_told_in_the_piles_own_words(online: Session) -> None:
    command = give(online)
    said = reply(command, Outcome.REFUSED, pile_code=2, pile_text_zh="存储已满", pile_text_en="no space")
    pile_reply(online, AT_PILE, said, at(2))
    shown = told(row_of(online, command))
    assert "存储已满" in shown.zh
    assert "no space" in shown.en


def test_what_the_pile_said_about_each_card_is_kept(online: Session) -> None:
    command = give(online, PileCommandKind.CARDS_STORE, cards=CARDS[:2])
    results = (CardResult(uid=CARDS[0].uid, ok=True), CardResult(uid=CARDS[1].uid, ok=False, pile_code=2))
    pile_reply(online, AT_PILE, reply(command, Outcome.REFUSED, cards=results), at(2))
    assert row_of(online, command).cards_json == encode_cards(results)


def encode_cards(results: tuple[CardResult, ...]) -> str:
    return "[" + ",".join(encode(one).decode() for one in results) + "]"


def test_nobody_answers_for_another_pile(online: Session) -> None:
    command = give(online)
    pile_reply(online, Address(station=STATION, pile="32010600019237"), reply(command), at(2))
    assert row_of(online, command).state is CommandState.WAITING
    pile_reply(online, AT_PILE, reply("nobody-asked"), at(2))


def test_many_cards_take_many_frames_and_so_more_time(online: Session) -> None:
    few, many = (
        give(online, PileCommandKind.CARDS_QUERY, cards=CARDS[:11]),
        give(online, PileCommandKind.CARDS_QUERY, cards=CARDS),
    )
    first, second = row_of(online, few).deadline_at, row_of(online, many).deadline_at
    assert first is not None
    assert second is not None
    assert second - first == timedelta(seconds=2 * waits.PILE_ANSWER_S)
    update = row_of(online, give(online, PileCommandKind.UPDATE, update=UPDATE))
    assert update.deadline_at is not None
    assert update.deadline_at - update.expires_at > timedelta(seconds=waits.UPDATE_ANSWER_S)


def test_without_a_reply_the_wait_ends_at_its_deadline_and_a_late_reply_still_counts(online: Session) -> None:
    command = give(online)
    deadline = row_of(online, command).deadline_at
    assert deadline is not None
    assert answers.overdue(online, at=deadline - timedelta(seconds=1), most=9) == []
    assert answers.overdue(online, at=deadline, most=9) == [(command, STATION)]
    answers.give_up(online, command, at=deadline - timedelta(seconds=1))
    assert row_of(online, command).state is CommandState.WAITING
    answers.give_up(online, command, at=deadline)
    row = row_of(online, command)
    assert (row.state, row.reason, row.deadline_at) == (CommandState.TIMED_OUT, "timed_out", None)
    assert "不能确定" in told(row).zh
    assert answers.overdue(online, at=deadline + timedelta(days=1), most=9) == []
    pile_reply(online, AT_PILE, reply(command, seconds=60), at(60))
    assert row_of(online, command).state is CommandState.ACCEPTED


def test_a_login_that_went_is_why_no_reply_came(online: Session) -> None:
    command = give(online, PileCommandKind.RESTART, when=RunWhen.AT_ONCE)
    pile_status(online, AT_PILE, pile(version=2, login=at(5)), at(5))
    answers.give_up(online, command, at=at(600))
    row = row_of(online, command)
    assert (row.state, row.reason) == (CommandState.TIMED_OUT, "link_lost")


def messages(session: Session) -> list[PileCommand]:
    return sent(session, topics.PILE_COMMAND)


@pytest.mark.parametrize("kind", sorted(REPEATED))
def test_what_does_no_harm_twice_is_repeated_under_its_id_to_the_login_in_force(
    online: Session, kind: PileCommandKind
) -> None:
    command = give(online, kind, cards=CARDS[:1])
    assert answers.to_repeat(online, at=at(waits.REPEAT_S - 1), most=9) == []
    answers.repeat(online, command, at=at(waits.REPEAT_S - 1))
    assert len(messages(online)) == 1
    pile_status(online, AT_PILE, pile(version=2, login=at(4)), at(4))
    assert answers.to_repeat(online, at=at(waits.REPEAT_S), most=9) == [(command, STATION)]
    answers.repeat(online, command, at=at(waits.REPEAT_S))
    first, second = messages(online)
    assert (second.id, second.link, second.expires_at) == (first.id, pile(login=at(4)).link, first.expires_at)
    assert first.link != second.link
    assert row_of(online, command).tries == 2
    answers.repeat(online, command, at=BEGIN + WRITTEN_WITHIN)
    assert len(messages(online)) == 2, "not after its expiry"


def test_what_may_do_harm_twice_goes_out_once(online: Session) -> None:
    for kind in set(PileCommandKind) - REPEATED:
        command = give(online, kind, update=UPDATE if kind is PileCommandKind.UPDATE else None)
        answers.repeat(online, command, at=at(10))
    assert answers.to_repeat(online, at=at(10), most=99) == []
    assert len(messages(online)) == len(set(PileCommandKind) - REPEATED)


def test_what_is_answered_is_not_repeated(online: Session) -> None:
    command = give(online)
    pile_reply(online, AT_PILE, reply(command), at(2))
    answers.repeat(online, command, at=at(10))
    assert len(messages(online)) == 1
