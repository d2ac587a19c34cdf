"""Lists of offline cards: cut into frames, told one after the other, each card's result told honestly."""

from datetime import timedelta

import pytest

from bridge.protocols.ykc import messages as ykc
from evcs.contracts.pile import OfflineCard, Outcome, PileCommand, PileCommandKind, PileReply
from evcs.contracts.reasons import Reason
from evcs.contracts.topics import PILE_REPLY
from evcs.contracts.waits import PILE_ANSWER_S
from tests.bridge.kit import PILE, Desk

Kind = PileCommandKind
STORE, CLEAR, QUERY = Kind.CARDS_STORE, Kind.CARDS_CLEAR, Kind.CARDS_QUERY


def cards(count: int) -> tuple[OfflineCard, ...]:
    return tuple(OfflineCard(uid=f"{number:016X}", printed_no=f"{number:08d}") for number in range(1, count + 1))


def give(desk: Desk, kind: Kind, count: int, command_id: str = "c-1") -> None:
    expires_at = desk.clock.now() + timedelta(seconds=60)
    command = PileCommand(
        id=command_id, bridge="b1", link=desk.pile.link, kind=kind, expires_at=expires_at, cards=cards(count)
    )
    desk.fleet.command(PILE, command, desk.now)


def only_reply(desk: Desk) -> PileReply:
    [reply] = desk.of(PILE_REPLY)
    assert isinstance(reply, PileReply)
    return reply


def answer(frame: ykc.YkcMessage) -> ykc.YkcMessage:
    """What an obedient pile says to one frame: everything stored, cleared, and every even card present."""
    match frame:
        case ykc.OfflineCardSync():
            return ykc.OfflineCardSyncAnswer(pile_no=PILE, result=1, fail_reason=0)
        case ykc.OfflineCardClear(cards=asked):
            return ykc.OfflineCardClearAnswer(pile_no=PILE, cards=tuple(f"{card}0100" for card in asked))
        case ykc.OfflineCardQuery(cards=asked):
            found = tuple(f"{card}{1 - int(card, 16) % 2:02x}" for card in asked)
            return ykc.OfflineCardQueryAnswer(pile_no=PILE, cards=found)
    raise AssertionError(frame)


@pytest.mark.parametrize(
    ("kind", "count", "sizes"),
    [
        (STORE, 1, [1]),
        (STORE, 11, [11]),
        (STORE, 12, [11, 1]),
        (STORE, 500, [11] * 45 + [5]),
        (CLEAR, 19, [18, 1]),
        (QUERY, 43, [21, 21, 1]),
    ],
)
def test_a_list_is_cut_into_frames_that_every_pile_takes(kind: Kind, count: int, sizes: list[int]) -> None:
    desk = Desk().ready()
    give(desk, kind, count)
    for number in range(1, len(sizes) + 1):
        assert len(desk.wire.sent) == number  # the next one only after the answer
        assert desk.of(PILE_REPLY) == []
        desk.wire.say(answer(desk.wire.sent[-1]), desk.wire.frames[-1][2:4])
    assert [frame.count for frame in desk.wire.sent] == sizes  # type: ignore[attr-defined]
    assert max(frame[1] for frame in desk.wire.frames) <= 200
    reply = only_reply(desk)
    assert reply.outcome is Outcome.ACCEPTED
    assert [card.uid for card in reply.cards] == [card.uid for card in cards(count)]
    expected = [kind is not QUERY or number % 2 == 0 for number in range(1, count + 1)]
    assert [card.ok for card in reply.cards] == expected


def test_a_stored_card_bears_both_of_its_numbers() -> None:
    desk = Desk().ready()
    give(desk, STORE, 1)
    [frame] = desk.wire.told(ykc.OfflineCardSync)
    assert frame.cards == ("0000000000000001" + "0000000000000001",)


def test_what_a_pile_did_not_store_is_named_and_the_rest_still_tried() -> None:
    desk = Desk().ready()
    give(desk, STORE, 25)
    for result, code in ((1, 0), (0, 2), (1, 0)):
        desk.wire.say(ykc.OfflineCardSyncAnswer(pile_no=PILE, result=result, fail_reason=code))
    reply = only_reply(desk)
    assert (reply.outcome, reply.reason, reply.pile_code) == (Outcome.REFUSED, Reason.PILE_REFUSED, 2)
    assert (reply.pile_text_zh, reply.pile_text_en) == ("储存空间不足", "no space")
    assert [card.ok for card in reply.cards] == [True] * 11 + [False] * 11 + [True] * 3
    assert {card.pile_code for card in reply.cards if not card.ok} == {2}


def test_a_card_that_the_pile_does_not_name_counts_as_not_done() -> None:
    desk = Desk().ready()
    give(desk, CLEAR, 3)
    said = ("00000000000000020001", "01000000000000000100")  # not cleared, bad format; and the first one turned round
    desk.wire.say(ykc.OfflineCardClearAnswer(pile_no=PILE, cards=said))
    reply = only_reply(desk)
    assert (reply.outcome, reply.reason) == (Outcome.REFUSED, Reason.PILE_REFUSED)
    assert [(card.ok, card.pile_code) for card in reply.cards] == [(True, 0), (False, 1), (False, 0)]


@pytest.mark.parametrize("is_cut", [False, True])
def test_a_list_that_breaks_off_says_how_far_it_came(is_cut: bool) -> None:
    desk = Desk().ready()
    give(desk, STORE, 13)
    desk.wire.say(ykc.OfflineCardSyncAnswer(pile_no=PILE, result=1, fail_reason=0))
    if is_cut:
        desk.wire.cut()
    else:
        desk.keep_alive(PILE_ANSWER_S + 1)
    reply = only_reply(desk)
    assert (reply.outcome, reply.reason) == (Outcome.TIMED_OUT, Reason.LINK_LOST if is_cut else Reason.TIMED_OUT)
    assert [card.ok for card in reply.cards] == [True] * 11 + [False] * 2
    assert len(desk.wire.told(ykc.OfflineCardSync)) == 2


def test_a_query_waits_for_what_is_stored_before_it() -> None:
    desk = Desk().ready()
    give(desk, STORE, 12, "c-1")
    give(desk, QUERY, 1, "c-2")
    for _ in range(3):
        desk.wire.say(answer(desk.wire.sent[-1]), desk.wire.frames[-1][2:4])
    assert [frame.code for frame in desk.wire.sent] == [0x44, 0x44, 0x48]
    assert [reply.id for reply in desk.of(PILE_REPLY)] == ["c-1", "c-2"]
