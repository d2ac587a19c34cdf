"""Who asks too often is told when to come back; others are served."""

from flask import Flask
from sqlalchemy import Engine

from evcs.runtime.clock import ManualClock
from evcs.store.interface import TelemetryStore
from tests.webapi.http.world import World
from webapi.app import create_app
from webapi.database import sessions
from webapi.http.call import Adapters
from webapi.http.limits import Rates
from webapi.users.models import Role


def limited(engine: Engine, telemetry: TelemetryStore, rates: Rates) -> Flask:
    return create_app(Adapters(engine, sessions(engine), telemetry, ManualClock()), rates=rates)


def get(app: Flask, token: str, language: str = "zh-CN") -> tuple[int, dict[str, object]]:
    answer = app.test_client().get(
        "/api/v1/stations", headers={"Authorization": f"Bearer {token}", "Accept-Language": language}
    )
    return answer.status_code, {**(answer.json or {}), "retry_after": answer.headers.get("Retry-After")}


def test_reads_over_the_rate_are_refused_with_the_time_to_wait_and_others_are_served(still: World) -> None:
    app = limited(still.engine, still.telemetry, Rates(reads=5, changes=5, strangers=5))
    clerk, admin = still.ours.tokens[Role.OPERATOR], still.ours.tokens[Role.TENANT_ADMIN]
    assert [get(app, clerk)[0] for _ in range(5)] == [200] * 5
    status, told = get(app, clerk, "en")
    assert (status, told["code"]) == (429, "too_many_requests")
    assert str(told["retry_after"]) in str(told["detail"])
    assert 1 <= int(str(told["retry_after"])) <= 60
    assert get(app, admin)[0] == 200


def test_reads_do_not_use_up_changes(still: World) -> None:
    app = limited(still.engine, still.telemetry, Rates(reads=1, changes=1, strangers=1))
    token = still.ours.tokens[Role.TENANT_ADMIN]
    assert [get(app, token)[0] for _ in range(2)] == [200, 429]
    sent = {"Authorization": f"Bearer {token}", "Idempotency-Key": "k"}
    changes = [app.test_client().post("/api/v1/orders", headers=sent, json={}).status_code for _ in range(2)]
    assert changes == [422, 429]


def test_strangers_are_counted_per_address(still: World) -> None:
    app = limited(still.engine, still.telemetry, Rates(reads=0, changes=0, strangers=2))
    paths = [app.test_client().get("/api/v1/stations").status_code for _ in range(3)]
    assert paths == [401, 401, 429]
    elsewhere = app.test_client().get("/api/v1/stations", environ_base={"REMOTE_ADDR": "10.9.9.9"})
    assert elsewhere.status_code == 401
    assert app.test_client().get("/healthz").status_code != 429
