"""Real telemetry stores for tests: InfluxDB 1.x and VictoriaMetrics as child processes, any InfluxDB 2.x by name."""

import os
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest
import requests

from evcs.setup.servers import find_influxdb, find_victoria_metrics
from tests.servers import Server, absent, free_port


class InfluxDb(Server):
    """InfluxDB 1.x on the loopback: its own ports, its own folder, anybody may do anything unless told otherwise."""

    name = "influxdb"

    def __init__(self, folder: Path, port: int | None = None, admin: str | None = None, body_bytes: int = 0) -> None:
        """``admin``: the password of the user `admin`, without which nobody gets in; ``body_bytes``: of a write."""
        super().__init__(folder, port)
        self.admin = admin
        self._body_bytes = body_bytes
        self._backup_port = free_port()

    @property
    def where(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def url(self, database: str = "evcs", user: str = "") -> str:
        """Address of a store in it that keeps for ever, since tests write old points."""
        return f"influxdb1+http://{f'{user}@' if user else ''}127.0.0.1:{self.port}/{database}/raw?retention=inf"

    def start(self) -> None:
        super().start()
        self.query("SHOW DATABASES")  # the port opens before the store does
        if self.admin is not None:
            self.query(f"CREATE USER admin WITH PASSWORD '{self.admin}' WITH ALL PRIVILEGES")

    def query(self, text: str, database: str = "evcs") -> list[dict[str, object]]:
        """Its own answer to InfluxQL: the first result's series."""
        answer = requests.post(
            f"{self.where}/query",
            params={"db": database, "epoch": "ms"},
            data={"q": text},
            auth=("admin", self.admin) if self.admin is not None else None,
            timeout=20,
        )
        result = answer.json()["results"][0] if "results" in answer.json() else answer.json()
        if "not found" in str(result.get("error", "")):
            return []  # nobody has made the place yet
        assert "error" not in result or self.admin is not None, result
        return list(result.get("series", []))

    def write(self, line: str, database: str = "evcs") -> None:
        """What another writer writes."""
        where = {"db": database, "rp": "raw", "precision": "ms"}
        answer = requests.post(f"{self.where}/write", params=where, data=line.encode(), timeout=20)
        assert answer.status_code == 204, answer.text

    def count(self, measurement: str = "gun", field: str = "receipt_n") -> int:
        """How many points it has."""
        series = self.query(f'SELECT count("{field}") FROM "evcs"."raw"."{measurement}"')
        return int(series[0]["values"][0][1]) if series else 0  # type: ignore[index]

    def _command(self) -> list[str]:
        found = find_influxdb()
        if found is None:
            absent("influxdb")
        conf = self.folder / "influxdb.conf"
        conf.write_text(
            f'reporting-disabled = true\nbind-address = "127.0.0.1:{self._backup_port}"\n'
            f'[meta]\ndir = "{self.store}/meta"\nlogging-enabled = false\n'
            f'[data]\ndir = "{self.store}/data"\nwal-dir = "{self.store}/wal"\nquery-log-enabled = false\n'
            "[monitor]\nstore-enabled = false\n[subscriber]\nenabled = false\n"
            f'[http]\nbind-address = "127.0.0.1:{self.port}"\nlog-enabled = false\n'
            f"auth-enabled = {'true' if self.admin is not None else 'false'}\n"
            + (f"max-body-size = {self._body_bytes}\n" if self._body_bytes else "")
        )
        return [str(found), "-config", str(conf)]


class VictoriaMetrics(Server):
    """VictoriaMetrics: takes `/api/v2/write`, answers no InfluxQL; its own export says what it stored."""

    name = "victoria-metrics"

    @property
    def where(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def url(self) -> str:
        return f"influxdb+http://127.0.0.1:{self.port}/?bucket=evcs/raw&org=evcs"

    def export(self, name: str) -> dict[int, float]:
        """The samples of a series by name, ms → value; what is still in memory included."""
        requests.get(f"{self.where}/internal/force_flush", timeout=20).raise_for_status()
        answer = requests.get(f"{self.where}/api/v1/export", params={"match[]": name}, timeout=20)
        found: dict[int, float] = {}
        for line in answer.text.splitlines():
            one = requests.models.complexjson.loads(line)
            found |= dict(zip(one["timestamps"], one["values"], strict=True))
        return found

    def _command(self) -> list[str]:
        found = find_victoria_metrics()
        if found is None:
            absent("victoria-metrics")
        return [
            str(found),
            f"-httpListenAddr=127.0.0.1:{self.port}",
            f"-storageDataPath={self.store}",
            "-retentionPeriod=100y",
            "-memory.allowedPercent=5",
        ]


class Influx2:
    """Any InfluxDB 2.x named in the environment; the one thing that may be left out, since no package brings it."""

    def __init__(self) -> None:
        self.where = os.environ.get("EVCS_TEST_INFLUX2_URL", "").rstrip("/")
        self.token = os.environ.get("EVCS_TEST_INFLUX2_TOKEN", "")
        self.org = os.environ.get("EVCS_TEST_INFLUX2_ORG", "")

    @property
    def is_there(self) -> bool:
        return bool(self.where)

    def new_bucket(self) -> str:
        """Make an empty bucket of a fresh name; the address of a store in it."""
        headers = {"Authorization": f"Token {self.token}"}
        found = requests.get(f"{self.where}/api/v2/orgs", params={"org": self.org}, headers=headers, timeout=20)
        bucket = f"evcs-test-{token_hex(4)}/raw"
        made = requests.post(
            f"{self.where}/api/v2/buckets",
            json={"orgID": found.json()["orgs"][0]["id"], "name": bucket, "retentionRules": []},
            headers=headers,
            timeout=20,
        )
        made.raise_for_status()
        scheme, _, rest = self.where.partition("://")
        return f"influxdb+{scheme}://{rest}/?bucket={bucket}&org={self.org}"


@pytest.fixture(scope="session")
def influxdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxDb]:
    """One running InfluxDB 1.x per test session; tests take databases of their own."""
    server = InfluxDb(tmp_path_factory.mktemp("influxdb"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def victoria_metrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VictoriaMetrics]:
    server = VictoriaMetrics(tmp_path_factory.mktemp("victoria-metrics"))
    server.start()
    yield server
    server.kill()
