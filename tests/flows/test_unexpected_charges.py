"""Charges that nobody ordered: stopped and audited, adopted where an order explains them, orphans where none does."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from bridge.protocols.ykc.messages import RemoteStart, RemoteStop, TransactionRecord
from bridge.simulator.options import Card
from evcs.contracts import topics
from evcs.contracts.states import OrderState
from evcs.contracts.waits import START_DEADLINE_S, STOP_DEADLINE_S
from tests.flows.books import proved
from tests.flows.charges import (
    FULL,
    RECHARGED,
    audited,
    charging,
    confirmed,
    ended_at_pile,
    hear,
    in_state,
)
from tests.flows.platform import running
from tests.flows.sums import fen_of
from tests.flows.town import Town
from tests.servers import Broker

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]

UID, PRINTED = "00000000D14B0A54", "8800000000000042"

Found = Callable[..., Town]


async def test_a_charge_of_which_nobody_knows_is_stopped_and_its_record_adopted_by_hand(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        await platform.recharge(RECHARGED)
        pile = await platform.pile(platform.town.piles[0])
        await platform.plugged(pile, 1, need_kwh=60)
        serial = f"{pile.number}012611241200009999"
        hear(
            pile,
            RemoteStart(
                trade_no=serial,
                pile_no=pile.number,
                gun_no="01",
                logical_card="0" * 16,
                physical_card="0" * 16,
                balance=Decimal(200),
            ),
        )
        await charging(platform, serial)
        await pile.received(RemoteStop)
        record = await pile.sent(TransactionRecord)
        assert (record.trade_no, record.stop_reason) == (serial, 0x40)
        await confirmed(pile, serial)
        assert audited(database_url, "stop_unexpected_charge", serial) == 1
        (orphan,) = (await platform.call("GET", "/orphans")).body["items"]
        assert (orphan["serial"], orphan["reason"]) == (serial, "unknown_serial")
        assert orphan["energy_kwh"] == float(record.total_kwh)
        assert audited(database_url, "record_orphaned", str(orphan["id"])) == 1
        assert (await platform.call("GET", f"/orders/{serial}")).status == 404
        assert proved(database_url, platform.town.customer).available_fen == RECHARGED

        body = {"customer_id": platform.town.customer, "reason": "车主来电确认"}
        adopted = await platform.call("POST", f"/orphans/{orphan['id']}/adopt", body)
        assert (adopted.status, adopted.body["state"]) == (201, "settled"), adopted
        assert adopted.body["total_fen"] == fen_of(record)
        assert (await platform.call("GET", "/orphans")).body["items"] == []
        books = proved(database_url, platform.town.customer)
        assert (books.available_fen, books.settlements_of(serial)) == (RECHARGED - fen_of(record), 1)


@pytest.mark.parametrize("closed", [OrderState.START_FAILED, OrderState.CANCELLED])
async def test_a_closed_order_that_charges_after_all_is_stopped_adopted_and_settled(
    closed: OrderState, broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        await platform.recharge(RECHARGED)
        pile = await platform.pile(platform.town.piles[0])
        await platform.plugged(pile, 1, need_kwh=60)
        pile.troubles.silent_starts = True
        serial = str((await platform.order(pile.number, 1, FULL)).body["serial"])
        start = await pile.received(RemoteStart)
        await in_state(platform, serial, OrderState.STARTING)
        if closed is OrderState.CANCELLED:
            assert (await platform.call("POST", f"/orders/{serial}/stop")).status == 200
            await in_state(platform, serial, OrderState.STOPPING)
            platform.advance(STOP_DEADLINE_S + 1)
        else:
            platform.advance(START_DEADLINE_S + 1)
        await in_state(platform, serial, closed)
        assert proved(database_url, platform.town.customer).held_fen == 0

        pile.troubles.silent_starts = False
        hear(pile, start)
        await charging(platform, serial)
        stopping = await in_state(platform, serial, OrderState.STOPPING, OrderState.ENDED, OrderState.SETTLED)
        assert stopping["stop_reason"] == "unexpected_charge"
        record = await pile.sent(TransactionRecord)
        order = await in_state(platform, serial, OrderState.SETTLED)
        await confirmed(pile, serial)
        assert order["total_fen"] == fen_of(record)
        assert ("order_adopt", closed.value) in [(one["action"], one["outcome"]) for one in order["audit"]]
        books = proved(database_url, platform.town.customer)
        assert (books.held_fen, books.available_fen) == (0, RECHARGED - fen_of(record))
        assert books.settlements_of(serial) == 1


async def test_an_offline_charge_of_a_card_that_nobody_knows_is_an_orphan(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        pile = await platform.pile(platform.town.piles[0])
        await platform.plugged(pile, 1, need_kwh=4)
        # Left here by whoever ran the pile before.
        pile.pile.core.cards.restore({UID.lower(): PRINTED})
        pile.drop_link(hold=True)
        await platform.wait(topics.PILE_STATUS, lambda one: not one.online)
        pile.swipe(Card(UID))
        assert pile.pile.guns[1].session is not None
        await ended_at_pile(pile)
        pile.restore_link()
        record = await pile.sent(TransactionRecord, within_s=60)
        await confirmed(pile, record.trade_no)
        (orphan,) = (await platform.call("GET", "/orphans")).body["items"]
        assert (orphan["reason"], orphan["source"]) == ("card_unknown", "offline_card")
        assert (orphan["card"], orphan["energy_kwh"]) == (UID, float(record.total_kwh))
        assert (await platform.call("GET", f"/orders/{record.trade_no}")).status == 404
        books = proved(database_url, platform.town.customer)
        assert (books.held_fen, books.available_fen, books.settlements) == (0, 0, {})
