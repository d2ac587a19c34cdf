"""MQTT → telemetry store, of which it is the only writer."""
