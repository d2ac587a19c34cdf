"""What ingest counts."""

from evcs.runtime.metrics import counter, gauge

POINTS = counter("ingest", "points", "points written and acknowledged")
FRESH = counter("ingest", "fresh_points", "points written beside the queue while a gap was filled")
BATCHES = counter("ingest", "batches", "batches written")
REJECTS = counter("ingest", "rejects", "messages set aside, by reason", ["reason"])
STORE_FAILURES = counter("ingest", "store_failures", "attempts at which the store was unavailable")
DEPARTURES = counter("ingest", "departures", "times that ingest left the broker since it could not store", ["why"])
HELD = gauge("ingest", "held_messages", "messages received and not yet written")
LAG = gauge("ingest", "lag_seconds", "age of the newest point of the last batch when it was written")
