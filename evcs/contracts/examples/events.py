"""Examples of what happens to a gun, one of each kind."""

from typing import Any

from evcs.contracts import topics
from evcs.contracts.examples.story import (
    CARD,
    CARD_REQUEST,
    LINK,
    SERIAL,
    VIN,
    Example,
    at,
    of_gun,
    receipt,
)
from evcs.contracts.gun import (
    BatteryLimits,
    CardMode,
    CardRequest,
    ChargeEnding,
    Finding,
    GroundLock,
    GunEvent,
    GunEventKind,
    Vehicle,
)
from evcs.contracts.reasons import Reason
from evcs.contracts.states import StopClass


def _example(event: GunEvent, zh: str, en: str) -> Example[GunEvent]:
    return of_gun(topics.GUN_EVENT, event.kind.value, event, zh, en)


EXAMPLES: tuple[Example[Any], ...] = (
    _example(
        GunEvent(
            id="gun_event-83d7fe6a5443ba31864880d7",
            receipt=receipt(1),
            kind=GunEventKind.START_FAILED,
            received_at=at(8, 7, 31, 880),
            serial=SERIAL,
            reason=Reason.GUN_NOT_PLUGGED,
            pile_code=5,
            frame_hex="681edc0000333201060001923601241124160812000132010600019236010005830d",
        ),
        "启动失败：车未插枪",
        "a start that the pile refused: the gun is not plugged in",
    ),
    _example(
        GunEvent(
            id="gun_event-4f300eee0e9db73e7e2f4a8f",
            receipt=receipt(2),
            kind=GunEventKind.STOPPED,
            received_at=at(8, 20, 48, 120),
            serial=SERIAL,
            pile_code=64,
            stop_class=StopClass.NORMAL,
            card=CARD,
            vin=VIN,
        ),
        "充电结束：停止码 64",
        "the pile's record says why it ended (code 64)",
    ),
    _example(
        GunEvent(
            id=CARD_REQUEST,
            receipt=receipt(3),
            kind=GunEventKind.CARD_REQUEST,
            received_at=at(8, 8, 11, 640),
            link=LINK,
            card_request=CardRequest(mode=CardMode.CARD, card=CARD, expires_at=at(8, 8, 21, 640)),
        ),
        "司机刷卡要求启动",
        "a driver holds a card to the pile",
    ),
    _example(
        GunEvent(
            id="gun_event-5d11560ce656219a29177f88",
            receipt=receipt(4),
            kind=GunEventKind.BMS_HANDSHAKE,
            received_at=at(8, 8, 13, 120),
            serial=SERIAL,
            vehicle=Vehicle(
                vin=VIN,
                battery_type="LFP",
                rated_capacity_ah=280.0,
                rated_voltage_v=398.0,
                battery_maker="CATL",
                bms_version="1.1",
                charge_count=120,
            ),
            frame_hex=(
                "684d0e00001532010600019236012411241608120001320106000192360101010003f00a8c0f4341544c0102030426060f78000001004c"
                "47584331344141354d30313233343536100a0bdf07fffffff366"
            ),
        ),
        "握手：车辆信息（0x15）",
        "the car says what it is",
    ),
    _example(
        GunEvent(
            id="gun_event-0968a611ae15e8aca8a64348",
            receipt=receipt(5),
            kind=GunEventKind.BMS_LIMITS,
            received_at=at(8, 8, 13, 940),
            serial=SERIAL,
            limits=BatteryLimits(
                max_cell_voltage_v=3.65,
                max_voltage_v=430.0,
                max_current_a=250.0,
                max_temperature_c=55,
                nominal_energy_kwh=62.0,
                soc_pct=35.2,
                battery_voltage_v=372.1,
                pile_max_voltage_v=750.0,
                pile_min_voltage_v=200.0,
                pile_max_current_a=250.0,
                pile_min_current_a=1.0,
                max_power_kw=107.5,
            ),
        ),
        "参数配置：车与桩的限值（0x17）",
        "what car and pile can take and give",
    ),
    _example(
        GunEvent(
            id="gun_event-94ba1b4365f9108f825d892a",
            receipt=receipt(6),
            kind=GunEventKind.BMS_ERROR,
            received_at=at(8, 20, 46, 702),
            serial=SERIAL,
            findings=(
                Finding(
                    code="err8.bsd_timeout", value=1, zh="接收 BMS 充电统计报文超时", en="BMS statistics timed out"
                ),
            ),
            frame_hex="68241900001b32010600019236012411241608120001320106000192360100000000000000019bc6",
        ),
        "充电错误报文（0x1B）",
        "the pile waited in vain for the car's statistics",
    ),
    _example(
        GunEvent(
            id="gun_event-df1cff0844c3bb36121073d7",
            receipt=receipt(7),
            kind=GunEventKind.BMS_WARNING,
            received_at=at(8, 15, 2, 51),
            serial=SERIAL,
            findings=(Finding(code="flags1.soc", value=2, zh="整车动力蓄电池荷电状态 SOC 过低", en="SOC too low"),),
        ),
        "电池状态异常（0x25）",
        "a status bit of the battery is not normal",
    ),
    _example(
        GunEvent(
            id="gun_event-3a245ab7008dec43a9f61dc8",
            receipt=receipt(8),
            kind=GunEventKind.BMS_STOPPED,
            received_at=at(8, 20, 46, 990),
            serial=SERIAL,
            findings=(
                Finding(code="reason.soc_reached", value=1, zh="达到所需求的 SOC 目标值", en="SOC target reached"),
            ),
            frame_hex="68201a00001d320106000192360124112416081200013201060001923601010000005e12",
        ),
        "车端中止充电（0x1D）",
        "the car ended the charge",
    ),
    _example(
        GunEvent(
            id="gun_event-46405938fc67c30d38b7039e",
            receipt=receipt(9),
            kind=GunEventKind.CHARGER_STOPPED,
            received_at=at(8, 20, 47, 5),
            serial=SERIAL,
            findings=(
                Finding(
                    code="reason.condition_reached", value=1, zh="达到充电机设定的条件中止", en="set condition reached"
                ),
            ),
        ),
        "桩端中止充电（0x21）",
        "the charger ended the charge",
    ),
    _example(
        GunEvent(
            id="gun_event-d08ca53c3e9eb88da8c62e52",
            receipt=receipt(10),
            kind=GunEventKind.CHARGE_ENDED,
            received_at=at(8, 20, 47, 410),
            serial=SERIAL,
            ending=ChargeEnding(
                soc_pct=41.0,
                min_cell_voltage_v=3.88,
                max_cell_voltage_v=3.91,
                min_temperature_c=24,
                max_temperature_c=27,
                elapsed_min=12,
                energy_kwh=9.2,
            ),
        ),
        "充电结束统计（0x19）",
        "the figures of a finished charge",
    ),
    _example(
        GunEvent(
            id="gun_event-ecc9cac6f6c81c4f1a36e755",
            receipt=receipt(11),
            kind=GunEventKind.GROUND_LOCK,
            received_at=at(8, 3, 40),
            ground_lock=GroundLock(state="lowered", is_occupied=True, battery_pct=87),
        ),
        "地锁降下，车位有车",
        "the bay's lock is down and a car stands there",
    ),
    _example(
        GunEvent(
            id="gun_event-68068d053aab92cc7be2f654",
            receipt=receipt(12),
            kind=GunEventKind.FAULT_RAISED,
            received_at=at(9, 2, 11),
            fault_bits=130,
        ),
        "故障位出现",
        "fault bits appear",
    ),
    _example(
        GunEvent(
            id="gun_event-6d5a2e6691be238e8eeda04f",
            receipt=receipt(13),
            kind=GunEventKind.FAULT_CLEARED,
            received_at=at(9, 20, 54),
            fault_bits=130,
        ),
        "故障位消失",
        "fault bits disappear",
    ),
    _example(
        GunEvent(
            id="794fbd350b7e49bd8e7dedee5be3c509",
            receipt=receipt(14),
            kind=GunEventKind.CONFIRM_SENT,
            received_at=at(8, 20, 48, 305),
            serial=SERIAL,
        ),
        "已向桩写出 0x40",
        "0x40 is written to the pile",
    ),
)
