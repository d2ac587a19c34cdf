"""How far a charge at 120 kW goes beyond its goal: the pile's record against what the driver asked for."""

from dataclasses import dataclass
from typing import Any

from bridge.protocols.ykc.messages import TransactionRecord
from bridge.simulator.battery import Battery
from bridge.simulator.gun import Car
from bridge.simulator.link import SimulatedPile
from bridge.simulator.options import PileOptions
from evcs.contracts.states import OrderState
from tests.flows.platform import Platform

FULL_KW = 120.0
ENERGY = {"kind": "energy", "energy_kwh": "2"}
TIME = {"kind": "time", "duration_s": 60}
AMOUNT = {"kind": "amount", "amount_fen": 300}
"""Each takes about a minute at 120 kW."""


def options_of(stop_s: float) -> PileOptions:
    """A pile in real time, reporting every 15 s, whose current takes so long to fall to nothing after a stop."""
    return PileOptions(
        start_delay_s=(0.2, 0.4),
        stop_s=stop_s,
        record_delay_s=0.2,
        reconnect_s=(0.2, 1.0),
        cold_share=0,
        manual_stop_share=0,
    )


def strong_car() -> Car:
    """It takes 120 kW all the time."""
    return Car(Battery(capacity_wh=200_000, soc_pct=10, max_power_w=120_000, nominal_v=700), vin="LSVAU2A37N2183294")


@dataclass(frozen=True, slots=True)
class Beyond:
    """What a charge drew and took beyond its goal; below 0: it ended before it."""

    kwh: float
    seconds: float


async def beyond(platform: Platform, pile: SimulatedPile, goal: dict[str, Any]) -> Beyond:
    """Order, charge to the goal, and compare with the record; the car is plugged in already."""
    answer = await platform.order(pile.number, 1, goal)
    assert answer.status == 201, answer
    serial = str(answer.body["serial"])
    record = await pile.sent(TransactionRecord, lambda one: one.trade_no == serial, within_s=150)
    order = await platform.order_until(serial, lambda one: one.get("state") == OrderState.SETTLED, 60)
    assert record.start_time is not None
    assert record.end_time is not None
    kwh, seconds = float(record.total_kwh), (record.end_time - record.start_time).total_seconds()
    match goal["kind"]:
        case "energy":
            over_kwh = kwh - float(goal["energy_kwh"])
            return Beyond(over_kwh, over_kwh / FULL_KW * 3600)
        case "time":
            over_s = seconds - goal["duration_s"]
            return Beyond(over_s / 3600 * FULL_KW, over_s)
    paid_fen = order["total_fen"] + order["discount_fen"]
    over_kwh = (paid_fen - goal["amount_fen"]) / paid_fen * kwh
    return Beyond(over_kwh, over_kwh / FULL_KW * 3600)
