"""Who is let in, who is not, and what is said about strangers."""

from dataclasses import replace

import pytest

from bridge.login import Accepted, Refused, is_within, judge
from bridge.moment import Moment
from bridge.quarantine import IN_TOTAL, PER_ADDRESS, PER_MINUTE, Quarantine
from evcs.contracts.config import PileConfig
from evcs.contracts.reasons import Reason
from evcs.contracts.states import Proof
from tests.bridge.kit import login_said, pile_config

AT_HOME = "10.1.2.3"
CONFIG = pile_config(networks=("10.1.0.0/16", "fd00::/8"))


@pytest.mark.parametrize(
    ("config", "address", "guns", "held_by", "reason"),
    [
        (CONFIG, AT_HOME, 2, None, None),
        (CONFIG, AT_HOME, 2, Proof.NUMBER, None),
        (CONFIG, "fd12::1", 2, None, None),
        (CONFIG, "::ffff:10.1.2.3", 2, None, None),
        (None, AT_HOME, 2, None, Reason.PILE_UNKNOWN),
        (CONFIG, "10.2.0.1", 2, None, Reason.NETWORK_NOT_ALLOWED),
        (CONFIG, "", 2, None, Reason.NETWORK_NOT_ALLOWED),
        (pile_config(networks=()), AT_HOME, 2, None, Reason.NETWORK_NOT_ALLOWED),
        (CONFIG, AT_HOME, 1, None, Reason.GUN_COUNT_DIFFERS),
        (CONFIG, AT_HOME, 2, Proof.KEY, Reason.WEAKER_PROOF),
        (CONFIG, AT_HOME, 2, Proof.CERTIFICATE, Reason.WEAKER_PROOF),
    ],
)
def test_judgement(
    config: PileConfig | None, address: str, guns: int, held_by: Proof | None, reason: Reason | None
) -> None:
    decision = judge(replace(login_said(), gun_count=guns), config, address, held_by)
    assert decision == (Accepted(Proof.NUMBER) if reason is None else Refused(reason))


def test_what_is_no_network_holds_nobody() -> None:
    assert not is_within("10.0.0.1", ("nonsense", "10.0.0.0/99"))
    assert is_within("10.0.0.1", ("nonsense", "10.0.0.1/8"))


def at(seconds: float) -> Moment:
    return Moment(round(seconds * 1000), seconds)


def test_a_stranger_is_told_once_a_minute() -> None:
    quarantine = Quarantine()
    assert quarantine.take("1", "a", "pile_unknown", (b"\x68",), at(0)) is not None
    assert quarantine.take("1", "a", "pile_unknown", (b"\x68",), at(30)) is None
    assert quarantine.take("1", "a", "pile_unknown", (b"\x68",), at(61)) is not None
    assert quarantine.untold == 1


def test_one_address_brings_in_few_numbers_and_all_together_few_messages() -> None:
    quarantine = Quarantine()
    from_one = [quarantine.take(str(n), "a", "pile_unknown", (), at(0)) for n in range(100)]
    assert sum(told is not None for told in from_one) == PER_ADDRESS
    from_all = [quarantine.take("1", f"b{n}", "pile_unknown", (), at(1)) for n in range(200)]
    assert sum(told is not None for told in from_all) == PER_MINUTE - PER_ADDRESS


def test_memory_of_strangers_is_bounded() -> None:
    quarantine = Quarantine()
    for n in range(3 * IN_TOTAL):
        quarantine.take("1", f"a{n}", "pile_unknown", (), at(2.0 * n))
    assert len(quarantine) <= IN_TOTAL
    assert quarantine.take("1", "a0", "pile_unknown", (), at(1e6)) is not None
