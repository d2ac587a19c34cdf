"""Asking the gate: the question goes out once, its answer comes back to who asked, silence has a name."""

from datetime import timedelta

from evcs.contracts import topics
from evcs.contracts.gun import Verdict, VerdictKind
from evcs.contracts.reasons import Reason
from evcs.contracts.topics import Address
from tests.webapi.http.conftest import still, world
from tests.webapi.http.world import NOW, World
from webapi.database import sessions
from webapi.gate.ask import answered, forget_asks
from webapi.gate.models import GateAsk
from webapi.users.models import Role
from webapi.worker.models import OutboxRow

__all__ = ["still", "world"]


def ask(world: World, token: str | None = None) -> str:
    answer = world.call("POST", "/asks", {"pile": world.ours.pile, "gun": 1}, token=token)
    assert (answer.status_code, answer.json["state"]) == (201, "asked")
    assert answer.headers["Location"].endswith(f"/asks/{answer.json['id']}")
    return str(answer.json["id"])


def say(world: World, request: str, *, admit: bool, gun: int = 1) -> None:
    said = Verdict(
        id="v1",
        request=request,
        kind=VerdictKind.ASK_ANSWER,
        would_admit=admit,
        reason=None if admit else Reason.BAND_BLOCKED,
        cap_kw=60.0 if admit else None,
        zh="负荷 41 %" if admit else "负荷 83 %",
        en="load",
        decided_at=NOW,
    )
    address = Address(station=world.ours.station, pile=world.ours.pile, gun=gun)
    with sessions(world.engine).begin() as session:
        answered(session, address, said, NOW)


def test_question_goes_out_with_its_expiry_and_holds_nothing(world: World) -> None:
    asked = ask(world)
    with sessions(world.engine)() as session:
        row = session.query(OutboxRow).order_by(OutboxRow.id.desc()).first()
        assert row is not None
        assert row.expires_at == NOW + timedelta(seconds=3)
        request = topics.REQUEST.decode(row.payload)
    assert request.id == asked
    assert world.call("GET", f"/customers/{world.ours.customer}").json["wallet"]["held_fen"] == 0


def test_first_answer_counts_and_only_for_the_gun_that_was_asked_about(world: World) -> None:
    asked = ask(world)
    say(world, asked, admit=False, gun=2)
    assert world.call("GET", f"/asks/{asked}").json["state"] == "asked"
    say(world, asked, admit=True)
    say(world, asked, admit=False)
    told = world.call("GET", f"/asks/{asked}").json
    assert (told["state"], float(told["cap_kw"]), told["text"]["zh"]) == ("admitted", 60, "负荷 41 %")
    say(world, "nobody-asked", admit=True)


def test_refusal_is_told_with_its_reason(world: World) -> None:
    asked = ask(world, world.ours.driver_token)
    say(world, asked, admit=False)
    told = world.call("GET", f"/asks/{asked}", token=world.ours.driver_token).json
    assert (told["state"], told["reason"], told["text"]["zh"]) == ("refused", "band_blocked", "负荷 83 %")


def test_silence_after_three_seconds_is_the_engines_absence(world: World) -> None:
    asked = ask(world)
    world.clock.advance(3)
    told = world.call("GET", f"/asks/{asked}").json
    assert (told["state"], told["reason"]) == ("no_answer", "engine_away")
    assert told["text"]["zh"]


def test_answers_are_read_by_who_asked_and_guns_of_others_do_not_exist(world: World) -> None:
    asked = ask(world)
    for token in (world.ours.driver_token, world.ours.tokens[Role.OPERATOR], world.theirs.tokens[Role.TENANT_ADMIN]):
        assert world.call("GET", f"/asks/{asked}", token=token).status_code == 404
    assert world.call("POST", "/asks", {"pile": world.theirs.pile, "gun": 1}).status_code == 404
    assert world.call("POST", "/asks", {"pile": world.ours.pile, "gun": 9}).status_code == 404
    viewer = world.ours.tokens[Role.VIEWER]
    assert world.call("POST", "/asks", {"pile": world.ours.pile, "gun": 1}, token=viewer).status_code == 403


def test_old_questions_are_forgotten(world: World) -> None:
    old = ask(world)
    world.clock.advance(20 * 3600)
    young = ask(world)
    with sessions(world.engine).begin() as session:
        forget_asks(session, at=NOW + timedelta(hours=25))
    with sessions(world.engine)() as session:
        assert [one.id for one in session.query(GateAsk)] == [young]
    assert world.call("GET", f"/asks/{old}").status_code == 404
