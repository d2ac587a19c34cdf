"""The simulator as a service: settings, numbers, and the true process against the tiny platform."""

import asyncio
import os
import signal
import sys

import pytest

from bridge.protocols.base import CrcOrder
from bridge.protocols.ykc.messages import Login, YkcMessage
from bridge.simulator.__main__ import options_into_environment
from bridge.simulator.fleet import Fleet, options_of, pile_number
from bridge.simulator.settings import Settings, span
from bridge.simulator.status import Watch, line
from bridge.simulator.troubles import Trouble
from evcs.runtime.clock import ManualClock
from evcs.runtime.settings import SettingsError, load
from tests.bridge.simulator.platform import Platform, Script


def test_numbers_have_14_digits() -> None:
    assert [pile_number(1), pile_number(120)] == ["55031412000001", "55031412000120"]


def test_options_and_variables_are_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {**os.environ, "EVCS_SIMULATOR_GUNS": "3", "EVCS_BRIDGE_PORT": "19000"})
    options_into_environment(["--piles", "5", "--first", "11", "--need-kwh", "2:4", "--pile-kw", "60"])
    settings = load(Settings)
    fleet = Fleet(settings, ManualClock())
    assert [pile.number[-2:] for pile in fleet.piles] == ["11", "12", "13", "14", "15"]
    assert len(fleet.piles[0].pile.guns) == 3
    assert fleet.piles[0].port == 19000
    assert (options_of(settings).need_kwh, options_of(settings).pile_w) == ((2, 4), 60_000)


def test_wrong_settings_are_all_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVCS_SIMULATOR_PILES", "0")
    monkeypatch.setenv("EVCS_SIMULATOR_NEED_KWH", "9:3")
    with pytest.raises(SettingsError) as told:
        load(Settings)
    assert [problem.split(":")[0] for problem in told.value.problems] == [
        "EVCS_SIMULATOR_PILES",
        "EVCS_SIMULATOR_NEED_KWH",
    ]


def test_shares_customers_troubles_and_meters_reach_the_piles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    words = "--piles 40 --v15-share 0.5 --high-crc-share 1 --customers 1:3 --card-share 0.4 --troubles drop=0.25"
    meter = "--meters DEMO-B/T1:2-3:400:20 --meter-username meter-{transformer}"
    options_into_environment([*words.split(), *meter.split()])
    fleet = Fleet(load(Settings), ManualClock())
    versions = {pile.options.protocol_version for pile in fleet.piles}
    assert versions == {0x0F, 0x10}
    assert {pile.options.crc_order for pile in fleet.piles} == {CrcOrder.HIGH_FIRST}
    assert [card.uid for card in fleet.piles[0].options.cards] == [f"00000000D14B000{n}" for n in (1, 2, 3)]
    assert fleet.piles[0].options.vins == ("LSVEVCS0000000001", "LSVEVCS0000000002", "LSVEVCS0000000003")
    assert fleet.piles[0].troubles.chances == {Trouble.DROP: 0.25}
    assert len({id(pile.troubles) for pile in fleet.piles}) == 40
    assert len(fleet.meters) == 1


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TROUBLES", "dorp=0.1"),
        ("CUSTOMERS", "0:6"),
        ("METERS", "DEMO-B"),
        ("CARD_SHARE", "0.95"),
        ("OWN_ECHO_SHARE", "0.95"),
    ],
)
def test_settings_that_do_not_fit_are_refused(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(f"EVCS_SIMULATOR_{variable}", value)
    with pytest.raises(SettingsError):
        load(Settings)


def test_a_secret_is_no_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options_into_environment(["--help"])
    told = capsys.readouterr().out
    assert "--troubles" in told
    assert "--meter-password" not in told


async def test_the_status_line_counts_guns_power_and_troubles() -> None:
    fleet = Fleet(load(Settings), ManualClock())
    fleet.piles[0].plug(1, need_kwh=5)
    fleet.piles[0].troubles.happened[Trouble.DROP] += 3
    fleet.counts.sent, fleet.counts.received = 100, 50
    status = Watch(fleet.piles, fleet.counts).look(10)
    assert (status.guns["plugged"], status.guns["free"], status.sent_per_s) == (1, 3, 10)
    assert line(status) == ("0/2 online | 3 free 1 plugged | 0 kW | 10↑ 5↓ frames/s | 0 records open | drop 3")


def test_a_range_may_be_one_number() -> None:
    assert span("3") == (3, 3)


class Counting(Script):
    """Says when enough piles have logged in."""

    def __init__(self, wanted: int) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.all_in = asyncio.Event()
        self._wanted = wanted

    def answers(self, message: YkcMessage) -> list[YkcMessage]:
        if isinstance(message, Login):
            self.seen.add(message.pile_no)
            if len(self.seen) == self._wanted:
                self.all_in.set()
        return super().answers(message)


async def test_the_process_logs_its_piles_in_and_ends_cleanly() -> None:
    async with Platform() as platform:
        script = Counting(3)
        platform.script = script
        environment = {**os.environ, "EVCS_SIMULATOR_PORT": str(platform.port)}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bridge.simulator", "--piles", "3", env=environment
        )
        try:
            await asyncio.wait_for(script.all_in.wait(), 30)
            assert script.seen == {"55031412000001", "55031412000002", "55031412000003"}
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 15) == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
