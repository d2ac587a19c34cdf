"""Counters and gauges under one naming: evcs_<room>_<what>_<unit or total>, registered once per process."""

from collections.abc import Sequence

from prometheus_client import REGISTRY, Counter, Gauge, Histogram, generate_latest

PREFIX = "evcs"


def counter(room: str, what: str, text: str, labels: Sequence[str] = ()) -> Counter:
    """A count that only grows; prometheus adds ``_total``."""
    return Counter(f"{PREFIX}_{room}_{what}", text, labels)


def gauge(room: str, what: str, text: str, labels: Sequence[str] = ()) -> Gauge:
    """A figure that goes up and down."""
    return Gauge(f"{PREFIX}_{room}_{what}", text, labels)


def histogram(room: str, what: str, text: str, buckets: Sequence[float], labels: Sequence[str] = ()) -> Histogram:
    """A distribution; name the unit in ``what`` (``…_seconds``)."""
    return Histogram(f"{PREFIX}_{room}_{what}", text, labels, buckets=buckets)


def exposition() -> bytes:
    """Everything that was counted, in Prometheus' text form."""
    return generate_latest(REGISTRY)
