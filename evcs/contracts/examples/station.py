"""Examples of a transformer's values and of what a station shows: alarms and orders."""

from decimal import Decimal
from typing import Any

from evcs.contracts import topics
from evcs.contracts.alarm import Alarm, AlarmAction, AlarmKind, Severity
from evcs.contracts.examples.gate import GOAL
from evcs.contracts.examples.story import (
    GUN,
    NEIGHBOUR,
    PILE,
    SERIAL,
    STATION,
    TRANSFORMER,
    Example,
    at,
    of_transformer,
)
from evcs.contracts.order import OrderChange
from evcs.contracts.reasons import Reason
from evcs.contracts.states import Band, OrderState
from evcs.contracts.times import to_ms
from evcs.contracts.transformer import TransformerPolicy, TransformerQueue, TransformerReading, Waiting

ALARM_ID = f"{PILE}-1-bit1"


def _alarm(name: str, alarm: Alarm, zh: str, en: str) -> Example[Alarm]:
    return Example(topics.ALARM, name, topics.ALARM.at(station=STATION, alarm=ALARM_ID), alarm, zh, en)


def _order(change: OrderChange, zh: str, en: str) -> Example[OrderChange]:
    address = topics.ORDER.at(station=STATION, serial=change.serial)
    return Example(topics.ORDER, change.state.value, address, change, zh, en)


EXAMPLES: tuple[Example[Any], ...] = (
    of_transformer(
        topics.READING,
        "meter",
        TransformerReading(
            transformer=TRANSFORMER,
            received_at=at(8, 8, 10),
            apparent_kva=330.1,
            active_kw=316.9,
            phase_kva=(112.0, 109.4, 108.7),
            phase_voltage_v=(231.2, 230.6, 231.9),
            phase_current_a=(484.4, 474.4, 468.7),
            oil_temp_c=58.0,
        ),
        "变压器电表读数",
        "a reading of the transformer's meter",
    ),
    of_transformer(
        topics.POLICY,
        "limited",
        TransformerPolicy(
            version=to_ms(at(8, 2, 30)),
            transformer=TRANSFORMER,
            band=Band.LIMITED,
            load_pct=52.4,
            planned_pct=52.4,
            load_kva=330.1,
            guns_kw=241.6,
            rated_kva=630.0,
            source="meter",
            why_zh="负荷 52.4%，超过 50%：新启动限到半功率。",
            why_en="Load 52.4%, over 50%: new starts get half their power.",
            since=at(8, 2, 30),
        ),
        "负荷超过 50%：新启动限半功率",
        "over 50 %: new starts get half their power",
    ),
    of_transformer(
        topics.POLICY,
        "unknown",
        TransformerPolicy(
            version=to_ms(at(9, 31)),
            transformer=TRANSFORMER,
            band=Band.UNKNOWN,
            load_pct=None,
            planned_pct=None,
            guns_kw=241.6,
            rated_kva=630.0,
            source="meter",
            why_zh="变压器电表 60 秒没有读数，暂停新的充电。",
            why_en="No reading of the transformer's meter for 60 s; new charges wait.",
            since=at(9, 31),
        ),
        "电表失联：没有数值，暂停新的充电",
        "the meter is silent: no figure, no new charge",
    ),
    of_transformer(
        topics.QUEUE,
        "one_waits",
        TransformerQueue(
            version=to_ms(at(8, 10, 5)),
            transformer=TRANSFORMER,
            waiting=(Waiting(serial=NEIGHBOUR, pile=PILE, gun=2, position=1, expires_at=at(8, 40, 5)),),
        ),
        "一张订单在排队",
        "one order waits for the band",
    ),
    _alarm(
        "open",
        Alarm(
            version=to_ms(at(9, 2, 11, 30)),
            alarm=ALARM_ID,
            code="bit1",
            kind=AlarmKind.FAULT,
            severity=Severity.CRITICAL,
            open=True,
            raised_at=at(9, 2, 11, 30),
            pile=PILE,
            gun=GUN,
            transformer=TRANSFORMER,
            action=AlarmAction.ALARM,
            zh="急停按钮动作故障",
            en="emergency stop pressed",
        ),
        "故障告警（保留，直到解除）",
        "a fault; retained while it is open",
    ),
    _alarm(
        "cleared",
        Alarm(
            version=to_ms(at(9, 20, 54)),
            alarm=ALARM_ID,
            code="bit1",
            kind=AlarmKind.FAULT,
            severity=Severity.CRITICAL,
            open=False,
            raised_at=at(9, 2, 11, 30),
            cleared_at=at(9, 20, 54),
            pile=PILE,
            gun=GUN,
            transformer=TRANSFORMER,
            action=AlarmAction.ALARM,
            zh="急停按钮动作故障",
            en="emergency stop pressed",
        ),
        "告警解除（随后清除保留消息）",
        "the fault is gone; then the retained message is cleared",
    ),
    _order(
        OrderChange(
            id=f"{SERIAL}-6",
            version=6,
            serial=SERIAL,
            station=STATION,
            pile=PILE,
            gun=GUN,
            state=OrderState.CHARGING,
            goal=GOAL,
            at=at(8, 8, 15, 216),
            energy_kwh=Decimal("0.0000"),
        ),
        "订单进入充电中",
        "the order's charge has begun",
    ),
    _order(
        OrderChange(
            id=f"{SERIAL}-11",
            version=11,
            serial=SERIAL,
            station=STATION,
            pile=PILE,
            gun=GUN,
            state=OrderState.SETTLED,
            goal=GOAL,
            at=at(8, 20, 48, 290),
            energy_kwh=Decimal("9.2035"),
            total_fen=1012,
        ),
        "已结算：9.2035 kWh，10.12 元",
        "settled: 9.2035 kWh for 10.12 yuan",
    ),
    _order(
        OrderChange(
            id=f"{NEIGHBOUR}-2",
            version=2,
            serial=NEIGHBOUR,
            station=STATION,
            pile=PILE,
            gun=2,
            state=OrderState.REFUSED,
            goal=GOAL,
            at=at(8, 10, 5, 31),
            reason=Reason.NO_HEADROOM,
        ),
        "被拒绝：变压器余量不足",
        "refused for want of headroom",
    ),
)
