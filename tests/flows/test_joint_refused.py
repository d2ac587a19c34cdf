"""Two guns on one car of which one may not start: neither does, and both holds are given back."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.protocols.ykc.codes import StartFailure
from bridge.protocols.ykc.messages import RemoteParallelStart, RemoteParallelStartAnswer
from bridge.simulator.link import SimulatedPile
from evcs.contracts.states import OrderState
from tests.flows.books import proved
from tests.flows.charges import FULL, RECHARGED, in_state
from tests.flows.platform import LIVELY, Platform, running
from tests.flows.town import Town
from tests.servers import Broker

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]

QUIET = replace(LIVELY, idle_report_s=3000, joint_wait_s=2.0)
OVER = (OrderState.REFUSED, OrderState.START_FAILED, OrderState.CANCELLED)

Found = Callable[..., Town]


async def ordered_for_both(platform: Platform, pile: SimulatedPile) -> tuple[str, str]:
    """Serials of main and auxiliary gun."""
    body = {"customer_id": platform.town.customer, "pile": pile.number, "gun": 1, "joint_gun": 2, "goal": FULL}
    placed = await platform.call("POST", "/orders", body)
    assert placed.status == 201, placed
    return str(placed.body["serial"]), str(placed.body["joint"]["serial"])


async def nothing_is_left(platform: Platform, pile: SimulatedPile) -> None:
    """All money is back, neither gun charges, and both may be ordered again."""
    books = proved(platform.database_url, platform.town.customer)
    assert (books.held_fen, books.available_fen, books.settlements) == (0, RECHARGED, {})
    assert [gun.session for gun in pile.pile.guns.values()] == [None, None]


async def test_the_pile_refuses_the_second_gun(broker: Broker, database_url: str, found: Found, tmp_path: Path) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        await platform.recharge(RECHARGED)
        pile = await platform.pile(platform.town.piles[0], options=QUIET)
        for gun in (1, 2):
            await platform.plugged(pile, gun)
        # Its fault is not yet reported when the order comes.
        pile.troubles.mute = True
        pile.fail(2)
        pile.troubles.mute = False
        serials = await ordered_for_both(platform, pile)
        await pile.until(lambda it: len(it.all_of(RemoteParallelStartAnswer)) == 2)
        answers = pile.all_of(RemoteParallelStartAnswer)
        assert {(one.trade_no, one.result, one.fail_reason) for one in answers} == {
            (serial, 0, StartFailure.DEVICE_FAULT) for serial in serials
        }
        orders = [await in_state(platform, serial, *OVER) for serial in serials]
        assert {order["hold"]["state"] for order in orders} == {"released"}
        await nothing_is_left(platform, pile)


async def test_the_gate_has_room_for_one_gun_only(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found(base_load_kw=410)) as platform:
        await platform.recharge(RECHARGED)
        pile = await platform.pile(platform.town.piles[0], options=QUIET)
        for gun in (1, 2):
            await platform.plugged(pile, gun)
        first, second = await ordered_for_both(platform, pile)
        refused = await in_state(platform, second, OrderState.REFUSED)
        assert refused["refusal"]["code"] == "no_headroom"
        other = await in_state(platform, first, *OVER)
        assert other["stop_reason"] == "joint_cancelled"
        # At most one of the pair was written, and a pile does nothing with half of one.
        assert len(pile.all_of(RemoteParallelStart)) <= 1
        await nothing_is_left(platform, pile)
