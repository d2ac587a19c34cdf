"""Records that do not hold water: none is lost or paid twice, each is confirmed, a person sees what differs."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.protocols.ykc.messages import TransactionRecord
from bridge.simulator.wrong import changed
from evcs.contracts.states import OrderState
from evcs.contracts.waits import REVIEW_S
from tests.flows.books import proved
from tests.flows.charges import (
    HELD_BACK,
    RECHARGED,
    advance_past_sign_in,
    begun,
    confirmed,
    in_state,
    let_record_come,
    say,
)
from tests.flows.platform import running
from tests.flows.sums import fen_of
from tests.flows.town import Town
from tests.servers import Broker

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]

Found = Callable[..., Town]


def reckoned(order: dict[str, Any]) -> bool:
    """Settled, or in review with its figures."""
    return bool(order["state"] == "settled" or order["trouble"] == "record_differs")


async def test_a_different_record_for_a_settled_order_is_kept_for_a_person_and_takes_nothing(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        pile = await platform.pile(platform.town.piles[0])
        serial = await begun(platform, pile)
        record = await pile.sent(TransactionRecord, within_s=60)
        settled = await in_state(platform, serial, OrderState.SETTLED)
        await confirmed(pile, serial)

        other = changed(record)
        assert fen_of(other) > fen_of(record)  # type: ignore[arg-type]
        say(pile, other)
        await confirmed(pile, serial, times=2)
        order = (await platform.call("GET", f"/orders/{serial}")).body
        # The order stays paid as it was; both figures stand side by side for whoever decides.
        assert (order["state"], order["total_fen"], order["bills"]) == ("settled", fen_of(record), settled["bills"])
        said = {(one["verdict"], one["verdict_reason"]): one["pile_amount_e4"] for one in order["records"]}
        assert said == {
            ("settled", None): int(record.total_amount * 10_000),
            ("review", "another_record"): int(other.total_amount * 10_000),
        }
        say(pile, other)
        await confirmed(pile, serial, times=3)
        order = (await platform.call("GET", f"/orders/{serial}")).body
        assert len(order["records"]) == 2
        books = proved(database_url, platform.town.customer)
        assert (books.held_fen, books.available_fen) == (0, RECHARGED - fen_of(record))
        assert books.settlements_of(serial) == 1


async def test_wrong_sums_tiers_and_times_are_confirmed_and_paid_as_the_rules_say(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found(piles=3), one_price=True) as platform:
        sums, tiers, times = [await platform.pile(number, options=HELD_BACK, seed=3) for number in platform.town.piles]
        for pile in (sums, tiers, times):
            pile.troubles.record_late = True
        sums.troubles.record_sums = tiers.troubles.record_tiers = times.troubles.record_times = True
        serials = await asyncio.gather(*(begun(platform, pile) for pile in (sums, tiers, times)))
        for pile, serial in zip((sums, tiers, times), serials, strict=True):
            await in_state(platform, serial, OrderState.ENDED, OrderState.EXCEPTION)
            let_record_come(pile, serial)
        records = [await pile.sent(TransactionRecord, within_s=60) for pile in (sums, tiers, times)]
        for pile, serial in zip((sums, tiers, times), serials, strict=True):
            await confirmed(pile, serial)
        # What the platform saw of a charge reaches it on another topic than the record, in either order: a record that
        # only the marks explain is reckoned when they are in.
        by_sums, by_tiers, by_times = [await platform.order_until(serial, reckoned, 60) for serial in serials]

        # The bands and the total contradict each other: the lower figure is taken, the difference stays held.
        assert (by_sums["state"], by_sums["trouble"]) == ("review", "record_differs")
        assert by_sums["records"][0]["verdict"] == "review"
        assert 0 < by_sums["total_fen"] <= fen_of(records[0])
        assert by_sums["pile_total_fen"] == round(records[0].total_amount * 100)
        assert by_sums["hold"]["rest_fen"] > 0
        # Energy under bands that the charge never touched: nothing to bill by, nothing is taken before a person looked.
        assert (by_tiers["state"], by_tiers["total_fen"], by_tiers["bills"]) == ("review", 0, [])
        assert by_tiers["records"][0]["verdict_reason"] == "band_untouched"
        assert by_tiers["hold"]["rest_fen"] == by_tiers["hold_fen"]
        # Times that run backwards: our own clock knows them, and the metered total is sure.
        assert (by_times["state"], by_times["total_fen"]) == ("settled", fen_of(records[2]))
        assert [bill["route"] for bill in by_times["bills"]] == ["marks"]
        held = proved(database_url, platform.town.customer).held_fen
        assert held == by_sums["hold"]["rest_fen"] + by_tiers["hold"]["rest_fen"]

        # Nobody decided for a week: the lower figure stands, and everything else is given back.
        await advance_past_sign_in(platform, REVIEW_S + 60)
        closed = [await in_state(platform, serial, OrderState.SETTLED) for serial in serials]
        assert closed[0]["total_fen"] == by_sums["total_fen"]
        assert 0 < closed[1]["total_fen"] <= round(records[1].total_amount * 100)
        books = proved(database_url, platform.town.customer)
        paid = sum(order["total_fen"] for order in closed)
        assert (books.held_fen, books.available_fen) == (0, 3 * RECHARGED - paid)
        assert [books.settlements_of(serial) for serial in serials] == [1, 1, 1]
