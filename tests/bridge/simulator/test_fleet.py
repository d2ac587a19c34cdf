"""The simulator as a service: settings, numbers, and the true process against the tiny platform."""

import asyncio
import os
import signal
import sys

import pytest

from bridge.protocols.ykc.messages import Login, YkcMessage
from bridge.simulator.__main__ import options_into_environment
from bridge.simulator.fleet import Fleet, options_of, pile_number
from bridge.simulator.settings import Settings, span
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
