"""InfluxDB as telemetry store: whole batches of lines, each point stored, refused with its reason, or kept.

The 2.x transport is here: `/api/v2/write` by influxdb-client, never by its batching API, which logs and drops what the
server refuses.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException
from influxdb_client.service.write_service import WriteService

from evcs.store import answers
from evcs.store.answers import Means, Verdict
from evcs.store.influx_read import InfluxReader
from evcs.store.influxql import Bucket
from evcs.store.interface import Point, Refused, StoreRefused, StoreUnavailable
from evcs.store.lines import spelled
from evcs.store.wire import CONNECT_S, Answer, Wire, answer

WITHIN_S = 15.0
"""A write must be answered within this; what was not is written again, and overwrites itself."""


class Transport(Protocol):
    """How a body of lines reaches a server."""

    def post(self, body: bytes) -> Answer:
        """Post lines (ms). Raises StoreUnavailable where no whole answer comes in time."""

    def accepts_nothing(self, answer: Answer) -> bool:
        """Whether this answer to an empty body says that lines would be taken."""

    def make_place(self, why: str) -> None:
        """Make what a write was told is missing. Raises StoreUnavailable with what a person has to do."""


class InfluxStore(InfluxReader):
    """See `TelemetryStore`. One thread writes, any may read."""

    def __init__(self, wire: Wire, bucket: Bucket, transport: Transport) -> None:
        super().__init__(wire, bucket)
        self._transport = transport

    def write(self, points: Sequence[Point]) -> None:
        """See `TelemetryStore.write`; the server has it on its disk (WAL) when this returns."""
        fit, lines, refused = spelled(points)
        if not fit:
            self._probe()
        else:
            refused += self._put(fit, lines)
        if refused:
            raise StoreRefused(refused)

    def _probe(self) -> None:
        """Ask with an empty body whether lines would be taken, and make the place where it is missing."""
        for attempt in ("look", "look again"):
            answer = self._transport.post(b"")
            if self._transport.accepts_nothing(answer):
                return
            said = answers.verdict(answer, self._wire.where)
            if said.means is not Means.MISSING or attempt == "look again":
                raise StoreUnavailable(said.reason or f"{self._wire.where} answers {answer.status}", said.retry_after_s)
            self._transport.make_place(said.reason)

    def _put(self, points: list[Point], lines: list[str]) -> list[Refused]:
        """Store what can be stored; return what cannot. A refused batch is parted until the guilty stand alone.

        What an earlier part has stored is stored again by nobody, or overwrites itself: both are harmless.
        """
        said = self._post(lines)
        if said.means is Means.STORED:
            return []
        alone = len(points) == 1
        if alone or (said.means is Means.REFUSED and said.dropped == len(points)):
            return [Refused(point, said.reason) for point in points]
        found: list[Refused] = []
        for some in answers.part(points, said):
            found += self._put([points[at] for at in some], [lines[at] for at in some])
        return found

    def _post(self, lines: list[str]) -> Verdict:
        """Post and judge; raises StoreUnavailable where the points are not to blame."""
        body = "\n".join(lines).encode()
        said = answers.verdict(self._transport.post(body), self._wire.where)
        if said.means is Means.MISSING:
            self._transport.make_place(said.reason)
            said = answers.verdict(self._transport.post(body), self._wire.where)
        if said.means in (Means.AWAY, Means.MISSING):
            raise StoreUnavailable(said.reason, said.retry_after_s)
        return said


class V2Transport:
    """`/api/v2/write` by influxdb-client, over our connections, since its own time-outs begin anew with each byte."""

    def __init__(self, base: str, wire: Wire, bucket: Bucket, org: str, token: str | None) -> None:
        self._wire = wire
        self._bucket = bucket
        self._org = org
        milliseconds = (int(CONNECT_S * 1000), int((WITHIN_S + CONNECT_S) * 1000))  # as `wire.timeout` has them
        client = InfluxDBClient(url=base, token=token, org=org, timeout=milliseconds, retries=False)
        client.api_client.rest_client.pool_manager = wire.pool
        self._write: Any = WriteService(client.api_client)

    def post(self, body: bytes) -> Answer:
        """See `Transport.post`."""
        with self._wire.call(WITHIN_S):
            try:
                _, status, headers = self._write.post_write_with_http_info(
                    org=self._org,
                    bucket=self._bucket.name,
                    body=body,
                    precision="ms",
                    content_type="text/plain; charset=utf-8",
                    _return_http_data_only=False,
                )
            except ApiException as error:
                if not error.status:
                    raise StoreUnavailable(f"{self._wire.where}: {error.reason}") from error
                body_said = error.body if isinstance(error.body, bytes) else str(error.body or "").encode()
                return answer(int(error.status), body_said, error.headers or {})
            return answer(int(status), b"", headers or {})

    def accepts_nothing(self, answer: Answer) -> bool:
        """2.x looks for its bucket and our rights first, and then says that there are no points."""
        return answer.status == 204 or (answer.status == 400 and "requires points" in answer.body)

    def make_place(self, why: str) -> None:
        """A bucket is made by whoever owns the organisation: our token may write it, and no more."""
        raise StoreUnavailable(f"{why}; make it: influx bucket create --name {self._bucket.name} --org {self._org}")
