"""The store as the worker sees it: a write that lasts until the store has answered, and since when it is away."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from evcs.runtime.clock import Clock
from evcs.runtime.health import OK, Health, degraded, down
from evcs.runtime.log import get_logger
from evcs.store.interface import Point, Refused, StoreRefused, StoreUnavailable, TelemetryStore
from ingest import meters

log = get_logger()

FIRST_RETRY_S = 0.1
RETRY_AFTER_AT_MOST_S = 60.0
"""A store that asks for a longer pause is asked again after this."""


class Writer:
    """One write at a time, in a thread of its own."""

    def __init__(
        self,
        store: TelemetryStore,
        clock: Clock,
        *,
        backoff_s: float,
        patience_s: float,
        on_away: Callable[[float], Awaitable[None]],
    ) -> None:
        """``on_away`` is told at each failed attempt past ``patience_s`` how long it is to the next."""
        self._store = store
        self._clock = clock
        self._exponential = wait_random_exponential(multiplier=FIRST_RETRY_S, max=backoff_s)
        self._patience_s = patience_s
        self._on_away = on_away
        self._thread = ThreadPoolExecutor(1, "store")
        self._away_since: float | None = None
        self.away_why = ""

    async def put(self, points: Sequence[Point]) -> Sequence[Refused]:
        """Into the store, for as long as it takes; what it refuses."""
        refused: Sequence[Refused] = ()
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(StoreUnavailable), wait=self._wait, before_sleep=self._failed
            ):
                with attempt:
                    work = partial(self._store.write, points)
                    await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except StoreRefused as error:
            refused = error.refused
        if self._away_since is not None:
            away_s = self._clock.monotonic() - self._away_since
            self._away_since = None
            log.info("store_back", away_s=round(away_s, 1))
        return refused

    def health(self) -> Health:
        if self._away_since is None:
            return OK
        away_s = self._clock.monotonic() - self._away_since
        tell = down if away_s >= self._patience_s else degraded
        return tell(f"telemetry store away for {away_s:.0f} s: {self.away_why}")

    async def close(self) -> None:
        await asyncio.to_thread(self._store.close)
        self._thread.shutdown(wait=False)

    def _wait(self, state: RetryCallState) -> float:
        """Seconds until the next attempt: growing and scattered, and not before the store wants it."""
        error = state.outcome.exception() if state.outcome is not None else None
        asked_s = error.retry_after_s if isinstance(error, StoreUnavailable) else None
        return max(self._exponential(state), min(asked_s or 0.0, RETRY_AFTER_AT_MOST_S))

    async def _failed(self, state: RetryCallState) -> None:
        """Between two attempts."""
        error = state.outcome.exception() if state.outcome is not None else None
        meters.STORE_FAILURES.inc()
        now = self._clock.monotonic()
        self.away_why = str(error)
        if self._away_since is None:
            self._away_since = now
            log.warning("store_away", reason=self.away_why)
        if now - self._away_since >= self._patience_s:
            await self._on_away(state.next_action.sleep if state.next_action is not None else 0.0)
