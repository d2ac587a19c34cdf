"""A fault goes from the pile's frame to the operator's list, and a description back to the next alarm."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evcs.contracts import topics
from tests.flows.charges import begun
from tests.flows.platform import Platform, running
from tests.flows.town import Town
from tests.servers import Broker

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

WITHIN_S = 40.0
STOP_BUTTON, NO_DOCUMENT_NAMES_IT = 0x0001, 0x8000


async def alarms(platform: Platform, query: str, want: Callable[[dict[str, dict[str, Any]]], bool]) -> Any:
    """The listed alarms by code, as soon as they are as wanted: the API announces nothing by itself."""
    deadline = time.monotonic() + WITHIN_S
    while True:
        answer = await platform.call("GET", f"/alarms{query}")
        found = {item["code"]: item for item in answer.body["items"]}
        if want(found):
            return found
        assert time.monotonic() < deadline, f"{found}\n{platform.logs()}"
        await asyncio.sleep(0.2)


async def test_a_fault_is_listed_explained_acknowledged_and_over(
    broker: Broker, database_url: str, found: Callable[..., Town], tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        pile = await platform.pile(platform.town.piles[0])
        serial = await begun(platform, pile)
        pile.fail(1, STOP_BUTTON)
        raised = await alarms(platform, f"?pile={pile.number}", lambda now: {"bit1", "stop_72"} <= set(now))
        assert (raised["bit1"]["open"], raised["bit1"]["zh"]) == (True, "急停按钮动作故障")
        assert (raised["bit1"]["severity"], raised["bit1"]["known"]) == ("critical", True)
        assert (raised["stop_72"]["open"], raised["stop_72"]["zh"]) == (False, "急停开入")
        assert (raised["stop_72"]["serial"], raised["stop_72"]["gun"]) == (serial, 1)
        counts = (await platform.call("GET", "/alarms/counts")).body
        assert (counts["critical"], counts["unacknowledged"]) == (1, 1)
        path = f"/alarms/{raised['bit1']['id']}"
        detail = (await platform.call("GET", path)).body
        assert "急停" in detail["dictionary"]["advice_zh"]
        done = await platform.call("POST", f"{path}/acknowledge", {"note": "已到场"})
        assert done.body["alarm"]["acknowledge_note"] == "已到场"
        pile.repair(1)
        over = await alarms(platform, f"?pile={pile.number}", lambda now: not now["bit1"]["open"])
        assert over["bit1"]["cleared_at"] is not None


async def test_a_code_that_nobody_knows_is_described_and_known_from_then_on(
    broker: Broker, database_url: str, found: Callable[..., Town], tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        pile = await platform.pile(platform.town.piles[0])
        pile.fail(1, NO_DOCUMENT_NAMES_IT)
        unknown = await alarms(platform, "?known=false", lambda now: "bit16" in now)
        assert unknown["bit16"]["raw"] == "0x8000"
        (waiting,) = (await platform.call("GET", "/fault-codes/undescribed")).body["items"]
        assert (waiting["code"], waiting["protocol"], waiting["records"]) == ("bit16", "ykc", 1)
        new = {
            "protocol": "ykc",
            "code": "bit16",
            "text_zh": "水浸",
            "text_en": "flooded",
            "severity": "critical",
        }
        seen = platform.observer.count
        made = await platform.call("POST", "/fault-codes", new)
        assert (made.status, made.body["described"]) == (201, 1)
        described = await alarms(platform, "", lambda now: now["bit16"]["known"])
        assert described["bit16"]["zh"] == "水浸"
        await platform.wait(
            topics.CONFIG_FAULT_CODES, lambda table: any(one.code == "bit16" for one in table.codes), after=seen
        )
        pile.fail(2, NO_DOCUMENT_NAMES_IT)
        level = await platform.wait(topics.ALARM, lambda one: one.code == "bit16" and one.gun == 2, after=seen)
        assert (level.zh, level.severity, level.known) == ("水浸", "critical", True)
        both = await alarms(platform, "?code=bit16&gun=2", lambda now: bool(now))
        assert both["bit16"]["zh"] == "水浸"
