"""MQTT and the piles' port: commands to the fleet, what links emit to topics, levels again after each reconnect.

Reads config/pile, config/tariff, B/status, P/status, G/session, service levels, G/start, G/stop, G/confirm, P/power,
P/command; writes B/status, B/unknown_pile, P/status, P/event, P/reply, P/frame and everything of G that comes from
a pile.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from bridge import meters
from bridge.dialect import Dialect
from bridge.fleet import Fleet
from bridge.outlet import MqttOutlet
from bridge.protocols.ykc.translate import YkcDialect
from bridge.server import Limits, Listener
from bridge.settings import Settings
from bridge.sweep import Sweeper
from bridge.tally import Tally
from bridge.voice import BridgeRun
from evcs.contracts.bridge import BridgeStatus, ServiceStatus
from evcs.contracts.config import PileConfig, TariffTable
from evcs.contracts.envelope import ContractError
from evcs.contracts.gun import RecordConfirm, Start, Stop
from evcs.contracts.pile import PileCommand, PileStatus, PowerAllowance
from evcs.contracts.session import SessionLevel
from evcs.contracts.topics import (
    BRIDGE_STATUS,
    CONFIG_PILE,
    CONFIG_TARIFF,
    CONFIRM,
    PILE_COMMAND,
    PILE_POWER,
    PILE_STATUS,
    SERVICE,
    SESSION,
    START,
    STOP,
    Address,
    Topic,
)
from evcs.runtime.clock import Clock
from evcs.runtime.health import Health, degraded, down, worst
from evcs.runtime.log import get_logger
from evcs.runtime.mqtt import AsyncSession, Delivery, Versions, Will, view_session
from evcs.runtime.presence import Attendance
from evcs.runtime.run import spawn

log = get_logger()

NEEDED = ("ingest", "rules", "worker")
CARRY_S = 1.0
WILL_ABOVE = 1000
"""A connection's will lies above the level that it ends; room for that level's own changes."""
LEAVE_WITHIN_S = 5.0

Handle = Callable[[Address, Any], None]


class Worker:
    """The bridge as a service."""

    def __init__(self, settings: Settings, clock: Clock, dialect: Dialect | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._started_ms = clock.now_ms()
        self._since = clock.now()
        self._topic = BRIDGE_STATUS.at(bridge=settings.bridge_id)
        self._versions = Versions(clock)
        self._version = 0
        self._attendance = Attendance(NEEDED)
        self._before: dict[str, PileStatus] = {}
        """What earlier runs of this bridge left standing."""
        self._is_open = False
        self._carrying: asyncio.Task[None] | None = None
        tally = Tally()
        self._carrier = meters.Carrier(tally)
        self.session = AsyncSession(
            settings,
            clock,
            client_id=f"bridge-{settings.bridge_id}",
            clean=True,
            will=self._will,
            window=settings.bridge_window,
            bound=settings.bridge_held_telemetry,
            gate=self._gate,
        )
        # It reads nothing: a broker that restarts closes both, a second bridge of this name only the first.
        self._witness = view_session(settings, clock, client_id=f"bridge-{settings.bridge_id}")
        self.outlet = MqttOutlet(
            self.session, settings.bridge_held_messages, lambda: self.listener.hold(), lambda: self.listener.release()
        )
        speaks = dialect or YkcDialect()
        run = BridgeRun(settings.bridge_id, self._started_ms)
        self.fleet = Fleet(run, {speaks.name: speaks}, self.outlet, tally)
        limits = Limits(settings.bridge_connections, settings.bridge_unlogged_per_address)
        self.listener = Listener(self.fleet, self.outlet, speaks, clock, limits)
        self._sweeper = Sweeper(
            settings,
            clock,
            self.fleet,
            self.session,
            self.outlet.clear,
            lambda: not self._attendance.missing(),
            self.listener.now,
        )
        self._sweeping: asyncio.Task[None] | None = None
        self._subscribe()

    def _subscribe(self) -> None:
        self._on_level(CONFIG_PILE, self._config_pile, qos=1)
        self._on_level(CONFIG_TARIFF, self._config_tariff, qos=1)
        self._on_level(SESSION, self._session_level)
        self._on_level(SERVICE, self._service)
        self.session.subscribe(PILE_STATUS.everywhere, 0, self._pile_status)
        self.session.subscribe(BRIDGE_STATUS.everywhere, 0, self._bridge_status)
        self._on_command(START, self._start)
        self._on_command(STOP, self._stop)
        self._on_command(CONFIRM, self._confirm)
        self._on_command(PILE_POWER, self._power)
        self._on_command(PILE_COMMAND, self._command)
        self.session.on_connected(self._connected)
        self.session.on_disconnected(self._attendance.begin)

    # --- life

    async def start(self) -> None:
        """Know the configuration and what stands retained, wait for the readers, then take piles."""
        await self.session.start()
        await self._witness.start()
        await self.session.picture()
        said = self.fleet.offline_after_restart(self._before.values(), self.listener.now())
        self._before.clear()
        self._is_open = True
        log.info("configuration_known", piles=len(self.fleet.piles), said_offline=said)
        await self._attendance.complete(self._settings.bridge_services_wait_s)
        await self.listener.open(self._settings.bridge_host, self._settings.bridge_port)
        self._publish_status()
        self._carrying = spawn(self._carry(), "metrics")
        self._sweeping = spawn(self._sweeper.run(), "sweep")

    async def stop(self) -> None:
        """Take nothing new, say every pile offline, let the window drain, leave."""
        self.session.hold()
        self.listener.close()
        for task in (self._carrying, self._sweeping):
            if task is not None:
                task.cancel()
        await self.session.stop(LEAVE_WITHIN_S)
        await self._witness.stop(0)

    def health(self) -> Health:
        found = [self.session.health()]
        if not self._is_open:
            found.append(down("the retained configuration is not complete yet"))
        elif missing := self._attendance.missing():
            found.append(degraded(f"not ready: {', '.join(missing)}"))
        if self.listener.is_held:
            found.append(degraded(f"piles are not read from: {self.outlet.unsent} messages wait for the broker"))
        return worst(*found)

    async def _gate(self) -> None:
        """A broker that lost its store has no session yet of those who are to read: records wait for them."""
        await self._attendance.gate(self.session, self._settings.bridge_services_wait_s)()

    async def _carry(self) -> None:
        while True:
            await asyncio.sleep(CARRY_S)
            self._carrier.carry()
            meters.CONNECTIONS.set(len(self.listener))
            meters.LINKS.set(len(self.fleet.holders))
            meters.TELEMETRY_DROPPED.set(self.session.outgoing.dropped)
            meters.UNSENT.set(len(self.session.outgoing))
            meters.READING_HELD.set(self.listener.is_held)

    # --- our own levels

    def _will(self) -> Will:
        self._version = self._versions.next(self._topic)
        above = self._version + WILL_ABOVE
        self._versions.seen(self._topic, above)
        return Will(self._topic, self._status(above, online=False))

    def _connected(self) -> None:
        self._publish_status()
        self.outlet.publish_levels()
        self._sweeper.connected()

    def _publish_status(self) -> None:
        self._version += 1
        self.session.publish(self._topic, self._status(self._version, online=True), retain=True)

    def _status(self, version: int, *, online: bool) -> bytes:
        return BRIDGE_STATUS.encode(
            BridgeStatus(
                version=version,
                bridge=self._settings.bridge_id,
                online=online,
                started_ms=self._started_ms,
                since=self._since,
                address=f"{self._settings.bridge_host}:{self._settings.bridge_port}",
            )
        )

    def _bridge_status(self, delivery: Delivery) -> None:
        status: BridgeStatus | None = self._decode(BRIDGE_STATUS, delivery) if delivery.payload else None
        if status is None:
            return
        if delivery.topic == self._topic:
            self._own_status(status)
        else:
            self.fleet.foreign_bridge(status)

    def _own_status(self, status: BridgeStatus) -> None:
        """An earlier run's word that stands above ours is outbid, a late will of an earlier connection put right."""
        if status.started_ms == self._started_ms and status.online:
            return
        if status.version > self._version:
            self._versions.seen(self._topic, status.version)
            spawn(self.session.leave(0.0), "outbids its former level")  # only a new connection has a will above it
        elif self.session.connected:
            self._publish_status()

    # --- what comes

    def _on_level(self, topic: Topic[Any], handle: Handle, qos: int = 0) -> None:
        def take(delivery: Delivery) -> None:
            delivery.ack()  # a level stands retained: nothing is owed for it
            address = topic.parse(delivery.topic)
            if address is None:
                return
            payload = self._decode(topic, delivery) if delivery.payload else None
            if payload is not None or not delivery.payload:
                handle(address, payload)

        self.session.subscribe(topic.everywhere, qos, take)

    def _on_command(self, topic: Topic[Any], handle: Handle) -> None:
        def take(delivery: Delivery) -> None:
            delivery.ack()  # the session is clean: a command that is not answered is repeated by its sender
            if delivery.retained:
                log.warning("command_retained", topic=delivery.topic)
                return
            address = topic.parse(delivery.topic)
            payload = self._decode(topic, delivery)
            if address is not None and payload is not None:
                handle(address, payload)

        self.session.subscribe(topic.everywhere, 1, take)

    def _decode(self, topic: Topic[Any], delivery: Delivery) -> Any:
        try:
            return topic.decode(delivery.payload)
        except ContractError as error:
            meters.NOT_UNDERSTOOD.inc()
            log.warning("message_not_understood", topic=delivery.topic, reason=str(error))
            return None

    def _config_pile(self, address: Address, config: PileConfig | None) -> None:
        if config is None:
            self.fleet.unconfigured(address.pile, self.listener.now())
        else:
            self.fleet.configured(config, self.listener.now())

    def _config_tariff(self, address: Address, table: TariffTable | None) -> None:
        if table is not None:
            self.fleet.tariff(table, self.listener.now())

    def _session_level(self, address: Address, level: SessionLevel | None) -> None:
        if level is not None:
            self.fleet.session(level)

    def _service(self, address: Address, status: ServiceStatus | None) -> None:
        if status is not None:
            self._attendance.take(status)

    def _pile_status(self, delivery: Delivery) -> None:
        if not delivery.payload:
            self.outlet.seen(delivery.topic, 0)
            return
        status: PileStatus | None = self._decode(PILE_STATUS, delivery)
        if status is None:
            return
        is_ours = status.bridge == self._settings.bridge_id
        if is_ours and status.bridge_started_ms == self._started_ms:
            self.outlet.seen(delivery.topic, status.version)
        elif not self._is_open and is_ours:
            self._before[status.pile] = status
        elif is_ours:
            if not self.outlet.seen(delivery.topic, status.version):
                self.fleet.offline_after_restart((status,), self.listener.now())
        else:
            self.fleet.foreign_status(status, self.listener.now())

    def _start(self, address: Address, command: Start) -> None:
        self.fleet.start(address.pile, address.gun, command, self.listener.now())

    def _stop(self, address: Address, command: Stop) -> None:
        self.fleet.stop(address.pile, address.gun, command, self.listener.now())

    def _power(self, address: Address, command: PowerAllowance) -> None:
        self.fleet.power(address.pile, command, self.listener.now())

    def _command(self, address: Address, command: PileCommand) -> None:
        self.fleet.command(address.pile, command, self.listener.now())

    def _confirm(self, address: Address, confirm: RecordConfirm) -> None:
        self.fleet.confirm(address.pile, address.gun, confirm, self.listener.now())
