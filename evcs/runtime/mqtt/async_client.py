"""One connection to the broker, over gmqtt: the only place that touches it.

gmqtt opens the socket, sends CONNECT and SUBSCRIBE and reads their answers. Everything it does across connections (its
own reconnect, its store of unacknowledged messages, its keep-alive) is switched off, since it loses messages and mixes
up acknowledgements there: each connection is a new gmqtt client that is thrown away with it. PUBLISH and PUBACK are
written and read here. Read against gmqtt 0.8.0; the private names used are checked by a test.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

import gmqtt
from gmqtt.mqtt.constants import MQTTv311
from gmqtt.mqtt.package import Package

from evcs.runtime.log import get_logger
from evcs.runtime.mqtt import packets
from evcs.runtime.mqtt.messages import ConnectionRefused, Delivery, Will
from evcs.runtime.mqtt.outgoing import LAST_PACKET_ID
from evcs.runtime.settings import MqttSettings

log = get_logger()

CONNECT_WITHIN_S = 10.0
CLOSE_WITHIN_S = 2.0
CLOSED = "closed by the broker"
LEFT = "left"

# gmqtt tells every packet at debug and every loss with a traceback; the session reports what matters.
_silent = logging.getLogger("evcs.gmqtt")
_silent.disabled = True


class Unanswered(ConnectionResetError):
    """The broker closed a new connection without a CONNACK (NATS does, while two clients evict one another)."""


class _Client(gmqtt.Client):  # type: ignore[misc]  # untyped library
    """A gmqtt client for one connection."""

    async def reconnect(self, delay: bool = False) -> None:
        """Never by itself: the session opens a new Link."""


class Link:
    """One connection, from CONNACK to its loss. Belongs to one event loop."""

    def __init__(
        self,
        number: int,
        keepalive_s: int,
        on_delivery: Callable[[Delivery], None],
        on_puback: Callable[[int], None],
    ) -> None:
        self.number = number
        self.session_present = False
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Ends with why the connection is gone."""
        self.retained_seen = 0
        self._keepalive_s = keepalive_s
        self._on_delivery = on_delivery
        self._on_puback = on_puback
        self._reader = packets.Reader(self._published, self._acknowledged, self._other)
        self._open: dict[int, Delivery] = {}
        self._out = bytearray()
        self._flush_due = False
        self._client: Any = None
        self._connection: Any = None
        self._pings: list[asyncio.Future[None]] = []
        self._granted: asyncio.Future[list[int]] | None = None
        self._last_in = monotonic()
        self._next_look: asyncio.TimerHandle | None = None
        self._flows = asyncio.Event()
        self._flows.set()
        self._read_socket: Any = None
        self._is_leaving = False

    @property
    def is_up(self) -> bool:
        return not self.lost.done()

    async def open(self, settings: MqttSettings, client_id: str, clean: bool, will: Will | None) -> None:
        """Connect. Raises OSError (TimeoutError, Unanswered) or ConnectionRefused."""
        message = will and gmqtt.Message(will.topic, will.payload, qos=1, retain=will.retain)
        client = _Client(client_id, clean_session=clean, will_message=message, logger=_silent)
        self._client = client
        if settings.mqtt_username is not None:
            client.set_auth_credentials(settings.mqtt_username, settings.mqtt_password)
        client.on_connect = self._connected
        client.on_disconnect = lambda _client, _packet, exc=None: self._lose(CLOSED)
        client.on_subscribe = lambda _client, _mid, codes, _properties: self._subscribed(codes)
        # §2.3.1: SUBSCRIBE and PUBLISH share the packet ids; the outgoing window has those below.
        client._package_handler.id_generator._last_used_id = LAST_PACKET_ID
        connecting = asyncio.ensure_future(
            client.connect(settings.mqtt_host, settings.mqtt_port, keepalive=self._keepalive_s, version=MQTTv311)
        )
        try:
            # A broker that closes without a CONNACK would keep gmqtt's connect() waiting for ever.
            await asyncio.wait({connecting, self.lost}, timeout=CONNECT_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
            if connecting.done():
                connecting.result()
            elif self.lost.done():
                raise Unanswered(f"{self.lost.result()} before it answered CONNECT")
            else:
                raise TimeoutError(f"no answer to CONNECT within {CONNECT_WITHIN_S:.0f} s")
        except gmqtt.MQTTConnectError as error:
            self._abort("refused")
            raise ConnectionRefused(error._code, error.message) from error
        except BaseException:
            connecting.cancel()
            self._abort("not connected")
            raise
        self._adopt()

    def _connected(self, _client: Any, session_present: int, _code: int, _properties: object) -> None:
        self.session_present = bool(session_present)
        # Now, not after connect() has returned: a persistent session's first messages may stand in the same
        # segment as the CONNACK.
        self._adopt()

    def _adopt(self) -> None:
        """Take reading, keep-alive and writing into our own hands."""
        if self._connection is not None:
            return
        connection = self._client._connection
        if connection is None:
            # The CONNACK was read before gmqtt had stored its connection; its handler knows it already.
            connection = self._client._package_handler.current_connection
        self._connection = connection
        connection._protocol._read_packet = self._read
        self._read_socket = connection._protocol.read
        connection._protocol.read = self._gated
        # Packets behind the CONNACK in its own buffer still come through gmqtt's dispatch.
        cache = self._client._package_handler._handler_cache
        cache[packets.PUBLISH] = self._via_gmqtt
        cache[packets.PUBACK] = self._via_gmqtt
        cache[packets.PINGRESP] = self._via_gmqtt
        connection.keepalive = 0  # its own would wait for a full socket to drain before it calls a dead link dead
        self._last_in = monotonic()
        self._look_later()

    def _via_gmqtt(self, head: int, body: bytes) -> None:
        self._reader.one(head, body)

    # --- out

    def send(self, packet: bytes) -> None:
        """Write a packet; those of one turn of the loop go out in one write."""
        self._out += packet
        if not self._flush_due:
            self._flush_due = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_due = False
        if self._out:
            data, self._out = bytes(self._out), bytearray()
            if self.is_up:
                self._connection.send_package(data)

    async def subscribe(self, filters: Sequence[tuple[str, int]]) -> list[int]:
        """Subscribe to (filter, QoS) in one packet; returns the codes of its SUBACK (0x80 = refused), in order."""
        self._granted = asyncio.get_running_loop().create_future()
        self._flush()
        self._client.subscribe([gmqtt.Subscription(topic, qos=qos) for topic, qos in filters])
        codes: list[int] = await self._or_lost(self._granted)
        return codes

    async def ping(self) -> None:
        """Return once the broker has answered: whatever it had to say to what we sent before has then arrived."""
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ping(answer)
        await self._or_lost(answer)

    def _ping(self, answer: asyncio.Future[None]) -> None:
        self._pings.append(answer)
        self.send(b"\xc0\x00")

    async def _or_lost(self, answer: "asyncio.Future[Any]") -> Any:
        await asyncio.wait({answer, self.lost}, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        raise ConnectionResetError(self.lost.result())

    # --- in

    def pause(self) -> None:
        """Read nothing more for now, so that the broker has to wait with what it sends."""
        self._flows.clear()

    def resume(self) -> None:
        if not self._flows.is_set():
            self._last_in = monotonic()
            self._flows.set()

    async def _gated(self, size: int) -> bytes:
        """gmqtt's read, held back while paused. (Pausing the transport would not do: its StreamReader resumes it.)"""
        await self._flows.wait()
        data: bytes = await self._read_socket(size)
        return data

    def _read(self, data: bytes) -> int:
        used = self._reader.read(data)
        if used < 0:
            self._abort("sent what is no MQTT")
        return used

    def _published(self, topic: bytes, payload: bytes, qos: int, retained: bool, packet_id: int, again: bool) -> None:
        self._last_in = monotonic()
        if retained:
            self.retained_seen += 1
        try:
            name = topic.decode()
        except UnicodeDecodeError:
            log.warning("topic_not_utf8", topic=topic.hex())
            return
        if qos == 0:
            self._on_delivery(Delivery(name, payload, 0, retained, self.number))
            return
        held = self._open.get(packet_id)
        if held is not None:
            if again and held.topic == name and held.payload == payload:
                # A broker that repeats on the same connection (NATS, after ack_wait). Its acknowledgement is on the
                # way already: a second one could hit whatever bears that id next.
                return
            held.ack_is_void()
        delivery = Delivery(name, payload, qos, retained, self.number, self._ack, packet_id)
        self._open[packet_id] = delivery
        self._on_delivery(delivery)

    def _ack(self, delivery: Delivery) -> None:
        packet_id = delivery.packet_id
        if self._open.get(packet_id) is delivery:
            del self._open[packet_id]
            if not self.lost.done():
                self.send(packets.puback(packet_id))

    def _acknowledged(self, packet_id: int) -> None:
        self._last_in = monotonic()
        self._on_puback(packet_id)

    def _other(self, head: int, body: bytes) -> None:
        self._last_in = monotonic()
        if head & 0xF0 == packets.PINGRESP:
            if self._pings:
                answer = self._pings.pop(0)
                if not answer.done():
                    answer.set_result(None)
            return
        self._connection.put_package(Package(head, body))

    def _subscribed(self, codes: Sequence[int]) -> None:
        if self._granted is not None and not self._granted.done():
            self._granted.set_result(list(codes))

    # --- end

    def _look_later(self) -> None:
        every_s = self._keepalive_s / 2
        due = monotonic() + every_s
        self._next_look = asyncio.get_running_loop().call_later(every_s, self._look, due)

    def _look(self, due: float) -> None:
        """Ask for a sign of life every half keep-alive; a link silent for two whole ones is dead.

        A look that comes late says that this process stood still, not that the broker did: what the broker sent
        meanwhile may still be unread.
        """
        if not self.is_up:
            return
        now = monotonic()
        is_late = now - due >= self._keepalive_s / 2
        if not is_late and self._flows.is_set() and now - self._last_in >= 2 * self._keepalive_s:
            self._abort(f"silent for {now - self._last_in:.0f} s")
            return
        self._ping(asyncio.get_running_loop().create_future())
        self._look_later()

    def _lose(self, why: str) -> None:
        if self.lost.done():
            return
        self.lost.set_result(LEFT if self._is_leaving else why)
        self._open.clear()
        if self._next_look is not None:
            self._next_look.cancel()

    def _abort(self, why: str) -> None:
        """Drop the connection without waiting for anything to be written: gmqtt's close() waits for a dead peer."""
        self._lose(why)
        connection = self._connection or (self._client and self._client._package_handler.current_connection)
        if connection is not None:
            connection.keepalive = 0
            connection._transport.abort()

    async def close(self) -> None:
        """Write what is due (acknowledgements first of all), say DISCONNECT (so that no will is sent) and close."""
        if not self.is_up:
            return
        self._flush()
        # The broker closes in answer to a DISCONNECT: that is no takeover.
        self._is_leaving = True
        with suppress(TimeoutError, OSError):
            async with asyncio.timeout(CLOSE_WITHIN_S):
                await self._client.disconnect()
        self._abort(LEFT)
