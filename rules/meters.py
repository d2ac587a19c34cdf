"""What rules counts."""

from evcs.runtime import metrics

VERDICTS = metrics.counter("rules", "verdicts", "decisions told", ("kind", "reason"))
NOT_UNDERSTOOD = metrics.counter("rules", "messages_not_understood", "messages set aside", ("leaf",))
FAILURES = metrics.counter("rules", "failures", "decisions that failed, by station", ("station",))
RESTARTS = metrics.counter(
    "rules", "counted_as_started", "stalls and takeovers after which all was learnt anew", ("why",)
)
