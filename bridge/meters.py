"""What the bridge counts for Prometheus; links count into a `Tally`, which is carried over here once a second."""

from collections import Counter as Counts

from prometheus_client import Counter

from bridge.tally import Tally
from evcs.runtime.metrics import counter, gauge

FRAMES_IN = counter("bridge", "frames_in", "Frames taken from piles, by type", ("code",))
FRAMES_OUT = counter("bridge", "frames_out", "Frames sent to piles, by type", ("code",))
DROPPED = counter("bridge", "dropped", "Frames and pieces of streams that were not used, by reason", ("reason",))
ODD = counter("bridge", "not_in_tables", "Frame types and codes of fields that no table has, by what", ("what",))
LOGINS = counter("bridge", "logins", "Logins by result", ("result",))
CLOSED = counter("bridge", "connections_closed", "Connections that the bridge ended, by reason", ("reason",))
CONNECTIONS = gauge("bridge", "connections", "Open connections, logged in or not")
LINKS = gauge("bridge", "links", "Piles that are logged in")
TELEMETRY_DROPPED = gauge("bridge", "telemetry_dropped", "Telemetry given up since the start: the broker was slow")
UNSENT = gauge("bridge", "unsent_messages", "Messages that the broker has not acknowledged")
READING_HELD = gauge("bridge", "reading_held", "1 while no pile is read from, since too much is unsent")
NOT_UNDERSTOOD = counter("bridge", "messages_not_understood", "MQTT messages that are not what their topic promises")


class Carrier:
    """Carries what a tally has counted since the last time."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._carried: dict[tuple[int, str], int] = {}

    def carry(self) -> None:
        tally = self._tally
        for number, (counts, meter) in enumerate(
            (
                (Counts({f"{code:02X}": count for code, count in tally.frames_in.items()}), FRAMES_IN),
                (Counts({f"{code:02X}": count for code, count in tally.frames_out.items()}), FRAMES_OUT),
                (tally.dropped, DROPPED),
                (tally.odd, ODD),
                (tally.logins, LOGINS),
                (tally.closed, CLOSED),
            )
        ):
            self._add(number, counts, meter)

    def _add(self, number: int, counts: Counts[str], meter: Counter) -> None:
        for label, count in counts.items():
            new = count - self._carried.get((number, label), 0)
            if new:
                self._carried[number, label] = count
                meter.labels(label).inc(new)
