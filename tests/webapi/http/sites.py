"""What tests of lockouts, station stops and limits by hand look at: charges, messages that go out, configuration."""

import json
from typing import Any

from sqlalchemy import select

from evcs.contracts import topics
from evcs.contracts.gun import Stop
from evcs.contracts.states import GunState, OrderState
from evcs.contracts.times import to_ms
from tests.webapi.http.world import NOW, World
from webapi.audit.models import AuditEntry
from webapi.database import sessions
from webapi.guns.models import GunLive
from webapi.orders.models import Order
from webapi.piles.models import PileLive
from webapi.worker.configuration import levels
from webapi.worker.models import OutboxRow
from webapi.worker.shards import Shards

FOREIGN = "9" * 32


def charge(world: World, gun: int = 1) -> str:
    """An order of ours that charges at a gun of our first pile; its serial."""
    world.recharge(world.ours.customer)
    serial = world.order(world.ours, gun)
    with sessions(world.engine).begin() as session:
        order = session.get_one(Order, serial)
        order.state = OrderState.CHARGING
        order.started_at = NOW
        order.running_login_ms, order.running_version = to_ms(NOW), 1
    world.level(world.ours.pile, gun, GunState.CHARGING, serial)
    return serial


def say(world: World, pile: str, gun: int, state: GunState, serial: str | None = None) -> None:
    """A pile that is there says something new of a gun, now."""
    world.level(pile, gun, state, serial)
    with sessions(world.engine).begin() as session:
        session.get_one(GunLive, (pile, gun)).since = world.clock.now()


def end(world: World, serial: str, pile: str, gun: int = 1) -> None:
    """The pile says that an order's charge is over."""
    say(world, pile, gun, GunState.FINISHED)
    with sessions(world.engine).begin() as session:
        order = session.get_one(Order, serial)
        order.state, order.end_observed_at = OrderState.ENDED, world.clock.now()


def drop_link(world: World, pile: str) -> None:
    """The pile's connection is gone."""
    with sessions(world.engine).begin() as session:
        session.get_one(PileLive, pile).online = False


def stops(world: World) -> list[tuple[str, Stop]]:
    """(topic, stop) of every stop that went out, oldest first."""
    with sessions(world.engine)() as session:
        rows = session.scalars(select(OutboxRow).order_by(OutboxRow.id))
        return [(row.topic, topics.STOP.decode(row.payload)) for row in rows if topics.STOP.parse(row.topic)]


def audits(world: World, action: str) -> list[AuditEntry]:
    with sessions(world.engine)() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)))


def told(world: World, leaf: str) -> Any:
    """A level of the configuration as it goes out: `station/s-a1`, `pile/55031412000001`."""
    with sessions(world.engine)() as session:
        for level in levels(session, Shards(1, 1)):
            if level.topic.endswith(f"/config/{leaf}"):
                return json.loads(level.payload)
    raise AssertionError(f"{leaf} is not configured")
