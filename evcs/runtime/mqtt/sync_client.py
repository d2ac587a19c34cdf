"""The same session for threads: an event loop in a thread of its own carries an AsyncSession, threads hand over to it.

Not a second MQTT client beside the first: window, acknowledgement and reconnect are proved once, and serve both.
"""

import asyncio
import concurrent.futures
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from evcs.runtime.clock import Clock
from evcs.runtime.health import Health
from evcs.runtime.log import get_logger
from evcs.runtime.mqtt.messages import Delivery, Handler, Will
from evcs.runtime.mqtt.sessions import AsyncSession, Callback
from evcs.runtime.run import Fatal
from evcs.runtime.settings import MqttSettings

log = get_logger()

T = TypeVar("T")


class SyncSession:
    """An MQTT session for threads; every method may be called from any thread."""

    def __init__(
        self,
        settings: MqttSettings,
        clock: Clock,
        *,
        client_id: str,
        clean: bool = False,
        will: Will | Callable[[], Will] | None = None,
        window: int = 1000,
        bound: int | None = None,
        inbound: int = 10_000,
        on_failed: Callable[[Exception], None] | None = None,
    ) -> None:
        """``inbound``: so many deliveries wait for ``take``; then nothing more is read (what was read comes on top: at
        most about 200 KB), and the broker has to wait.

        ``on_failed`` is told what must end the service (taken over twice, a callback that raised).
        """
        self._session = AsyncSession(
            settings, clock, client_id=client_id, clean=clean, will=will, window=window, bound=bound
        )
        self._inbound = inbound
        self._on_failed = on_failed
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._arrived = threading.Condition()
        self._queue: deque[Delivery] = deque()
        self._is_paused = False
        self._calls: deque[Callable[[], None]] = deque()
        self._calls_lock = threading.Lock()
        self._calls_due = False
        self._stopped = False
        self._session.on_disconnected(self._forget)

    # --- before start

    def subscribe(self, filter: str, qos: int, handler: Handler | None = None) -> None:
        """Deliveries under ``filter`` wait for ``take``, or go to ``handler`` in the session's own thread."""
        self._session.subscribe(filter, qos, self._enqueue if handler is None else handler)

    def on_connected(self, callback: Callback) -> None:
        """Called in the session's own thread after every connection with all subscriptions granted; must be quick.

        One that is asynchronous runs beside it, until the next loss.
        """
        self._session.on_connected(callback)

    def on_disconnected(self, callback: Callable[[], None]) -> None:
        self._session.on_disconnected(callback)

    def on_picture(self, callback: Callable[[], None]) -> None:
        self._session.on_picture(callback)

    # --- life

    def start(self) -> None:
        """Return once connected with all subscriptions granted. Raises as AsyncSession.start."""
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(self._on_exception)
        self._loop = loop
        self._thread = threading.Thread(target=loop.run_forever, name=f"mqtt {self._session.client_id}", daemon=True)
        self._thread.start()
        try:
            self._in_loop(self._session.start())
        except Exception:
            if not self._stopped:
                self._end_loop()
            raise

    def leave(self, backoff_s: float) -> None:
        """As AsyncSession.leave: let go of everything unacknowledged and come back after ``backoff_s``."""
        self._in_loop(self._session.leave(backoff_s))

    def hold(self) -> None:
        """Take nothing new from here on."""
        self._session.hold()

    def stop(self, drain_within_s: float = 5.0) -> None:
        """Farewell, wait for the window, disconnect, end the thread."""
        if self._loop is None:
            return
        self._stopped = True
        with self._arrived:
            self._arrived.notify_all()
        self._run_calls_first()
        self._in_loop(self._session.stop(drain_within_s))
        self._end_loop()

    # --- work

    @property
    def connected(self) -> bool:
        return self._session.connected

    @property
    def connection(self) -> int:
        return self._session.connection

    @property
    def dropped(self) -> int:
        """Droppable messages that were given up."""
        return self._session.dropped

    @property
    def waiting(self) -> int:
        """Deliveries that wait for ``take``."""
        return len(self._queue)

    @property
    def picture_complete(self) -> bool:
        return self._session.picture_complete

    def picture(self, timeout_s: float) -> bool:
        """Wait for the retained picture; False when it was not complete in time."""
        try:
            self._in_loop(asyncio.wait_for(self._session.picture(), timeout_s))
        except TimeoutError:
            return False
        return True

    def take(self, most: int, timeout_s: float) -> list[Delivery]:
        """Up to ``most`` deliveries in order, as soon as there is one; empty after ``timeout_s`` or ``stop``."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._queue or self._stopped, timeout_s)
            taken = [self._queue.popleft() for _ in range(min(most, len(self._queue)))]
            resume = self._is_paused and len(self._queue) <= self._inbound // 2
            if resume:
                self._is_paused = False
        if resume:
            self._call(self._session.resume)
        return taken

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, droppable: bool = False
    ) -> concurrent.futures.Future[None]:
        """As AsyncSession.publish, from any thread; order is kept per thread."""
        result: concurrent.futures.Future[None] = concurrent.futures.Future()
        result.set_running_or_notify_cancel()

        def go() -> None:
            done = self._session.publish(topic, payload, qos=qos, retain=retain, droppable=droppable)
            done.add_done_callback(ended)

        def ended(done: asyncio.Future[None]) -> None:
            if done.cancelled():
                result.set_exception(ConnectionAbortedError("the session was stopped"))
                return
            error = done.exception()
            if error is None:
                result.set_result(None)
            else:
                result.set_exception(error)

        self._call(go)
        return result

    def room(self, timeout_s: float) -> bool:
        """Wait until less than a window is unacknowledged; False when it was not in time."""
        try:
            self._in_loop(asyncio.wait_for(self._session.room(), timeout_s))
        except TimeoutError:
            return False
        return True

    def health(self) -> Health:
        return self._session.health()

    # --- within

    def _enqueue(self, delivery: Delivery) -> None:
        """In the loop's thread. The delivery handed out acknowledges through the loop."""

        def acknowledge(_: Delivery) -> None:
            self._call(delivery.ack)

        outward = Delivery(
            delivery.topic,
            delivery.payload,
            delivery.qos,
            delivery.retained,
            delivery.connection,
            acknowledge if delivery.qos else None,
        )
        with self._arrived:
            self._queue.append(outward)
            self._arrived.notify()
            pause = len(self._queue) >= self._inbound and not self._is_paused
            if pause:
                self._is_paused = True
        if pause:
            self._session.pause()

    def _forget(self) -> None:
        """What waits unread and can no longer be acknowledged comes again: it need not be worked on twice."""
        with self._arrived:
            self._queue = deque(one for one in self._queue if one.qos == 0)
            self._is_paused = False

    def _call(self, call: Callable[[], None]) -> None:
        """Have the loop do it, in order; many calls wake the loop once."""
        loop = self._loop
        if loop is None or loop.is_closed():
            return
        with self._calls_lock:
            self._calls.append(call)
            wake, self._calls_due = not self._calls_due, True
        if wake:
            loop.call_soon_threadsafe(self._run_calls)

    def _run_calls(self) -> None:
        with self._calls_lock:
            calls, self._calls, self._calls_due = self._calls, deque(), False
        for call in calls:
            call()

    def _run_calls_first(self) -> None:
        async def run() -> None:
            self._run_calls()

        self._in_loop(run())

    def _in_loop(self, work: Coroutine[Any, Any, T]) -> T:
        loop = self._loop
        if loop is None:
            work.close()
            raise ConnectionAbortedError("the session is not started")
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    def _end_loop(self) -> None:
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        self._loop = None

    def _on_exception(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        log.error("mqtt_failed", client_id=self._session.client_id, what=context.get("message"), exc_info=error)
        if isinstance(error, Fatal) and self._on_failed is not None:
            self._on_failed(error)
