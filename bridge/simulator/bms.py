"""What a DC pile passes on of its talk with the car: 0x15, 0x17, 0x23, 0x25 and the frames of the end. Pure."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from bridge.protocols.ykc.codes import (
    APP_STOP,
    MANUAL_STOP,
    MONEY_LIMIT,
    SOC_FULL,
    BatteryType,
    ChargeMode,
    Ownership,
)
from bridge.protocols.ykc.messages import (
    BmsAbort,
    BmsDemand,
    BmsInformation,
    CellMax,
    ChargeEnd,
    ChargeError,
    ChargeHandshake,
    ChargeParameters,
    ChargerAbort,
    YkcMessage,
    gun_no,
)
from bridge.simulator.battery import Battery
from bridge.simulator.gun import Car, Gun, Session, kwh

CELL_V = 3.65
"""Nominal voltage of one cell."""
CELL_MAX_V = Decimal("4.25")
TEMP_MAX_C = 55
PILE_V = (Decimal(200), Decimal(1000))
PILE_A = (Decimal(1), Decimal(250))
SILENT_BMS = {0x84: 0b01, 0x85: 0b01 << 2, 0x87: 0b01 << 4}
"""Stop reason → byte 7 of 0x1B: BCS, BCL, BST did not come (YKC V1.6 0x1B, two-bit groups)."""
HIGHEST_A = 400.0
"""What the fields of 0x23 can hold."""
_NORMAL = {SOC_FULL, MONEY_LIMIT, APP_STOP, MANUAL_STOP}


def _tenth(value: float) -> Decimal:
    return Decimal(value).quantize(Decimal("0.1"), ROUND_HALF_UP)


def _cell(battery: Battery, lower: float = 0.0) -> Decimal:
    cells = max(1, round(battery.nominal_v / CELL_V))
    return Decimal(battery.voltage_v / cells - lower).quantize(Decimal("0.01"), ROUND_HALF_UP)


def beginning(gun: Gun, session: Session, car: Car) -> tuple[YkcMessage, ...]:
    """0x15 and 0x17: who the car is, what it and the pile can do."""
    battery, dice = car.battery, gun.dice
    most_a = _tenth(min(HIGHEST_A, battery.max_power_w / battery.voltage_v))
    return (
        ChargeHandshake(
            trade_no=session.trade_no,
            pile_no=gun.pile_no,
            gun_no=gun_no(gun.number),
            bms_version="010100",
            battery_type=BatteryType.LFP if battery.nominal_v < 380 else BatteryType.NMC,
            rated_ah=_tenth(battery.capacity_wh / battery.nominal_v),
            rated_v=_tenth(battery.nominal_v),
            maker="SIMU",
            pack_serial=f"{dice.randrange(1 << 32):08x}",
            made_year=2023,
            made_month=5,
            made_day=17,
            charge_count=dice.randrange(5, 900),
            ownership=Ownership.OWNED,
            reserved=0,
            vin=car.vin,
            bms_sw="01110ae707ffffff",
        ),
        ChargeParameters(
            trade_no=session.trade_no,
            pile_no=gun.pile_no,
            gun_no=gun_no(gun.number),
            cell_v_max=CELL_MAX_V,
            bms_i_max=most_a,
            energy_nominal=_tenth(battery.capacity_wh / 1000),
            bms_v_max=_tenth(battery.nominal_v * 1.1),
            temp_max=TEMP_MAX_C,
            soc=_tenth(battery.soc_pct),
            battery_v=_tenth(battery.voltage_v),
            pile_v_max=PILE_V[1],
            pile_v_min=PILE_V[0],
            pile_i_max=PILE_A[1],
            pile_i_min=PILE_A[0],
        ),
    )


def meanwhile(gun: Gun, session: Session, car: Car, now_ms: int, *, is_negative: bool) -> tuple[YkcMessage, ...]:
    """0x23 and 0x25, which go with every charging 0x13."""
    battery = car.battery
    sign = -1 if is_negative else 1
    taking_s = (now_ms - session.charging_ms - session.heated_ms) / 1000
    need_a = _tenth(min(HIGHEST_A, battery.demand_w(taking_s) / battery.voltage_v))
    volts, amps = Decimal(gun.volts_dv).scaleb(-1), Decimal(gun.amps_da).scaleb(-1)
    warmest = round(battery.temp_c)
    return (
        BmsDemand(
            trade_no=session.trade_no,
            pile_no=gun.pile_no,
            gun_no=gun_no(gun.number),
            need_v=_tenth(battery.nominal_v * 1.08),
            need_i=sign * need_a,
            mode=ChargeMode.CONSTANT_CURRENT if battery.soc_pct < 90 else ChargeMode.CONSTANT_VOLTAGE,
            meas_v=volts,
            meas_i=sign * amps,
            cell_max=CellMax(_cell(battery), 1),
            soc=int(battery.soc_pct),
            remain_min=gun.remain_min,
            pile_v=volts,
            pile_i=sign * amps,
            charged_min=gun.charged_min(now_ms),
        ),
        BmsInformation(
            trade_no=session.trade_no,
            pile_no=gun.pile_no,
            gun_no=gun_no(gun.number),
            cell_no=1 + gun.number % 96,
            temp_max=warmest,
            temp_max_point=3,
            temp_min=warmest - 2,
            temp_min_point=7,
            flags1=0b01 << 6 if battery.temp_c > TEMP_MAX_C else 0,
            flags2=0b01 << 4,  # charging permitted
        ),
    )


def ending(gun: Gun, session: Session, car: Car, reason: int, now_ms: int) -> tuple[YkcMessage, ...]:
    """0x19, 0x1B where somebody fell silent, 0x1D and 0x21, as a known pile sends them at every end."""
    battery = car.battery
    warmest = round(battery.temp_c)
    place: dict[str, Any] = {"trade_no": session.trade_no, "pile_no": gun.pile_no, "gun_no": gun_no(gun.number)}
    end = ChargeEnd(
        **place,
        soc=int(battery.soc_pct),
        cell_v_min=_cell(battery, 0.02),
        cell_v_max=_cell(battery),
        temp_min=warmest - 2,
        temp_max=warmest,
        charged_min=gun.charged_min(now_ms),
        energy=_tenth(float(kwh(session.tally.total_steps))),
        charger_no=0xFFFFFFFF,
    )
    silent = SILENT_BMS.get(reason)
    error = ChargeError(**place, err1=0, err2=0, err3=0, err4=0, err5=0, err6=0, err7=silent or 0, err8=0)
    by_car = BmsAbort(**place, reason=0b01 if reason == SOC_FULL else 0b01 << 6, fault=0, error=0)
    by_charger = ChargerAbort(
        **place,
        reason=_why_charger(reason),
        fault=0b01 << 8 if reason == 0x72 else 0b01 if reason == 0x74 else 0,
        error=0,
    )
    return (end, error, by_car, by_charger) if silent is not None else (end, by_car, by_charger)


def _why_charger(reason: int) -> int:
    """The two-bit groups of 0x21: condition reached, manual, abnormal, the BMS stopped."""
    if reason == SOC_FULL:
        return 0b01 << 6
    if reason == MANUAL_STOP:
        return 0b01 << 2
    return 0b01 if reason in _NORMAL else 0b01 << 4


def is_told(gun: Gun) -> bool:
    """Whether the pile has a BMS to tell of: a DC gun in a charge."""
    return not gun.is_ac and gun.is_drawing and gun.car is not None
