"""Sees every message of a scenario and lets a test await one instead of sleeping."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import paho.mqtt.client as mqtt

from evcs.contracts.topics import Address, Topic

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Seen:
    """A message as it came, in order of arrival."""

    number: int
    topic: str
    payload: bytes
    retained: bool


class Observer:
    """A subscriber to everything under evcs/v1; comes back by itself when the broker does."""

    def __init__(self, port: int, client_id: str = "observer") -> None:
        self._changed = threading.Condition()
        self._seen: list[Seen] = []
        self._granted = threading.Event()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=client_id)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe("evcs/v1/#", 0)
        self._client.on_subscribe = lambda *_: self._granted.set()
        self._client.on_message = self._take
        self._client.connect("127.0.0.1", port, keepalive=10)
        self._client.loop_start()
        assert self._granted.wait(10)

    def _take(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        with self._changed:
            self._seen.append(Seen(len(self._seen), message.topic, message.payload, message.retain))
            self._changed.notify_all()

    def close(self) -> None:
        self._client.loop_stop()
        self._client.disconnect()

    @property
    def count(self) -> int:
        """How many were seen; give it as `after` to await only what comes later."""
        with self._changed:
            return len(self._seen)

    @property
    def all(self) -> list[Seen]:
        """Everything that was seen, in order."""
        with self._changed:
            return list(self._seen)

    def of(self, topic: Topic[P], after: int = 0) -> list[tuple[int, Address, P]]:
        """All messages of one topic, in order: (number, address, payload)."""
        with self._changed:
            seen = self._seen[after:]
        found: list[tuple[int, Address, P]] = []
        for message in seen:
            address = topic.parse(message.topic)
            if address is not None and message.payload:
                found.append((message.number, address, topic.decode(message.payload)))
        return found

    def wait(
        self, topic: Topic[P], want: Callable[[Any], bool], *, after: int = 0, timeout: float = 30.0, what: str = ""
    ) -> tuple[int, P]:
        """The first message of a topic whose payload is wanted, also one that has come already.

        Raises AssertionError with the newest messages of the topic after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        looked = after
        with self._changed:
            while True:
                while looked < len(self._seen):
                    message = self._seen[looked]
                    looked += 1
                    if topic.parse(message.topic) is None or not message.payload:
                        continue
                    payload = topic.decode(message.payload)
                    if want(payload):
                        return message.number, payload
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
        last = "\n".join(str(payload) for _, _, payload in self.of(topic)[-5:])
        raise AssertionError(f"no {topic.leaf} {what} within {timeout:.0f} s; the newest were:\n{last}")
