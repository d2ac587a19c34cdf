"""The status line: messages in, figures and sentences out."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from evcs.contracts.bridge import BridgeStatus
from evcs.contracts.envelope import Receipt
from evcs.contracts.gun import Goal, GunLevel, Telemetry
from evcs.contracts.order import OrderChange
from evcs.contracts.pile import PileStatus
from evcs.contracts.states import Band, GoalKind, GunState, OrderState
from evcs.contracts.transformer import TransformerPolicy
from evcs.up import texts
from evcs.up.figures import Fold
from evcs.up.supervisor import Died, Ready, Started, Stopped

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)
PILE = "32010200000001"
RECEIPT = Receipt(bridge="b1", started_ms=1, n=1)


def serial(number: int) -> str:
    return f"{PILE}01260301160000{number:02d}00"[:32].ljust(32, "0")


def bridge(*, online: bool = True, started_ms: int = 1) -> BridgeStatus:
    return BridgeStatus(version=1, bridge="b1", online=online, started_ms=started_ms, since=AT)


def pile(*, online: bool = True) -> PileStatus:
    return PileStatus(receipt=RECEIPT, version=1, pile=PILE, online=online, since=AT, bridge="b1", bridge_started_ms=1)


def gun(number: int, state: GunState) -> GunLevel:
    return GunLevel(receipt=RECEIPT, login_ms=1, version=1, pile=PILE, gun=number, state=state, since=AT)


def reading(number: int, energy: str) -> Telemetry:
    return Telemetry(
        receipt=RECEIPT,
        received_at=AT,
        pile=PILE,
        gun=1,
        state=GunState.CHARGING,
        serial=serial(number),
        energy_kwh=Decimal(energy),
    )


def order(number: int, state: OrderState, total_fen: int | None = None) -> OrderChange:
    return OrderChange(
        id="x",
        version=1,
        serial=serial(number),
        station="S1",
        pile=PILE,
        gun=1,
        state=state,
        goal=Goal(kind=GoalKind.FULL),
        at=AT,
        total_fen=total_fen,
    )


def fold(*messages: object) -> Fold:
    made = Fold()
    for message in messages:
        made.take(message)
    return made


def test_guns_are_counted_by_what_is_to_be_shown() -> None:
    guns = (gun(1, GunState.IDLE), gun(2, GunState.CHARGING), gun(2, GunState.FINISHED))
    assert fold(bridge(), pile(), *guns).figures(0).guns == ((GunState.IDLE, 1), (GunState.FINISHED, 1))
    for absent in ((bridge(online=False), pile()), (bridge(started_ms=2), pile()), (bridge(), pile(online=False)), ()):
        assert fold(*absent, *guns).figures(0).guns == ((GunState.OFFLINE, 2),)


def test_energy_is_the_sum_of_the_highest_reading_of_each_session() -> None:
    made = fold(reading(1, "1.5000"), reading(2, "0.2500"), reading(1, "2.0001"), reading(1, "1.9000"))
    assert made.figures(0).energy_kwh == Decimal("2.2501")


def test_order_is_counted_once_however_often_it_is_told() -> None:
    made = fold(
        order(1, OrderState.COMMANDED),
        order(2, OrderState.CHARGING),
        order(1, OrderState.SETTLED, 1234),
        order(1, OrderState.SETTLED, 1234),
        order(1, OrderState.ENDED),
        order(3, OrderState.REFUSED),
        order(4, OrderState.REVIEW),
        order(4, OrderState.SETTLED, 100),
    )
    figures = made.figures(0)
    assert (figures.open_orders, figures.settled_orders, figures.settled_fen) == (1, 2, 1334)
    assert figures.refused_orders == 1


def test_rate_is_that_since_the_figures_before() -> None:
    made = fold(bridge())
    assert made.figures(100.0).messages_per_s == 0.0
    for _ in range(10):
        made.take(bridge())
    assert made.figures(105.0).messages_per_s == 2.0
    assert made.figures(110.0).messages_per_s == 0.0


def test_status_line_tells_everything_in_one_line() -> None:
    policy = TransformerPolicy(
        version=1,
        transformer="T1",
        band=Band.LIMITED,
        load_pct=52.345,
        planned_pct=60.0,
        guns_kw=210.06,
        source="meter",
        since=AT,
    )
    unknown = TransformerPolicy(
        version=1, transformer="T2", band=Band.UNKNOWN, load_pct=None, planned_pct=None, source="meter", since=AT
    )
    made = fold(bridge(), pile(), gun(1, GunState.CHARGING), policy, unknown, reading(1, "3.1415"))
    made.take(order(1, OrderState.SETTLED, 415))
    assert texts.status_line(made.figures(0)) == (
        "1 charging | T1 210.1 kW, load 52.3 %, limited | T2 0.0 kW, load no figure, unknown"
        " | 3.14 kWh · orders 0 open, 1 settled (4.15 yuan) · 0.0 msg/s"
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("no such database", "no such database"),
        ('{"event": "service_stopped", "level": "info"}', "service_stopped"),
        ('{"event": "service_failed", "reason": "OSError: full"}', "service_failed: OSError: full"),
        ('{"event": "died", "exception": "Traceback\\n  x\\nKeyError: 1"}', "died: KeyError: 1"),
        ('{"event": "cut of', '{"event": "cut of'),
        ("[1]", "[1]"),
    ],
)
def test_last_words_are_told_to_a_person(line: str, told: str) -> None:
    assert texts.spoken(line) == told


def test_only_what_matters_is_told_of_a_child() -> None:
    assert texts.told(Started("rules", 7)) is None
    assert texts.told(Stopped("rules", killed=False)) is None
    assert texts.told(Stopped("rules", killed=True)) == "rules did not stop in time and was killed"
    assert texts.told(Ready("rules")) == "rules is ready"
    died = texts.told(Died("rules", -9, "", 4.0))
    assert died is not None
    assert died.startswith("rules was killed by signal 9 without a word")
    assert "again in 4 s" in died
    assert "log/rules.log" in died
