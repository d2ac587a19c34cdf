"""Real stores for the tests of this room."""

from tests.stores import influxdb, victoria_metrics

__all__ = ["influxdb", "victoria_metrics"]
