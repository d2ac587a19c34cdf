"""The retained picture of one connection, looked at more than once: what is published meanwhile escapes a single look.

NATS (server/mqtt.go of 2.15, processSubs) collects the retained messages for all filters of a SUBSCRIBE first and then
creates the subscriptions one after the other, each of QoS 1 with a consumer of its own. What is published in between,
some tens of milliseconds, comes neither way. And a message published while its predecessor is being loaded leaves the
predecessor in the server's cache, for new subscribers of the next two minutes (mqttRetainedCacheTTL). Both are what
happens when a broker comes back and every owner publishes its levels while every reader subscribes. Once subscribed,
nothing is missed any more: so the same filters are subscribed to again, and the broker sends what is retained again
(MQTT 3.1.1 §3.8.4). Mosquitto does all of it in one step; there it changes nothing.
"""

import asyncio
from collections.abc import Sequence

from evcs.runtime.mqtt.async_client import Link
from evcs.runtime.mqtt.messages import Delivery, SubscriptionRefused

QUIET_S = 0.05
LATER_LOOKS_S = (5.0, 130.0)
"""After the picture: when a burst of levels has gone through the store, and when the server's cache has run out."""
REFUSED = 0x80


class Picture:
    """Looks, and keeps from the handlers what the looks after the first repeat."""

    def __init__(self, link: Link, filters: Sequence[tuple[str, int]]) -> None:
        """``filters``: of a clean session; none where one look is enough."""
        self._link = link
        self._filters = filters
        self._seen: dict[str, bytes | None] | None = {} if filters else None
        """By topic, what it brought from the store; None once it came by itself."""

    def is_news(self, delivery: Delivery) -> bool:
        """Whether to hand it over. A topic that came by itself misses nothing: what is retained is then no newer."""
        if self._seen is None:
            return True
        if not delivery.retained:
            self._seen[delivery.topic] = None
            return True
        if delivery.topic in self._seen:
            seen = self._seen[delivery.topic]
            if seen is None or seen == delivery.payload:
                return False
        self._seen[delivery.topic] = delivery.payload
        return True

    async def complete(self) -> None:
        """Return once everything retained has been handed over. Raises ConnectionError when the link is lost."""
        await self._quiet()
        if self._filters:
            await self._look_again()

    async def look_later(self) -> None:
        """Look again when what held up the broker is over; afterwards nothing is held in mind any more."""
        if self._seen is None:
            return
        waited_s = 0.0
        for after_s in LATER_LOOKS_S:
            await asyncio.sleep(after_s - waited_s)
            waited_s = after_s
            await self._look_again()
        self._seen = None

    async def _look_again(self) -> None:
        codes = await self._link.subscribe(self._filters)
        if refused := [name for (name, _), code in zip(self._filters, codes, strict=True) if code == REFUSED]:
            raise SubscriptionRefused(refused)
        await self._quiet()

    async def _quiet(self) -> None:
        """All is here when a whole round trip after the SUBACK brought nothing retained any more.

        Both brokers answer a connection's packets in order, so the first PINGRESP already stands behind the picture;
        the quiet round is for brokers that deliver retained messages aside.
        """
        await self._link.ping()
        while True:
            seen = self._link.retained_seen
            await asyncio.sleep(QUIET_S)
            await self._link.ping()
            if self._link.retained_seen == seen:
                return
