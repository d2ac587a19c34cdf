"""What passes between a session and the room that uses it: a delivery, a last will, and what can go wrong."""

from collections.abc import Callable
from dataclasses import dataclass

from evcs.runtime.run import Fatal


class MqttError(Exception):
    """Base of what a session reports."""


class SubscriptionRefused(MqttError):
    """The broker did not grant some filters (0x80 in the SUBACK): the rights of this user are wrong."""

    def __init__(self, filters: list[str]) -> None:
        super().__init__(f"the broker refused the subscription to {', '.join(filters)}")
        self.filters = filters


class ConnectionRefused(MqttError):
    """The broker answered CONNECT with a refusal (bad credentials, not authorised, unavailable)."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"the broker refused the connection: code {code} ({text})")
        self.code = code

    @property
    def is_lasting(self) -> bool:
        """Whether trying again with the same settings cannot help (MQTT 3.1.1 §3.2.2.3, codes 1, 2, 4, 5)."""
        return self.code in (1, 2, 4, 5)


class Dropped(MqttError):
    """A droppable message was given up, since the window was full; it was counted."""


class TakenOver(Fatal):
    """Another process uses this client id: two owners of one thing."""


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes when this session's connection is lost; ``stop`` publishes it too. QoS 1."""

    topic: str
    payload: bytes
    retain: bool = True


class Delivery:
    """One received message. ``ack`` says that its effect is durable.

    The acknowledgement belongs to the connection on which the message came: once that is gone it has no effect, and
    the broker delivers the message again on the next one. Twice, or at QoS 0, it has no effect either.
    """

    __slots__ = ("_acknowledge", "connection", "packet_id", "payload", "qos", "retained", "topic")

    def __init__(
        self,
        topic: str,
        payload: bytes,
        qos: int,
        retained: bool,
        connection: int,
        acknowledge: Callable[["Delivery"], None] | None = None,
        packet_id: int = 0,
    ) -> None:
        self.topic = topic
        self.payload = payload
        self.qos = qos
        self.retained = retained
        self.connection = connection
        self.packet_id = packet_id
        self._acknowledge = acknowledge

    def ack(self) -> None:
        """Acknowledge it, once, on its own connection."""
        acknowledge, self._acknowledge = self._acknowledge, None
        if acknowledge is not None:
            acknowledge(self)

    def ack_is_void(self) -> None:
        """Its packet id went to another message: from now on ``ack`` has no effect."""
        self._acknowledge = None

    def __repr__(self) -> str:
        return f"Delivery({self.topic!r}, {len(self.payload)} bytes, qos={self.qos}, connection={self.connection})"


Handler = Callable[[Delivery], None]
"""Quick and synchronous: it hands the delivery on, and somebody acknowledges it later."""
