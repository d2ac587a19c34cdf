"""The monthly load report over HTTP: figures, gaps, refused and capped starts, overrides, alarms, files, scope."""

from datetime import datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import msgspec
import pytest
from openpyxl import load_workbook

from evcs.contracts.alarm import Alarm, AlarmKind, Severity
from evcs.contracts.gun import Figures, Verdict, VerdictKind
from evcs.contracts.measurements import (
    GUN,
    GUN_15M,
    TRANSFORMER,
    TRANSFORMER_1M,
    TRANSFORMER_15M,
    Measurement,
    Rollup,
)
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GoalKind, OrderState, StartSource
from evcs.contracts.times import BEIJING
from evcs.contracts.topics import Address
from evcs.store.interface import Point
from tests.webapi.http.test_isolation import without_id
from tests.webapi.http.world import NOW, World
from webapi.audit.note import note
from webapi.database import sessions
from webapi.faults.events import alarm_level
from webapi.orders.models import Order
from webapi.transformers.models import Transformer
from webapi.users.models import Role

PATH = "/transformers/s-a1-t/load-report"
DAY = datetime(2026, 11, 3, tzinfo=BEIJING)
EVIL = '=HYPERLINK("http://x","y")'


def row(rollup: Rollup, tags: tuple[str, ...], at: datetime, **values: float | int) -> Point:
    return Point(rollup.measurement, tags, tuple(values.get(name) for name in rollup.measurement.field_names), at)


def minutes(at: datetime, number: int, kva: float, peak: float | None = None) -> list[Point]:
    """Minutes of a metered load of so many kVA at a power factor of 0.9."""
    return [
        row(
            TRANSFORMER_1M,
            ("s-a1", "s-a1-t"),
            at + timedelta(minutes=n),
            apparent_mean_kva=kva,
            apparent_max_kva=peak or kva,
            active_mean_kw=kva * 0.9,
            points=12,
        )
        for n in range(number)
    ]


@pytest.fixture
def metered(world: World) -> World:
    """Two hours of the 3rd of November, 630 kVA: 63, 378, 567 and 693 kVA for half an hour each."""
    with sessions(world.engine).begin() as session:
        session.get_one(Transformer, "s-a1-t").has_meter = True
    half = timedelta(minutes=30)
    points = [one for n, kva in enumerate((63.0, 378.0, 567.0, 693.0)) for one in minutes(DAY + n * half, 30, kva)]
    world.telemetry.write([*points, *minutes(DAY + 4 * half, 1, 630.0, peak=700.0)])
    return world


def report(world: World, query: str = "?month=2026-11", token: str | None = None) -> dict[str, Any]:
    answer = world.call("GET", f"{PATH}{query}", token=token)
    assert answer.status_code == 200, answer.json
    return dict(answer.json)


def over(span: dict[str, Any]) -> dict[float, int]:
    return {one["pct"]: one["minutes"] for one in span["over"]}


def test_peak_minutes_over_and_energy_are_those_of_the_meter(metered: World) -> None:
    found = report(metered)
    month = found["figures"]
    assert (found["source"], found["step_minutes"], found["rated_kva"]) == ("meter", 1, 630)
    assert (month["peak_pct"], month["peak_kva"], month["peak_at"]) == (111.1, 700.0, "2026-11-02T18:00:00+00:00")
    assert over(month) == {50.0: 91, 80.0: 61, 100.0: 30}  # at exactly 100 % the lower level still applies
    assert month["energy_kwh"] == pytest.approx((63 + 378 + 567 + 693) * 0.9 / 2 + 630 * 0.9 / 60, abs=0.1)
    assert month["covered_minutes"] == 121


def test_time_without_data_is_a_gap_and_never_no_load(metered: World) -> None:
    found = report(metered)
    assert (found["begin"], found["end"]) == ("2026-10-31T16:00:00+00:00", "2026-11-24T12:50:00+00:00")
    assert found["is_whole"] is False
    third, fourth = found["days"][2], found["days"][3]
    assert (third["day"], third["span"]["coverage_pct"]) == ("2026-11-03", round(121 / 1440 * 100, 2))
    assert (fourth["day"], fourth["span"]["coverage_pct"]) == ("2026-11-04", 0.0)
    for name in ("peak_pct", "peak_at", "mean_pct", "energy_kwh"):
        assert fourth["span"][name] is None
    assert fourth["span"]["over"] == []
    assert found["days"][-1]["span"]["minutes"] == 20 * 60 + 50  # today, so far
    nothing = report(metered, "?month=2026-09")
    assert (nothing["is_whole"], nothing["figures"]["peak_pct"], len(nothing["days"])) == (True, None, 30)


def test_quarters_serve_where_the_minutes_are_gone(metered: World) -> None:
    at = DAY + timedelta(days=1)
    quarter = row(
        TRANSFORMER_15M, ("s-a1", "s-a1-t"), at, apparent_mean_kva=600.0, apparent_max_kva=640.0, active_mean_kw=500.0
    )
    doubled = row(TRANSFORMER_15M, ("s-a1", "s-a1-t"), DAY, apparent_mean_kva=630.0, apparent_max_kva=9999.0)
    metered.telemetry.write([quarter, doubled])
    span = report(metered)["days"][3]["span"]
    assert (span["covered_minutes"], span["peak_kva"], over(span)[80.0], span["energy_kwh"]) == (15, 640.0, 15, 125.0)
    assert report(metered)["figures"]["peak_kva"] == 700.0


def reading(measurement: Measurement, tags: tuple[str, ...], at: datetime, **values: float | str) -> Point:
    return Point(measurement, tags, tuple(values.get(name) for name in measurement.field_names), at)


def test_readings_serve_where_no_roll_up_is_yet(metered: World) -> None:
    today = NOW - timedelta(minutes=10)
    said = [
        reading(TRANSFORMER, ("s-a1", "s-a1-t"), today + timedelta(seconds=20 * n), apparent_kva=kva, active_kw=300.0)
        for n, kva in enumerate((500.0, 520.0, 540.0))
    ]
    again = reading(TRANSFORMER, ("s-a1", "s-a1-t"), DAY, apparent_kva=9999.0)
    metered.telemetry.write([*said, again])
    found = report(metered)
    last = found["days"][-1]["span"]
    assert (last["covered_minutes"], last["peak_kva"], last["energy_kwh"]) == (1, 540.0, 5.0)
    assert last["mean_pct"] == pytest.approx(520 / 6.3, abs=0.1)
    assert found["figures"]["peak_kva"] == 700.0  # a quarter with a roll-up has it alone


def test_guns_readings_serve_where_no_roll_up_is_yet(world: World) -> None:
    quarter, pile = NOW.replace(minute=30), world.ours.pile
    guns = [("1", 60.0, 0), ("1", 80.0, 60), ("2", 30.0, 30)]
    world.telemetry.write(
        [reading(GUN, ("s-a1", pile, gun), quarter + timedelta(seconds=s), power_kw=kw) for gun, kw, s in guns]
    )
    month = report(world)["figures"]
    assert month["covered_minutes"] == 15
    assert month["peak_kva"] == pytest.approx((70 + 30) / 0.94 / 0.95, abs=0.1)


def test_without_a_meter_the_guns_are_reckoned_up(world: World) -> None:
    with sessions(world.engine).begin() as session:
        transformer = session.get_one(Transformer, "s-a1-t")
        transformer.base_load_kw, transformer.power_factor = Decimal(19), Decimal("0.95")
    pile = world.ours.pile
    world.telemetry.write(
        [
            row(GUN_15M, ("s-a1", pile, "1"), DAY, power_mean_kw=94.0, power_max_kw=120.0, points=60),
            row(GUN_15M, ("s-a1", pile, "2"), DAY, power_mean_kw=47.0, points=60),
            row(GUN_15M, ("s-a1", pile, "1"), DAY + timedelta(minutes=15), points=3),
        ]
    )
    found = report(world)
    month = found["figures"]
    assert (found["source"], month["covered_minutes"]) == ("estimate", 30)
    assert month["peak_kva"] == pytest.approx((94 / 0.94 + 47 / 0.94 + 19) / 0.95, abs=0.1)
    assert month["energy_kwh"] == pytest.approx((169 + 19) / 4, abs=0.1)


def order(world: World, n: int, state: OrderState, **more: Any) -> Order:
    made = Order(
        serial=f"{world.ours.pile}01{n:016d}",
        tenant_id=world.ours.tenant,
        station_code="s-a1",
        pile_number=world.ours.pile,
        gun_no=1,
        customer_id=world.ours.customer,
        source=StartSource.CARD,
        created_by="test",
        goal_kind=GoalKind.FULL,
        state=state,
        state_since=NOW,
        requested_at=NOW - timedelta(hours=n),
    )
    for name, value in more.items():
        setattr(made, name, value)
    return made


def verdict(kind: VerdictKind, **more: Any) -> str:
    figures = Figures(load_pct=71.5, planned_pct=82.3, limited_pct=50.0, blocked_pct=80.0)
    said = Verdict(id="v", kind=kind, figures=figures, decided_at=NOW, **more)
    return msgspec.json.encode(said).decode()


@pytest.fixture
def eventful(metered: World) -> World:
    """A refused and a capped start, an override, an alarm of ours; of others, too."""
    with sessions(metered.engine).begin() as session:
        refusal = verdict(
            VerdictKind.REFUSED, reason=Reason.OVER_BLOCKED_THRESHOLD, zh="计划负荷 82.3% 超过 80%", en="planned 82.3%"
        )
        session.add_all(
            [
                order(
                    metered,
                    1,
                    OrderState.REFUSED,
                    refusal_code=Reason.OVER_BLOCKED_THRESHOLD.value,
                    verdict_json=refusal,
                ),
                order(
                    metered,
                    2,
                    OrderState.SETTLED,
                    cap_kw=Decimal(60),
                    verdict_json=verdict(VerdictKind.ADMITTED, cap_kw=60.0),
                    energy_kwh=Decimal("12.3456"),
                ),
                order(metered, 3, OrderState.SETTLED),
                order(metered, 24 * 40, OrderState.REFUSED, refusal_code=Reason.NO_HEADROOM.value),
            ]
        )
        actor = f"user:{metered.ours.users[Role.OPERATOR]}"
        for action, station, kind, what in (
            ("transformer_change", "s-a1", "transformer", "s-a1-t"),
            ("lockout", "s-a1", "pile", metered.ours.pile),
            ("transformer_change", "s-a1", "transformer", "s-a1-t9"),
            ("lockout", "s-a1", "gun", f"{metered.ours.pile}-2"),
            ("lockout", "s-a1", "gun", f"{metered.ours.other_pile}-2"),
            ("feeder_delete", "s-a1", "feeder", "gone"),
            ("station_stop", "s-a1", "station", "s-a1"),
            ("lockout", "s-a2", "pile", metered.ours.other_pile),
            ("pile_restart", "s-a1", "pile", metered.ours.pile),
        ):
            note(
                session,
                at=NOW - timedelta(minutes=1),
                actor=actor,
                action=action,
                station=station,
                object_kind=kind,
                object_id=what,
            )
        level = Alarm(
            version=1,
            alarm="a1",
            code="overload",
            kind=AlarmKind.WARNING,
            severity=Severity.CRITICAL,
            open=True,
            raised_at=NOW - timedelta(minutes=1),
            transformer="s-a1-t",
            zh=EVIL,
            en="overload",
        )
        alarm_level(session, Address(station="s-a1", alarm="a1"), level, NOW)
        alarm_level(
            session,
            Address(station="s-a1", alarm="a2"),
            msgspec.structs.replace(level, alarm="a2", transformer="s-a1-t9"),
            NOW,
        )
    return metered


def test_every_refused_and_capped_start_has_its_reason(eventful: World) -> None:
    found = report(eventful)
    (refused,) = found["refused"]["items"]
    assert (refused["code"], refused["zh"]) == ("over_blocked_threshold", "计划负荷 82.3% 超过 80%")
    assert (refused["load_pct"], refused["planned_pct"], refused["source"]) == (71.5, 82.3, "card")
    (capped,) = found["capped"]["items"]
    assert (capped["cap_kw"], capped["planned_pct"]) == (60.0, 82.3)
    assert "限至 60 kW" in capped["zh"]
    assert (found["starts"], found["charged_kwh"], found["refused"]["left_out"]) == (3, 12.3456, 0)


def test_overrides_and_alarms_are_those_that_reach_this_transformer(eventful: World) -> None:
    found = report(eventful)
    assert [(one["action"], one["name"]) for one in found["overrides"]["items"]] == [
        ("transformer_change", "operator-a"),
        ("lockout", "operator-a"),
        ("lockout", "operator-a"),
        ("feeder_delete", "operator-a"),
        ("station_stop", "operator-a"),
    ]
    assert [one["code"] for one in found["alarms"]["items"]] == ["overload"]


def test_the_workbook_has_typed_cells_and_no_formula(eventful: World) -> None:
    answer = eventful.call("GET", f"{PATH}?month=2026-11&format=xlsx")
    assert answer.status_code == 200
    assert 'filename="load-report-s-a1-t-2026-11.xlsx"' in answer.headers["Content-Disposition"]
    book = load_workbook(BytesIO(answer.data))
    assert book.sheetnames == ["概要", "每日负荷", "被拒绝的启动", "限功率的启动", "人工操作记录", "故障与预警记录"]
    head = {one[0].value: one[1].value for one in book["概要"].iter_rows(min_row=4) if len(one) > 1}
    assert (head["最高负载率"], head["高于 80% 的时间"]) == (111.1, 61)
    days = list(book["每日负荷"].iter_rows(min_row=2, values_only=True))
    assert days[2][:3] == (DAY.replace(tzinfo=None), 8.4, 111.1)
    assert days[3][2] == "—"
    evil = [cell for line in book["故障与预警记录"].iter_rows() for cell in line if cell.value == EVIL]
    assert [(cell.data_type, cell.quotePrefix) for cell in evil] == [("s", True)]
    assert all(cell.data_type != "f" for sheet in book for line in sheet.iter_rows() for cell in line)


@pytest.mark.parametrize(("accept", "title"), [("zh-CN", "变压器负荷月报"), ("en", "Monthly load report")])
def test_the_document_is_a_pdf_in_the_language_asked_for(eventful: World, accept: str, title: str) -> None:
    answer = eventful.call("GET", f"{PATH}?month=2026-11&format=pdf", headers={"Accept-Language": accept})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/pdf")
    assert answer.data.startswith(b"%PDF-")
    assert b"STSong-Light" in answer.data
    spelt = b"\xfe\xff" + title.encode("utf-16-be") if accept == "zh-CN" else title.encode()
    assert escaped(spelt) in answer.data


def escaped(text: bytes) -> bytes:
    """A PDF string as it stands in the file."""
    return b"".join(bytes([one]) if 32 <= one < 127 and one not in b"()\\" else b"\\%03o" % one for one in text)


def test_another_s_transformer_answers_like_none(world: World) -> None:
    for form in ("json", "xlsx", "pdf"):
        seen = world.call("GET", f"/transformers/s-b1-t/load-report?month=2026-11&format={form}")
        nothing = world.call("GET", f"/transformers/none/load-report?month=2026-11&format={form}")
        assert seen.status_code == 404
        assert without_id(seen) == without_id(nothing)
    assert world.call("GET", f"{PATH}?month=2026-11", token=world.ours.driver_token).status_code == 403
    assert world.call("GET", f"{PATH}?month=2026-11", token=world.ours.limited_token).status_code == 200


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 422, "invalid"),
        ("?month=2026-13", 422, "invalid"),
        ("?month=2026-11&format=doc", 422, "invalid"),
        ("?month=2026-12", 409, "month_to_come"),
    ],
)
def test_a_month_that_is_none_is_told(still: World, query: str, status: int, code: str) -> None:
    answer = still.call("GET", f"{PATH}{query}")
    assert (answer.status_code, answer.json["code"]) == (status, code)
