"""What several scenarios do with a charge: begin it, look into the pile, let a record come, read what was audited."""

import asyncio
import time
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select

from bridge.protocols.ykc.messages import RecordConfirmation, TransactionRecord, YkcMessage
from bridge.protocols.ykc.protocol import Ykc
from bridge.simulator.link import SimulatedPile
from evcs.contracts import topics
from evcs.contracts.states import GunState, OrderState
from tests.flows.platform import LIVELY, Platform
from webapi.audit.models import AuditEntry
from webapi.database import open_database, sessions
from webapi.ledger.models import Transaction, TransactionKind

RECHARGED = 50_000
"""Fen on the wallet before each order of a scenario."""
FULL = {"kind": "full"}
HELD_BACK = replace(LIVELY, late_s=(1e7, 1e7 + 1))
"""With `Troubles.record_late`: a record comes when the test lets it."""


async def begun(
    platform: Platform, pile: SimulatedPile, goal: dict[str, Any] = FULL, *, gun: int = 1, need_kwh: float = 8
) -> str:
    """Recharge, plug in, order, and await that the gun charges; the order's serial."""
    await platform.recharge(RECHARGED)
    await platform.plugged(pile, gun, need_kwh=need_kwh)
    answer = await platform.order(pile.number, gun, goal)
    assert answer.status == 201, answer
    serial = str(answer.body["serial"])
    await charging(platform, serial)
    return serial


async def charging(platform: Platform, serial: str) -> None:
    """Await that a gun charges with this serial."""
    await platform.wait(
        topics.GUN_STATE, lambda level: level.serial == serial and level.state is GunState.CHARGING, within_s=60
    )


async def in_state(platform: Platform, serial: str, *states: OrderState, within_s: float = 60) -> dict[str, Any]:
    """The order as soon as it is in one of these states."""
    return await platform.order_until(serial, lambda order: order.get("state") in states, within_s)


async def ended_at_pile(pile: SimulatedPile, gun: int = 1, within_s: float = 60) -> None:
    """Await that the pile itself has ended its charge: with its link away it tells nobody."""
    deadline = time.monotonic() + within_s
    while pile.pile.guns[gun].session is not None:
        assert time.monotonic() < deadline, "it charges for ever"
        await asyncio.sleep(0.1)


async def confirmed(pile: SimulatedPile, serial: str, times: int = 1) -> None:
    """Await that a record was answered 0x40 with result 0 so often, and never with anything else."""

    def answers() -> list[int]:
        return [one.result for one in pile.all_of(RecordConfirmation) if one.trade_no == serial]

    await pile.until(lambda _: len(answers()) >= times)
    assert set(answers()) == {0}


def hear(pile: SimulatedPile, message: YkcMessage) -> None:
    """Have the pile hear a frame that no platform of ours sent."""
    pile.arrived(Ykc().encode(message, b"\x00\x00"))


def say(pile: SimulatedPile, message: YkcMessage) -> None:
    """Have the pile say a frame."""
    pile.send_raw(Ykc().encode(message, b"\x00\x00"))


def say_again(pile: SimulatedPile, record: TransactionRecord) -> None:
    """The same bytes once more."""
    pile.send_raw(pile.entry_of(record).raw)


def let_record_come(pile: SimulatedPile, serial: str) -> None:
    """A record that was held back comes with the next login, which is now."""
    pile.pile.records.let_go(serial, 0)
    pile.drop_link()


async def advance_past_sign_in(platform: Platform, seconds: float) -> None:
    """Move the clock so far that the operator's sign-in is over, which shows that it was moved; then sign in again."""
    platform.advance(seconds)
    deadline = time.monotonic() + 30
    while (await platform.call("GET", "/orphans")).status != 401:
        assert time.monotonic() < deadline, "the clock does not move"
    await platform.sign_in()


def corrections_of(database_url: str, serial: str) -> int:
    """How often an order's settlement was corrected in the ledger."""
    return _count(
        database_url,
        select(func.count()).where(Transaction.order_serial == serial, Transaction.kind == TransactionKind.CORRECTION),
    )


def audited(database_url: str, action: str, object_id: str) -> int:
    """How many entries of the audit say this of this object."""
    return _count(
        database_url, select(func.count()).where(AuditEntry.action == action, AuditEntry.object_id == object_id)
    )


def _count(database_url: str, query: Any) -> int:
    engine = open_database(database_url)
    try:
        with sessions(engine)() as session:
            return int(session.scalar(query) or 0)
    finally:
        engine.dispose()
