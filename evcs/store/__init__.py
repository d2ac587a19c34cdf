"""The telemetry store behind one small interface; only `ingest` writes it."""
