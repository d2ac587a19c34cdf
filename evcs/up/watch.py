"""Listens to the run's own broker and keeps the figures of the status line."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from evcs.contracts.envelope import ContractError
from evcs.contracts.topics import Topic
from evcs.runtime.clock import Clock
from evcs.runtime.log import get_logger
from evcs.runtime.mqtt.messages import Delivery, Handler
from evcs.runtime.mqtt.sessions import AsyncSession
from evcs.up.figures import READ, Figures, Fold
from evcs.up.ports import LOOPBACK
from evcs.up.settings import UpSettings

log = get_logger()


class Watch:
    """A clean session at QoS 0: it begins with the retained picture and holds up nobody."""

    def __init__(self, settings: UpSettings, clock: Clock) -> None:
        self._clock = clock
        self._fold = Fold()
        # The run's broker is its own, whatever broker the environment names for services that are started alone.
        own = settings.model_copy(update={"mqtt_host": LOOPBACK, "mqtt_username": None, "mqtt_password": None})
        self._session = AsyncSession(own, clock, client_id="evcs-up-view", clean=True)
        for topic in READ:
            self._session.subscribe(topic.everywhere, 0, self._taker(topic))

    async def __aenter__(self) -> Watch:
        await self._session.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.stop(0)

    def figures(self) -> Figures:
        """The figures now."""
        return self._fold.figures(self._clock.monotonic())

    def _taker(self, topic: Topic[Any]) -> Handler:
        def take(delivery: Delivery) -> None:
            if not delivery.payload:
                return  # a retained topic was cleared
            try:
                self._fold.take(topic.decode(delivery.payload))
            except ContractError as error:
                log.warning("status_line_payload_refused", topic=delivery.topic, reason=str(error))

        return take
