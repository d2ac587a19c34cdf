"""No request of any form makes a 5xx."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.webapi.http.world import World

SEEN = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FIELDS = (
    "customer_id pile gun goal kind amount_fen duration_s energy_kwh name phone first_station reason voucher days "
    "when server port user password path timeout_min prefix cards card_ids uid printed_no action on minutes "
    "version piles station slots prices band valid_from "
    "guns limit kw pct until while_charging confirm rated_kva limited_pct blocked_pct feeder parent limit_kw "
    "protocol maker model code text_zh text_en severity ids used_too note"
)
NAMES = st.sampled_from(FIELDS.split())
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.sampled_from(("full", "amount", "energy", "55031412000001", "1e400", "-0", "0.1", "Infinity")),
)
BODIES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=5), inner, max_size=6),
    max_leaves=12,
)
PILE = "/piles/55031412000001"
POSTS = (
    "/power-settings",
    "/power-settings/1/retry",
    "/stations/s-a1/stop",
    "/transformers/s-a1-t/degraded",
    "/transformers/s-a1-t/feeders",
    "/orders",
    "/customers",
    "/customers/1/recharges",
    "/tokens",
    "/orders/" + "1" * 32 + "/stop",
    *(f"{PILE}/commands/{kind}" for kind in ("restart", "update", "qr-prefix", "cards-store", "trace")),
    f"{PILE}/guns/1/commands/ground-lock",
    "/tariffs/1/versions",
    "/tariffs/1/assignments",
    "/tariffs/1/rollout/push",
    "/customers/1/cards",
    "/customers/1/vehicles",
    "/orphans/1/adopt",
    "/fault-codes",
    "/fault-codes/delete",
    "/alarms/1/acknowledge",
)
CHANGES = (
    ("PUT", "/stations/s-a1/lockout"),
    ("PUT", f"{PILE}/lockout"),
    ("PUT", f"{PILE}/guns/1/lockout"),
    ("PUT", f"{PILE}/feeder"),
    ("PATCH", "/transformers/s-a1-t"),
    ("PATCH", "/feeders/none"),
)
LISTS = (
    "/transformers",
    "/power-settings",
    "/stations",
    "/piles",
    "/guns",
    "/customers",
    "/orders",
    "/customers/1/statement",
    *(f"{PILE}/{what}" for what in ("commands", "events", "frames")),
    "/tariffs",
    "/tariffs/1/rollout",
    "/cards",
    "/vehicles",
    "/card-attempts",
    "/orphans",
    "/alarms",
    "/alarms/counts",
    "/fault-codes",
    "/fault-codes/undescribed",
    "/transformers/s-a1-t/load-report",
)
QUERIES = st.sampled_from(
    (
        "limit",
        "cursor",
        "state",
        "station",
        "pile",
        "gun",
        "customer",
        "since",
        "until",
        "q",
        "max_points",
        "card",
        "joint",
        "severity",
        "code",
        "open",
        "month",
        "format",
    )
)


@pytest.mark.parametrize("path", POSTS)
@SEEN
@given(body=BODIES)
def test_any_body_is_answered(still: World, path: str, body: Any) -> None:
    assert still.call("POST", path, body).status_code < 500


@pytest.mark.parametrize(("method", "path"), CHANGES)
@SEEN
@given(body=BODIES)
def test_any_change_is_answered(still: World, method: str, path: str, body: Any) -> None:
    assert still.call(method, path, body).status_code < 500


@pytest.mark.parametrize("path", LISTS)
@SEEN
@given(query=st.lists(st.tuples(QUERIES, st.text(max_size=30) | st.integers().map(str)), max_size=4))
def test_any_query_is_answered(still: World, path: str, query: list[tuple[str, str]]) -> None:
    spelt = "&".join(f"{name}={quote(value, safe='', errors='surrogatepass')}" for name, value in query)
    assert still.call("GET", f"{path}?{spelt}").status_code < 500


@SEEN
@given(path=st.text(max_size=40), method=st.sampled_from(("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD")))
def test_any_path_is_answered(still: World, path: str, method: str) -> None:
    assert still.call(method, "/" + quote(path, errors="surrogatepass")).status_code < 500
