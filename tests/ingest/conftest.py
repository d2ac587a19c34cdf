"""Real brokers for the flows of this room."""

from tests.servers import broker, brokers

__all__ = ["broker", "brokers"]
