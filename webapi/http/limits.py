"""How often one asker may ask: reads and changes counted apart per signed-in identity, the rest per address.

Counted in this process by a sliding window: several processes of the API each allow the figure. A browser page, a
mini program's polling and an integrator's loop stay far below; a runaway program is answered 429 with Retry-After.
"""

from dataclasses import dataclass
from http import HTTPStatus
from math import ceil
from time import time

from flask import Flask, g, request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from webapi.http.call import SignedIn
from webapi.http.problems import Code, problem

_READS = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Rates:
    """Requests in a minute; 0: as many as one likes."""

    reads: int = 3000
    changes: int = 1200
    strangers: int = 600
    """From one address, of those who are not signed in."""


UNBOUNDED = Rates(0, 0, 0)


def install(app: Flask, rates: Rates) -> None:
    """Count each request to the API once it is known who asks (so: after `authenticate.install`)."""
    window = SlidingWindowCounterRateLimiter(MemoryStorage())
    reads, changes, strangers = (
        RateLimitItemPerMinute(amount) if amount else None for amount in (rates.reads, rates.changes, rates.strangers)
    )

    def count() -> None:
        if not request.path.startswith("/api/"):
            return
        found: SignedIn | None = getattr(g, "signed_in", None)
        if found is None:
            item, who = strangers, ("address", str(request.remote_addr))
        elif request.method in _READS:
            item, who = reads, ("reads", found.asker.key)
        else:
            item, who = changes, ("changes", found.asker.key)
        if item is None or window.hit(item, *who):
            return
        stats = window.get_window_stats(item, *who)
        wait = max(1, ceil(stats.reset_time - time()))
        raise problem(HTTPStatus.TOO_MANY_REQUESTS, Code.TOO_MANY_REQUESTS, retry_after_s=wait, seconds=wait)

    app.before_request(count)
