"""Every kind of command over real sockets: a real broker on one side, a simulated pile on the other."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bridge.protocols.ykc import messages as ykc
from evcs.contracts.gun import GroundLock, GunEventKind
from evcs.contracts.pile import (
    FirmwareUpdate,
    LockAction,
    OfflineCard,
    Outcome,
    PileCommand,
    PileCommandKind,
    PileReply,
    PileStatus,
    QrPrefix,
    RunWhen,
)
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GunState
from evcs.contracts.topics import (
    CONFIG_PILE,
    CONFIG_TARIFF,
    GUN_EVENT,
    GUN_STATE,
    PILE_COMMAND,
    PILE_REPLY,
    PILE_STATUS,
)
from tests.bridge.kit import PILE, SERIAL, STATION, V1, V2, pile_config, table
from tests.bridge.office import QUICK, Office, bridge_at, office_at, pile_at
from tests.servers import Broker

pytestmark = pytest.mark.flow

Kind = PileCommandKind
CARDS = tuple(OfflineCard(uid=f"{number:016X}", printed_no=f"{number:08d}") for number in range(1, 31))


async def ask(office: Office, status: PileStatus, kind: Kind, command_id: str, **fields: Any) -> PileReply:
    """Give a command and wait for its one reply."""
    command = PileCommand(
        id=command_id,
        bridge=status.bridge,
        link=status.link,
        kind=kind,
        expires_at=office.clock.now() + timedelta(seconds=20),
        **fields,
    )
    await office.say(PILE_COMMAND, command, station=STATION, pile=PILE)
    return await office.wait(PILE_REPLY, lambda reply: reply.id == command_id)


def is_lowered(lock: GroundLock | None) -> bool:
    return lock is not None and lock.state == "lowered"


async def test_each_command_reaches_the_pile_and_comes_back_with_one_reply(broker: Broker) -> None:
    async with (
        office_at(broker.port, pile_config(), tables=(table(),)) as office,
        bridge_at(broker.port) as bridge,
        pile_at(bridge, PILE, nature=replace(QUICK, has_ground_locks=True)) as pile,
    ):
        await pile.online()
        status = await office.online(PILE)
        pile.plug(1)
        await office.wait(GUN_STATE, lambda level: level.state is GunState.PLUGGED)

        kinds: list[tuple[Kind, dict[str, Any]]] = [
            (Kind.POLL, {"gun": 1}),
            (Kind.CLOCK, {}),
            (Kind.QR_PREFIX, {"qr": QrPrefix(prefix="https://c.example/")}),
            (Kind.GROUND_LOCK, {"gun": 2, "lock": LockAction.LOWER}),
            (Kind.CARDS_STORE, {"cards": CARDS[:25]}),
            (Kind.CARDS_QUERY, {"cards": CARDS}),
            (Kind.CARDS_CLEAR, {"cards": CARDS[:20]}),
        ]
        replies = [await ask(office, status, kind, f"c-{kind}", **fields) for kind, fields in kinds]
        assert [reply.outcome for reply in replies] == [Outcome.ACCEPTED] * len(kinds)
        assert [card.ok for card in replies[5].cards] == [True] * 25 + [False] * 5
        moved = await office.wait(GUN_EVENT, lambda event: is_lowered(event.ground_lock))
        assert moved.kind is GunEventKind.GROUND_LOCK
        assert [frame.count for frame in pile.all_of(ykc.OfflineCardSync)] == [11, 11, 3]

        # While a car charges: more money for it, and no other tariff.
        await office.start(status, SERIAL)
        await office.wait(GUN_STATE, lambda level: level.state is GunState.CHARGING)
        money = await ask(office, status, Kind.BALANCE, "b-1", gun=1, serial=SERIAL, balance_fen=90_000)
        assert money.outcome is Outcome.ACCEPTED
        await office.say(CONFIG_TARIFF, table(V2), version=V2.version)
        await office.say(CONFIG_PILE, pile_config(version=2, wanted=V2, confirmed=V1), pile=PILE)
        busy = await ask(office, status, Kind.TARIFF_PUSH, "p-1", tariff_version=V2.version)
        assert (busy.outcome, busy.reason) == (Outcome.REFUSED, Reason.PILE_BUSY)
        await office.stop(status, SERIAL)
        await office.wait(GUN_STATE, lambda level: level.state is GunState.FINISHED)
        taken = await ask(office, status, Kind.TARIFF_PUSH, "p-2", tariff_version=V2.version)
        assert (taken.outcome, taken.tariff_version) == (Outcome.ACCEPTED, V2.version)
        await office.wait(PILE_STATUS, lambda one: one.tariff_version == V2.version)


@pytest.mark.parametrize("kind", [Kind.RESTART, Kind.UPDATE])
async def test_a_pile_that_starts_anew_answers_and_comes_back(broker: Broker, kind: Kind) -> None:
    update = FirmwareUpdate(server="10.0.0.9", user="ftp", password="geheim", path="/fw.bin", timeout_min=1)
    async with (
        office_at(broker.port, pile_config(), tables=(table(),)) as office,
        bridge_at(broker.port) as bridge,
        pile_at(bridge, PILE) as pile,
    ):
        await pile.online()
        status = await office.online(PILE)
        fields: dict[str, Any] = {"when": RunWhen.AT_ONCE, "update": update if kind is Kind.UPDATE else None}
        reply = await ask(office, status, kind, "c-1", **fields)
        assert reply.outcome is Outcome.ACCEPTED
        await office.wait(PILE_STATUS, lambda one: one.online and one.link != status.link, within_s=40)
        assert all(b"geheim" not in delivery.payload for delivery in office.seen if "command" not in delivery.topic)
