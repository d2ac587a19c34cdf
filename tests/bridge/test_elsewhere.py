"""Which of two bridges holds a pile: by what both publish, whoever hears first."""

from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from bridge.elsewhere import Elsewhere, Hold
from bridge.protocols.ykc import messages as ykc
from bridge.voice import BridgeRun
from evcs.contracts.bridge import BridgeStatus
from evcs.contracts.envelope import Receipt
from evcs.contracts.gun import GunLevel
from evcs.contracts.pile import Outcome, PileCommand, PileCommandKind, PileEventKind, PileStatus
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GunState, Proof
from evcs.contracts.times import from_ms, to_ms
from evcs.contracts.topics import GUN_STATE, PILE_EVENT, PILE_REPLY, PILE_STATUS
from tests.bridge.kit import NOON, PILE, Desk, Wire, charging, login

NOW_MS = to_ms(NOON)


def hold(**change: Any) -> Hold:
    values: dict[str, Any] = {"bridge": "b1", "login_ms": 1000, "proof": Proof.NUMBER, "link": "l", "address": "a"}
    return Hold(**{**values, **change})


@pytest.mark.parametrize(
    "better",
    [
        hold(login_ms=1001),
        hold(proof=Proof.KEY, login_ms=1),
        hold(bridge="b2"),
        hold(bridge="b0", login_ms=1001),
    ],
)
def test_better_proof_holds_then_the_newer_login(better: Hold) -> None:
    assert better.outranks(hold())
    assert not hold().outranks(better)
    assert not hold().outranks(hold())


def test_any_two_holds_have_one_that_stays() -> None:
    holds = [hold(bridge=b, login_ms=at, proof=p) for b in ("b1", "b2") for at in (1, 2) for p in Proof]
    for one, other in permutations(holds, 2):
        assert one.outranks(other) != other.outranks(one)


def bridge_status(bridge: str = "b2", *, online: bool = True, started_ms: int = 7) -> BridgeStatus:
    return BridgeStatus(version=1, bridge=bridge, online=online, started_ms=started_ms, since=NOON)


def status(
    bridge: str = "b2",
    *,
    started_ms: int = 7,
    login_ms: int = NOW_MS,
    online: bool = True,
    proof: Proof = Proof.NUMBER,
    version: int = NOW_MS,
) -> PileStatus:
    return PileStatus(
        receipt=Receipt(bridge=bridge, started_ms=started_ms, n=1),
        version=version,
        pile=PILE,
        online=online,
        since=NOON,
        login_at=from_ms(login_ms),
        link="foreign-1",
        bridge=bridge,
        bridge_started_ms=started_ms,
        proof=proof,
        address="10.9.9.9",
        gun_count=2,
    )


def test_what_a_dead_bridge_left_standing_means_nothing() -> None:
    elsewhere = Elsewhere()
    assert elsewhere.pile_said(status()) is not None  # its own word is on the way
    assert elsewhere.holder(PILE) is None  # but nobody is shut out for it
    elsewhere.bridge_said(bridge_status())
    assert elsewhere.holder(PILE) is not None
    elsewhere.bridge_said(bridge_status(online=False))
    assert elsewhere.holder(PILE) is None
    assert elsewhere.pile_said(status()) is None
    elsewhere.bridge_said(bridge_status(started_ms=8))
    assert elsewhere.pile_said(status()) is None
    assert elsewhere.pile_said(status(started_ms=8)) is not None
    assert elsewhere.pile_said(status(started_ms=8, online=False)) is None
    assert elsewhere.holder(PILE) is None


def test_a_weaker_proof_never_displaces_a_living_bridges_hold() -> None:
    desk = Desk()
    desk.fleet.foreign_bridge(bridge_status())
    desk.fleet.foreign_status(status(proof=Proof.CERTIFICATE), desk.now)
    desk.wire.say(login())
    assert desk.wire.closed == "login_refused"
    assert desk.wire.told(ykc.LoginAnswer)[0].result == 1
    [event] = desk.of(PILE_EVENT)
    assert (event.kind, event.reason, event.text) == (PileEventKind.LOGIN_REFUSED, Reason.WEAKER_PROOF, "127.0.0.1")
    desk.fleet.foreign_bridge(bridge_status(online=False))  # it died, and cannot hold it any more
    desk.wire = Wire(desk)
    desk.wire.say(login())
    assert desk.wire.link.is_logged_in


def test_nor_does_it_by_being_newer_at_another_bridge() -> None:
    desk = Desk().ready()
    strong = desk.pile.login
    assert strong is not None
    desk.pile._level.login = type(strong)(strong.said, strong.link, Proof.KEY, strong.address)
    desk.fleet.foreign_bridge(bridge_status())
    desk.fleet.foreign_status(status(login_ms=NOW_MS + 60_000), desk.now)
    assert desk.wire.closed is None
    assert desk.last(PILE_STATUS).online
    wire = Wire(desk)
    wire.say(login())
    assert wire.closed == "login_refused"
    assert desk.last(PILE_EVENT).reason is Reason.WEAKER_PROOF


def test_a_takeover_from_another_bridge_is_an_event_and_its_levels_are_said_again() -> None:
    desk = Desk()
    desk.fleet.foreign_bridge(bridge_status())
    desk.fleet.foreign_status(status(login_ms=NOW_MS + 3_600_000), desk.now)  # its clock is an hour ahead
    desk.log_in()
    desk.wire.say(charging())
    [event] = [one for one in desk.of(PILE_EVENT) if one.kind is PileEventKind.CONNECTION_REPLACED]
    assert event.text == "foreign-1 10.9.9.9 at b2; 1 in this hour"
    mine = desk.last(PILE_STATUS)
    assert mine.login_at is not None
    assert to_ms(mine.login_at) > NOW_MS + 3_600_000  # so the other one sees that it is newer
    shown: list[GunLevel] = desk.of(GUN_STATE)
    assert all(level.login_ms == to_ms(mine.login_at) for level in shown)
    desk.forget_all()
    desk.wait(6)
    again = {level.gun: level.state for level in desk.of(GUN_STATE)}
    assert again == {1: GunState.CHARGING, 2: GunState.OFFLINE}
    assert desk.last(PILE_STATUS).online
    desk.forget_all()
    desk.wait(6)
    assert desk.of(GUN_STATE) == []


def test_a_takeover_that_is_heard_of_after_the_login_is_the_same_one_event() -> None:
    desk = Desk()
    desk.log_in()
    for version in (1, 2):
        desk.fleet.foreign_status(status(login_ms=NOW_MS - 1000, version=NOW_MS + version), desk.now)
    replaced = [one for one in desk.of(PILE_EVENT) if one.kind is PileEventKind.CONNECTION_REPLACED]
    assert [one.text for one in replaced] == ["foreign-1 10.9.9.9 at b2; 1 in this hour"]
    assert desk.last(PILE_STATUS).version > NOW_MS + 2
    assert desk.wire.closed is None


def test_replacements_are_counted_over_the_hour() -> None:
    desk = Desk().ready()
    for _ in range(3):
        desk.wire = Wire(desk, "127.0.0.9")
        desk.wire.say(login())
    desk.keep_alive(3601)
    desk.wire = Wire(desk)
    desk.wire.say(login())
    texts = [one.text for one in desk.of(PILE_EVENT) if one.kind is PileEventKind.CONNECTION_REPLACED]
    assert [text.partition(" ")[2] for text in texts] == [
        "127.0.0.1; 1 in this hour",
        "127.0.0.9; 2 in this hour",
        "127.0.0.9; 3 in this hour",
        "127.0.0.9; 1 in this hour",
    ]
    assert [note.is_warning for note in desk.notes if note.event == "connection_replaced_again"] == [True, True]


def test_who_gives_a_pile_up_answers_what_it_was_asked_and_says_nothing_of_its_levels() -> None:
    desk = Desk().ready()
    desk.start(desk.start_command("start-1", allowance_kw=60.0))
    for number, kind in enumerate((PileCommandKind.RESTART, PileCommandKind.RESTART)):
        command = PileCommand(
            id=f"c-{number}",
            bridge="b1",
            link=desk.pile.link,
            kind=kind,
            expires_at=desk.clock.now() + timedelta(seconds=60),
        )
        desk.fleet.command(PILE, command, desk.now)
    desk.power(desk.power_command(60.0))
    desk.forget_all()
    desk.fleet.foreign_status(status(login_ms=NOW_MS + 1000), desk.now)
    assert desk.wire.closed == "held_elsewhere"
    found = [(one.id, one.outcome, one.reason) for one in desk.of(PILE_REPLY)]
    lost = (Outcome.TIMED_OUT, Reason.LINK_LOST)
    assert sorted(found) == [("c-0", *lost), ("c-1", *lost), ("power-1", *lost)]
    assert desk.of(GUN_STATE) == []
    assert desk.of(PILE_STATUS) == []
    desk.wait(130)
    assert desk.of(GUN_STATE) == []


def test_two_desks_agree_whoever_hears_first() -> None:
    for first_hears in (0, 1):
        old, new = Desk(), Desk()
        new.fleet.run = BridgeRun("b2", new.clock.now_ms())
        old.log_in()
        new.clock.advance(1)
        new.log_in()
        said = [status("b1", login_ms=old.pile.login_ms), status("b2", login_ms=new.pile.login_ms)]
        if first_hears == 0:
            old.fleet.foreign_status(said[1], old.now)
            new.fleet.foreign_status(said[0], new.now)
        else:
            new.fleet.foreign_status(said[0], new.now)
            old.fleet.foreign_status(said[1], old.now)
        assert (old.wire.closed, new.wire.closed) == ("held_elsewhere", None)
