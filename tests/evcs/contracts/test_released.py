"""A published name or meaning never changes: what the contract once said it still says, and asks for nothing more."""

import pytest

from evcs.contracts.schemas import published
from tests.evcs.contracts.released import FILE, breaks, lines

RELEASED = set(FILE.read_text(encoding="utf-8").splitlines())

GUN = {"Gun.state required 1", "Gun.volts optional 2", "State may be idle"}


def test_contract_has_only_grown_since_it_was_released() -> None:
    assert breaks(RELEASED, set(lines(published()))) == []


@pytest.mark.parametrize(
    ("now", "told"),
    [
        (GUN, []),
        (GUN | {"Gun.amps optional 3", "State may be charging", "Lock.state required 1"}, []),
        (GUN - {"Gun.volts optional 2"}, ["no more: Gun.volts optional 2"]),
        (GUN - {"State may be idle"}, ["no more: State may be idle"]),
        (GUN | {"Gun.amps required 3"}, ["asked of those who do not know it: Gun.amps required 3"]),
        (
            GUN - {"Gun.volts optional 2"} | {"Gun.volts required 2"},
            ["no more: Gun.volts optional 2", "asked of those who do not know it: Gun.volts required 2"],
        ),
    ],
    ids=["same", "grown", "field gone", "value gone", "new demand", "optional made required"],
)
def test_break_is_told(now: set[str], told: list[str]) -> None:
    assert breaks(GUN, now) == told
