"""InfluxDB as store, on real servers: what they refuse, what goes wrong on the way, and what then is stored."""

import time
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest

from evcs.contracts.times import to_ms
from evcs.store import influx, influx_v1
from evcs.store.interface import GunSeries, Point, StoreRefused, StoreUnavailable, TelemetryStore
from evcs.store.open import open_reader, open_store
from tests.evcs.store.points import GUN_1, METER, T0, at, point
from tests.middle import Behaviour, Middle, Raw, Says, Silent, StoredUnsaid
from tests.stores import InfluxDb, VictoriaMetrics


@pytest.fixture
def database(influxdb: InfluxDb) -> str:
    return f"t{token_hex(6)}"


@pytest.fixture
def middle(influxdb: InfluxDb) -> Iterator[Middle]:
    opened = Middle(influxdb.port)
    yield opened
    opened.stop()


@pytest.fixture
def store(middle: Middle, database: str) -> Iterator[TelemetryStore]:
    """A store on the real InfluxDB, seen through the server in the middle; its place is made."""
    opened = open_store(f"influxdb1+http://127.0.0.1:{middle.port}/{database}/raw?retention=inf")
    opened.write([])
    middle.posts.clear()
    yield opened
    opened.close()


def gun(n: int) -> Point:
    return point(GUN_1, at(n), power_kw=float(n))


def stored(store: TelemetryStore) -> list[int]:
    """Seconds of the points that are there."""
    found = store.curve(GUN_1, T0, at(1_000_000), ["power_kw"]).points
    return [int((one.at - T0).total_seconds()) for one in found]


# --- what a real server refuses


def spoil(influxdb: InfluxDb, database: str, field: str = "cost_fen") -> None:
    """Have `field` be a text in that database: what an older release or another writer may have left."""
    influxdb.write(f'gun,station=s0,pile=p0,gun=1 {field}="free" {to_ms(at(0))}', database)


def test_one_point_of_the_wrong_type_among_5000_is_found_and_all_others_are_stored(
    influxdb: InfluxDb, middle: Middle, store: TelemetryStore, database: str
) -> None:
    spoil(influxdb, database)
    points = [gun(n) for n in range(5_000)]
    points[3_210] = point(GUN_1, at(3_210), power_kw=1.0, cost_fen=7.0)
    with pytest.raises(StoreRefused) as caught:
        store.write(points)
    assert [one.point for one in caught.value.refused] == [points[3_210]]
    assert "cost_fen" in caught.value.refused[0].reason
    assert "field type conflict" in caught.value.refused[0].reason
    assert stored(store) == [n for n in range(5_000) if n != 3_210]
    assert len(middle.writes()) == 3, "the answer names the field: the suspect alone, and the others"


def test_where_the_answer_names_nothing_the_halves_tell(middle: Middle, store: TelemetryStore) -> None:
    """As 1.x does for types that differ within one new shard, and 2.x for what it cannot parse."""
    guilty = f" {to_ms(at(3_210))}".encode()
    middle.then = lambda path, body: Says(400, '{"error":"field type conflict"}') if guilty in body else None
    with pytest.raises(StoreRefused) as caught:
        store.write([gun(n) for n in range(5_000)])
    assert [one.point for one in caught.value.refused] == [gun(3_210)]
    assert stored(store) == [n for n in range(5_000) if n != 3_210]
    assert len(middle.writes()) < 30


def test_when_a_whole_field_conflicts_it_costs_few_posts(
    influxdb: InfluxDb, middle: Middle, store: TelemetryStore, database: str
) -> None:
    spoil(influxdb, database)
    points = [point(GUN_1, at(n), power_kw=1.0, **({"cost_fen": 1.0} if n % 2 else {})) for n in range(4_000)]
    with pytest.raises(StoreRefused) as caught:
        store.write(points)
    assert len(caught.value.refused) == 2_000
    assert stored(store) == list(range(0, 4_000, 2))
    assert len(middle.writes()) == 3


def test_points_beyond_the_retention_are_named_and_the_others_stored(influxdb: InfluxDb, middle: Middle) -> None:
    database = f"t{token_hex(6)}"
    store = open_store(f"influxdb1+http://127.0.0.1:{middle.port}/{database}/raw?retention=90d")
    now = time.time()
    young = [point(METER, at(now - T0.timestamp() - 60 * n), active_kw=float(n)) for n in range(50)]
    old = [point(METER, at(now - T0.timestamp() - 86_400 * (200 + n)), active_kw=float(n)) for n in range(40)]
    mixed = [one for pair in zip(young, old, strict=False) for one in pair] + young[40:]
    with pytest.raises(StoreRefused) as caught:
        store.write(mixed)
    assert {one.point.at for one in caught.value.refused} == {one.at for one in old}
    assert all("retention" in one.reason for one in caught.value.refused)
    curve = store.curve(METER, T0, at(now), ["active_kw"])
    assert len(curve.points) == 50
    assert len(middle.writes()) < 10
    assert {"name": database} not in influxdb.query("SHOW DATABASES")
    policies = influxdb.query(f'SHOW RETENTION POLICIES ON "{database}"')
    assert ["raw", "2160h0m0s"] in [row[:2] for row in policies[0]["values"]]  # type: ignore[attr-defined]
    store.close()


def test_a_body_that_is_too_large_is_parted(tmp_path: Path) -> None:
    server = InfluxDb(tmp_path, body_bytes=20_000)
    server.start()
    try:
        store = open_store(server.url())
        store.write([gun(n) for n in range(2_000)])
        assert stored(store) == list(range(2_000))
        huge = point(GUN_1, at(5_000), state="长" * 5_000)
        large = [point(GUN_1, at(5_001 + n), power_kw=1.0, state="x" * 16_000) for n in range(3)]
        store.write(large)
        assert len(stored(store)) == 2_003
        store.write([huge])
        for body in (10_000, 100):
            server.kill()
            server._body_bytes = body
            server.start()
            with pytest.raises(StoreRefused, match="Too Large") as caught:
                store.write([huge])
            assert [one.point for one in caught.value.refused] == [huge]
    finally:
        server.kill()


# --- rights and places


def test_the_place_is_made_where_our_user_may_and_named_where_not(tmp_path: Path) -> None:
    server = InfluxDb(tmp_path, admin="geheim")
    server.start()
    try:
        server.query("CREATE USER small WITH PASSWORD 'klein'")
        with pytest.raises(StoreUnavailable, match="401"):
            open_store(server.url()).write([gun(0)])
        with pytest.raises(StoreUnavailable, match="401") as caught:
            open_store(server.url(user="small"), "falsch").write([gun(0)])
        assert "falsch" not in str(caught.value)
        with pytest.raises(StoreUnavailable, match='make it: CREATE DATABASE "evcs"'):
            open_store(server.url(user="small"), "klein").write([gun(0)])
        admin = open_store(server.url(user="admin"), "geheim")
        admin.write([gun(0)])
        with pytest.raises(StoreUnavailable, match="403"):
            open_store(server.url(user="small"), "klein").write([gun(1)])
        with pytest.raises(StoreUnavailable, match="READ on evcs"):
            open_reader(server.url(user="small"), "klein").curve(GUN_1, T0, at(9), ["power_kw"])
        server.query('GRANT ALL ON "evcs" TO "small"')
        open_store(server.url(user="small"), "klein").write([gun(1)])
        assert stored(admin) == [0, 1]
    finally:
        server.kill()


def test_a_policy_of_other_length_is_its_owners_choice(influxdb: InfluxDb, database: str) -> None:
    influxdb.query(f'CREATE DATABASE "{database}"')
    store = open_store(influxdb.url(database))
    store.write([gun(0)])  # the database is there, its policy is not: 1.6.7 answers 500
    influxdb.query(f'ALTER RETENTION POLICY "raw" ON "{database}" DURATION 500w')
    store.write([gun(1)])
    influxdb.query(f'DROP DATABASE "{database}"')
    store.write([gun(2)])
    assert stored(store) == [2], "who drops a database gets a new one"


def test_a_reader_makes_nothing_and_says_what_is_missing(influxdb: InfluxDb, database: str) -> None:
    with pytest.raises(StoreUnavailable, match="database not found"):
        open_reader(influxdb.url(database)).curve(GUN_1, T0, at(9), ["power_kw"])


# --- what goes wrong on the way: nothing is lost, and nothing is set aside

AWAY = {
    "429": (Says(429, '{"error":"slow down"}', {"Retry-After": "7"}), "slow down"),
    "500": (Says(500, '{"error":"timeout"}'), "500: timeout"),
    "503": (Says(503, "busy", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}), "503: busy"),
    "408": (Says(408, ""), "408"),
    "301": (Says(301, "", {"Location": "http://127.0.0.1:1/write"}), "301"),
    "200 with a page": (Says(200, "<html>welcome</html>"), "answers 200"),
    "400 of somebody else": (Says(400, "<html>Bad Request</html>"), "400: <html>"),
    "400 on the place": (Says(400, '{"error":"database is required"}'), "database is required"),
    "401": (Says(401, '{"code":"unauthorized","message":"unauthorized access"}'), "does not let us in"),
    "403": (Says(403, '{"error":"not authorized"}'), "does not let us in"),
    "400 in no language": (
        Raw(b"HTTP/1.1 400 X\r\nConnection: close\r\nContent-Length: 2\r\n\r\n\xff\xfe"),
        "127.0.0.1",
    ),
    "garbage": (Raw(b"\x16\x03\x01garbage" * 9 + b"\r\n\r\n"), "127.0.0.1"),
    "closed at once": (Raw(b""), "127.0.0.1"),
    "cut in the middle": (Raw(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 900\r\n\r\n{"), "127.0.0.1"),
    "stored, but not said": (StoredUnsaid(), "127.0.0.1"),
    "silent": (Silent(), "no whole answer within 1 s"),
    "drips its head": (Raw(b"HTTP/1.1 204 No Content\r\nX: ", b"x" * 900), "no whole answer within 1 s"),
    "drips its body": (Raw(b"HTTP/1.1 400 X\r\nContent-Length: 999\r\n\r\n", b"x" * 999), "no whole answer within 1 s"),
    "drips and closes": (Raw(b"HTTP/1.0 400 X\r\n\r\n", b"x" * 999), "no whole answer within 1 s"),
}


@pytest.mark.parametrize("kind", AWAY)
def test_a_store_that_is_away_in_any_way_gets_all_of_it_later(
    kind: str, middle: Middle, store: TelemetryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(influx_v1, "WITHIN_S", 1.0)
    behaviour, says = AWAY[kind]
    middle.then = lambda path, body: behaviour
    points = [gun(n) for n in range(100)]
    began = time.monotonic()
    with pytest.raises(StoreUnavailable, match=says) as caught:
        store.write(points)
    assert time.monotonic() - began < 5
    assert caught.value.retry_after_s == (7.0 if kind == "429" else None)
    middle.then = lambda path, body: None
    store.write(points)
    assert stored(store) == list(range(100))


def test_a_store_away_amid_the_search_for_the_guilty_refuses_nothing(middle: Middle, store: TelemetryStore) -> None:
    guilty = f" {to_ms(at(70))}".encode()

    def then(path: str, body: bytes) -> Behaviour | None:
        if len(middle.posts) == 3:
            return Says(503)
        return Says(422, '{"code":"x","message":"no"}') if guilty in body else None

    middle.then = then
    points = [gun(n) for n in range(100)]
    with pytest.raises(StoreUnavailable):
        store.write(points)
    with pytest.raises(StoreRefused) as caught:
        store.write(points)
    assert [one.point for one in caught.value.refused] == [gun(70)]
    assert len(stored(store)) == 99


def test_an_endless_answer_fills_no_memory(middle: Middle, store: TelemetryStore) -> None:
    middle.then = lambda path, body: Says(500, "x" * 50_000_000)
    with pytest.raises(StoreUnavailable) as caught:
        store.write([gun(0)])
    assert len(str(caught.value)) < 1_000


def test_a_server_that_is_not_there_and_comes(tmp_path: Path) -> None:
    server = InfluxDb(tmp_path)
    store = open_store(server.url())
    with pytest.raises(StoreUnavailable):
        store.write([])
    with pytest.raises(StoreUnavailable):
        store.latest([GUN_1])
    server.start()
    try:
        store.write([gun(0)])
        server.kill()
        with pytest.raises(StoreUnavailable):
            store.write([gun(1)])
        server.start()
        store.write([gun(1)])
        assert stored(store) == [0, 1], "what was answered with 204 outlives a kill"
    finally:
        server.kill()


# --- 2.x


@pytest.fixture
def metrics_store(victoria_metrics: VictoriaMetrics) -> Iterator[TelemetryStore]:
    opened = open_store(victoria_metrics.url(), "a-token")
    yield opened
    opened.close()


def test_what_api_v2_write_takes_is_stored(victoria_metrics: VictoriaMetrics, metrics_store: TelemetryStore) -> None:
    pile = f"p{token_hex(4)}"
    series = GunSeries("s1", pile, 2)
    metrics_store.write([])
    metrics_store.write(
        [point(series, at(15 * n), power_kw=60.5 + n, elapsed_min=n, state="charging") for n in range(300)]
    )
    times = [to_ms(at(15 * n)) for n in range(300)]
    selector = f'{{station="s1",pile="{pile}",gun="2"}}'
    assert victoria_metrics.export(f"gun_power_kw{selector}") == {ms: 60.5 + n for n, ms in enumerate(times)}
    assert victoria_metrics.export(f"gun_elapsed_min{selector}") == {ms: n for n, ms in enumerate(times)}


def test_a_write_of_2x_names_bucket_org_and_token_and_meets_the_same_troubles(
    victoria_metrics: VictoriaMetrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(influx, "WITHIN_S", 1.0)
    middle = Middle(victoria_metrics.port)
    store = open_store(f"influxdb+http://127.0.0.1:{middle.port}/?bucket=evcs/raw&org=a%20b", "a-token")
    try:
        store.write([gun(0)])
        assert middle.posts[0][0] == "/api/v2/write?org=a+b&bucket=evcs%2Fraw&precision=ms"
        assert middle.tokens[0] == "Token a-token"
        for behaviour, says in AWAY.values():
            middle.then = lambda path, body, it=behaviour: it  # type: ignore[misc]
            with pytest.raises(StoreUnavailable, match=says) as caught:
                store.write([gun(1)])
            assert "a-token" not in str(caught.value)
        middle.then = lambda path, body: Says(404, '{"code":"not found","message":"bucket \\"evcs/raw\\" not found"}')
        with pytest.raises(StoreUnavailable, match="influx bucket create --name evcs/raw --org a b"):
            store.write([gun(1)])
        guilty = f" {to_ms(at(70))}".encode()
        conflict = '{"code":"unprocessable entity","message":"failure writing points to database: partial write: '
        conflict += 'field type conflict: input field \\"power_kw\\" on measurement \\"gun\\" is type float, already '
        conflict += 'exists as type string dropped=1"}'
        middle.then = lambda path, body: Says(422, conflict) if guilty in body else None
        with pytest.raises(StoreRefused, match="field type conflict") as refused:
            store.write([gun(n) for n in range(100)])
        assert [one.point for one in refused.value.refused] == [gun(70)]
        middle.then = lambda path, body: Says(400, '{"code":"invalid","message":"writing requires points"}')
        store.write([])
    finally:
        store.close()
        middle.stop()
