"""InfluxDB 1.x: lines by `/write`; the database and its retention policy are made where our user may do it."""

from datetime import timedelta

from evcs.store import influxql
from evcs.store.influx import WITHIN_S
from evcs.store.influxql import Bucket
from evcs.store.interface import StoreUnavailable
from evcs.store.wire import Answer, Wire


class V1Transport:
    """See `influx.Transport`."""

    def __init__(self, wire: Wire, bucket: Bucket, kept: timedelta | None) -> None:
        """``kept``: how long points stay, where we make the retention policy; None: for ever."""
        self._wire = wire
        self._bucket = bucket
        self._kept = kept
        self._fields = {"db": bucket.database, "rp": bucket.policy, "precision": "ms"}

    def post(self, body: bytes) -> Answer:
        """See `Transport.post`."""
        return self._wire.post("/write", self._fields, body, "text/plain; charset=utf-8", WITHIN_S)

    def accepts_nothing(self, answer: Answer) -> bool:
        """1.x looks for the database and our rights, and says 200 to nothing (204 to something)."""
        return answer.status == 204 or (answer.status == 200 and not answer.body)

    def make_place(self, why: str) -> None:
        """Both statements change nothing where their thing is there already; a policy of other duration is the owner's
        choice, and stays."""
        for statement in (
            influxql.create_database(self._bucket),
            influxql.create_policy(self._bucket, self._kept),
        ):
            try:
                lines = self._wire.lines("/query", {}, {"q": statement}, WITHIN_S)
                for _ in influxql.rows(lines, 1, self._wire.where):
                    pass  # they answer without rows
            except StoreUnavailable as error:
                if "already exists" in str(error):
                    continue
                raise StoreUnavailable(f"{why}, and we may not make it ({error}); make it: {statement}") from error
