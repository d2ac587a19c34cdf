"""A start that a driver asked for at the pile: the gate's start names card, request and car, and ends with the wait."""

from dataclasses import dataclass, field

import msgspec
import pytest

from evcs.contracts.gun import Joint, JointRole, Start, StartRequest, Verdict, VerdictKind
from evcs.contracts.reasons import Reason
from evcs.contracts.states import StartSource
from rules.engine import Engine
from rules.messages import Began, Heard, Message, PictureComplete, Publish, Tick
from tests.rules.town import SINCE_MS, Town, after

CARD = "00000000D14B0A54"


@dataclass
class Gate:
    """An engine that is sure of a pile with two guns."""

    town: Town = field(default_factory=lambda: Town([{"pile": "p1", "guns": [60.0, 60.0]}]))
    engine: Engine = field(default_factory=Engine)

    def __post_init__(self) -> None:
        for message in (Began(SINCE_MS), *self.town.picture(after(0)), PictureComplete(), self.town.answer(0)):
            self.hear(message, 0)

    def hear(self, message: Message, seconds: float) -> list[object]:
        return [one.payload for one in self.engine.step(message, after(seconds)) if isinstance(one, Publish)]

    def ask(self, id: str, gun: int = 1, *, expires_s: float = 10, joint: Joint | None = None) -> Heard:
        heard = self.town.request("p1", gun, after(0), id=id, expires_s=expires_s)
        assert isinstance(heard.payload, StartRequest)
        asked = msgspec.structs.replace(
            heard.payload,
            source=StartSource.CARD,
            card=CARD,
            printed_card="42",
            card_request=f"e-{id}",
            joint=joint,
        )
        return Heard(heard.topic, heard.address, asked)


def starts(out: list[object]) -> list[Start]:
    return [one for one in out if isinstance(one, Start)]


@pytest.fixture
def gate() -> Gate:
    return Gate()


def test_the_start_names_card_and_request_and_ends_with_the_wait_at_the_pile(gate: Gate) -> None:
    (start,) = starts(gate.hear(gate.ask("a"), 1))
    assert (start.card, start.printed_card, start.card_request) == (CARD, "42", "e-a")
    assert start.expires_at == after(10), "not 20 s after the admission"


def test_a_start_from_elsewhere_has_its_20_seconds(gate: Gate) -> None:
    (start,) = starts(gate.hear(gate.town.request("p1", 1, after(0), id="a"), 1))
    assert (start.card_request, start.joint, start.expires_at) == (None, None, after(21))


def test_no_start_goes_out_again_once_the_pile_waits_no_more(gate: Gate) -> None:
    gate.hear(gate.ask("a"), 1)
    again = [start for second in range(2, 30) for start in starts(gate.hear(Tick(), second))]
    assert again
    assert all(start.expires_at == after(10) for start in again)
    late = [start for second in range(30, 60) for start in starts(gate.hear(Tick(), second))]
    assert late == []


def test_a_request_that_comes_too_late_is_refused(gate: Gate) -> None:
    out = gate.hear(gate.ask("a"), 10)
    (verdict,) = [one for one in out if isinstance(one, Verdict)]
    assert (verdict.kind, verdict.reason, starts(out)) == (VerdictKind.REFUSED, Reason.EXPIRED, [])


def test_both_guns_of_a_joint_charge_are_weighed_for_themselves_and_say_so(gate: Gate) -> None:
    main, auxiliary = Joint(number="261124205000"), Joint(number="261124205000", role=JointRole.AUXILIARY)
    sent = starts(gate.hear(gate.ask("a", joint=main), 1)) + starts(gate.hear(gate.ask("b", 2, joint=auxiliary), 1))
    assert [start.joint for start in sent] == [main, auxiliary]
