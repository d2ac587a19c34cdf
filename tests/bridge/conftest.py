"""Real brokers for the bridge's socket tests."""

from tests.servers import broker, brokers

__all__ = ["broker", "brokers"]
