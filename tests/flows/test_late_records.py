"""Records that come late: after an hour without a link, after a day, after a settlement without them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.protocols.ykc.codes import POWER_LOST
from bridge.protocols.ykc.messages import TransactionRecord
from bridge.simulator.troubles import Trouble
from evcs.contracts import topics
from evcs.contracts.states import OrderState
from evcs.contracts.waits import LOST_LINK_S, PROVISIONAL_S, RECORD_S
from tests.flows.books import proved
from tests.flows.charges import (
    HELD_BACK,
    RECHARGED,
    advance_past_sign_in,
    begun,
    confirmed,
    corrections_of,
    ended_at_pile,
    in_state,
    let_record_come,
    say_again,
)
from tests.flows.platform import LIVELY, Platform, running
from tests.flows.sums import fen_of
from tests.flows.town import Town
from tests.servers import Broker

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

HOUR_S = 3600.0
SHORT_AWAY = replace(LIVELY, away_s=(1.0, 2.0))
"""How long it stays away says the test, which holds its link."""

Found = Callable[..., Town]


async def gone(platform: Platform, number: str) -> None:
    """Await that the platform has missed three heartbeats."""
    await platform.wait(topics.PILE_STATUS, lambda status: status.pile == number and not status.online, within_s=75)


def verdicts_are(order: dict[str, Any], verdict: str) -> None:
    """One record, which came more than once: how often says the pile, which repeats it until it hears 0x40."""
    (record,) = order["records"]
    assert (record["verdict"], record["repeats"] >= 1) == (verdict, True)


async def test_a_pile_that_vanished_sends_its_record_an_hour_later_twice(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        pile = await platform.pile(platform.town.piles[0], options=SHORT_AWAY)
        serial = await begun(platform, pile, need_kwh=12)
        await platform.wait(topics.TELEMETRY, lambda one: one.serial == serial and (one.energy_kwh or 0) > 1)
        pile.troubles.record_twice = True
        pile.wants_link.clear()
        pile.befall(Trouble.VANISH)
        await ended_at_pile(pile)
        await gone(platform, pile.number)
        order = await in_state(platform, serial, OrderState.EXCEPTION)
        assert (order["trouble"], order["hold"]["state"]) == ("link_lost", "open")

        platform.advance(HOUR_S)
        order = (await platform.call("GET", f"/orders/{serial}")).body
        assert (order["state"], order["settled_at"]) == ("exception", None)
        books = proved(database_url, platform.town.customer)
        assert (books.held_fen, books.settlements_of(serial)) == (order["hold_fen"], 0)
        assert not pile.all_of(TransactionRecord)

        pile.restore_link()
        record = await pile.sent(TransactionRecord)
        await in_state(platform, serial, OrderState.SETTLED)
        await confirmed(pile, serial, times=2)
        order = (await platform.call("GET", f"/orders/{serial}")).body
        assert (order["total_fen"], order["provisional"]) == (fen_of(record), False)
        verdicts_are(order, "settled")
        assert [bill["kind"] for bill in order["bills"]] == ["final"]
        books = proved(database_url, platform.town.customer)
        assert (books.held_fen, books.available_fen) == (0, RECHARGED - fen_of(record))
        assert books.settlements_of(serial) == 1


async def test_a_pile_without_power_for_a_day_is_settled_by_its_marks_and_corrected_once(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        pile = await platform.pile(platform.town.piles[0], options=SHORT_AWAY)
        serial = await begun(platform, pile, need_kwh=40)
        await platform.wait(topics.TELEMETRY, lambda one: one.serial == serial and (one.energy_kwh or 0) > 2)
        pile.troubles.record_twice = True
        pile.wants_link.clear()
        pile.befall(Trouble.POWER_LOSS)
        await gone(platform, pile.number)
        await in_state(platform, serial, OrderState.EXCEPTION)

        await advance_past_sign_in(platform, LOST_LINK_S + 60)
        by_marks = await in_state(platform, serial, OrderState.SETTLED)
        assert by_marks["provisional"]
        assert by_marks["total_fen"] > 0
        books = proved(database_url, platform.town.customer)
        assert (books.held_fen, books.available_fen) == (0, RECHARGED - by_marks["total_fen"])

        pile.restore_link()
        record = await pile.sent(TransactionRecord)
        assert record.stop_reason == POWER_LOST
        await confirmed(pile, serial, times=2)
        order = (await platform.call("GET", f"/orders/{serial}")).body
        assert (order["state"], order["provisional"], order["total_fen"]) == ("settled", False, fen_of(record))
        assert [bill["kind"] for bill in order["bills"]] == ["provisional", "correction"]
        verdicts_are(order, "corrected")
        books = proved(database_url, platform.town.customer)
        assert (books.held_fen, books.available_fen) == (0, RECHARGED - fen_of(record))
        assert books.settlements_of(serial) == 1
        assert corrections_of(database_url, serial) <= 1


async def test_an_end_without_a_record_is_settled_by_marks_and_corrected_once_by_the_late_record(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        pile = await platform.pile(platform.town.piles[0], options=HELD_BACK)
        pile.troubles.record_late = True
        serial = await begun(platform, pile)
        await in_state(platform, serial, OrderState.ENDED)
        platform.advance(RECORD_S + 1)
        order = await in_state(platform, serial, OrderState.EXCEPTION)
        assert (order["trouble"], order["hold"]["state"]) == ("no_record", "open")
        platform.advance(PROVISIONAL_S - RECORD_S)
        by_marks = await in_state(platform, serial, OrderState.SETTLED)
        assert (by_marks["provisional"], [bill["route"] for bill in by_marks["bills"]]) == (True, ["marks"])

        let_record_come(pile, serial)
        record = await pile.sent(TransactionRecord)
        await confirmed(pile, serial)
        order = (await platform.call("GET", f"/orders/{serial}")).body
        assert (order["provisional"], order["total_fen"]) == (False, fen_of(record))
        assert [bill["kind"] for bill in order["bills"]] == ["provisional", "correction"]
        assert corrections_of(database_url, serial) == int(order["total_fen"] != by_marks["total_fen"])

        say_again(pile, record)
        await confirmed(pile, serial, times=2)
        again = (await platform.call("GET", f"/orders/{serial}")).body
        verdicts_are(again, "corrected")
        assert again["bills"] == order["bills"]
        books = proved(database_url, platform.town.customer)
        assert (books.held_fen, books.available_fen) == (0, RECHARGED - fen_of(record))
        assert books.settlements_of(serial) == 1
