"""What car and charger say in the course of a charge (YKC V1.6 §4.3, GB/T 27930): currents become magnitudes here."""

from decimal import Decimal

from bridge import words
from bridge.protocols.ykc import codes
from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.findings import findings
from bridge.protocols.ykc.translate.common import Hear, Tell, gun, temperature, vin
from evcs.contracts.gun import BatteryLimits, ChargeEnding, Finding, Vehicle
from evcs.contracts.states import StopClass

_BATTERIES: dict[int, str] = {
    codes.BatteryType.LEAD_ACID: "lead-acid",
    codes.BatteryType.NIMH: "NiMH",
    codes.BatteryType.LFP: "LFP",
    codes.BatteryType.LMO: "LMO",
    codes.BatteryType.LCO: "LCO",
    codes.BatteryType.NMC: "NMC",
    codes.BatteryType.LI_POLYMER: "Li-polymer",
    codes.BatteryType.LTO: "LTO",
    codes.BatteryType.OTHER: "other",
}
_NO_VERSION = "000000"
_OTHER_SIDE = frozenset({"reason.charger_stopped", "reason.bms_stopped"})
"""Says only that the other side ended it; that one says why."""
_NO_FAULT = _OTHER_SIDE | {
    "reason.soc_reached",
    "reason.voltage_reached",
    "reason.cell_voltage_reached",
    "reason.condition_reached",
    "reason.manual",
}


def _or_none(value: Decimal | int) -> float | None:
    """A value whose zero stands for none."""
    return float(value) if value else None


def _amps(current: Decimal, voltage: Decimal) -> float | None:
    """Magnitude: makers disagree on the sign (protocol reference §10). None beside a voltage that is none.

    A current of raw 0 is 400 A for those who count downwards, so that only the voltage tells whether there is any.
    """
    return float(abs(current)) if voltage else None


def _vehicle(message: ykc.ChargeHandshake) -> words.VehicleSaid:
    version = message.bms_version
    return words.VehicleSaid(
        message.pile_no,
        gun(message.gun_no),
        message.trade_no,
        Vehicle(
            vin=vin(message.vin),
            battery_type=_BATTERIES.get(message.battery_type, f"0x{int(message.battery_type):02X}"),
            rated_capacity_ah=_or_none(message.rated_ah),
            rated_voltage_v=_or_none(message.rated_v),
            battery_maker=_text(message.maker),
            # Three bytes, 01 01 00 for V1.1: the first is the main version, the other two the second, low byte first.
            bms_version=""
            if version == _NO_VERSION
            else f"{int(version[:2], 16)}.{int(version[4:] + version[2:4], 16)}",
            charge_count=message.charge_count or None,
        ),
    )


def _text(raw: str) -> str:
    return "".join(letter for letter in raw if letter.isprintable()).strip() if raw.isascii() else ""


def _limits(message: ykc.ChargeParameters) -> words.LimitsSaid:
    bms_v, pile_v = message.bms_v_max, message.pile_v_max
    bms_i, pile_i = _amps(message.bms_i_max, bms_v), _amps(message.pile_i_max, pile_v)
    voltages = [float(voltage) for voltage in (bms_v, pile_v) if voltage]
    currents = [current for current in (bms_i, pile_i) if current is not None]
    return words.LimitsSaid(
        message.pile_no,
        gun(message.gun_no),
        message.trade_no,
        BatteryLimits(
            max_cell_voltage_v=_or_none(message.cell_v_max),
            max_voltage_v=_or_none(bms_v),
            max_current_a=bms_i,
            max_temperature_c=temperature(message.temp_max),
            nominal_energy_kwh=_or_none(message.energy_nominal),
            soc_pct=_or_none(message.soc),
            battery_voltage_v=_or_none(message.battery_v),
            pile_max_voltage_v=_or_none(pile_v),
            pile_min_voltage_v=_or_none(message.pile_v_min),
            pile_max_current_a=pile_i,
            pile_min_current_a=_amps(message.pile_i_min, pile_v),
            # The car's word is needed: what the pile alone can give says nothing about the car.
            max_power_kw=round(min(voltages) * min(currents) / 1000, 3) if bms_i else None,
        ),
    )


def _ending(message: ykc.ChargeEnd) -> words.EndingSaid:
    return words.EndingSaid(
        message.pile_no,
        gun(message.gun_no),
        message.trade_no,
        ChargeEnding(
            soc_pct=_or_none(message.soc),
            min_cell_voltage_v=_or_none(message.cell_v_min),
            max_cell_voltage_v=_or_none(message.cell_v_max),
            min_temperature_c=temperature(message.temp_min),
            max_temperature_c=temperature(message.temp_max),
            elapsed_min=message.charged_min,
            energy_kwh=float(message.energy),
        ),
    )


def _error(message: ykc.ChargeError) -> words.BmsErrorSaid:
    return words.BmsErrorSaid(message.pile_no, gun(message.gun_no), message.trade_no, findings(message))


def stop_class(found: tuple[Finding, ...]) -> StopClass:
    """Why a charge ended, from what 0x1D or 0x21 flags. A value of 2 is not trustworthy and decides nothing."""
    sure = {finding.code for finding in found if finding.value == 1}
    if sure - _NO_FAULT:
        return StopClass.ABNORMAL
    return StopClass.NORMAL if sure - _OTHER_SIDE else StopClass.UNKNOWN


def _abort(message: ykc.BmsAbort | ykc.ChargerAbort) -> words.AbortSaid:
    found = findings(message)
    return words.AbortSaid(
        message.pile_no,
        gun(message.gun_no),
        message.trade_no,
        by_car=isinstance(message, ykc.BmsAbort),
        stop_class=stop_class(found),
        findings=found,
    )


def _demand(message: ykc.BmsDemand) -> words.DemandSaid:
    return words.DemandSaid(
        message.pile_no,
        gun(message.gun_no),
        message.trade_no,
        voltage_v=_or_none(message.need_v),
        current_a=_amps(message.need_i, message.need_v),
        cell_voltage_max_v=_or_none(message.cell_max.cell_v),
        soc_pct=_or_none(message.soc),
        remaining_min=message.remain_min or None,
    )


def _battery(message: ykc.BmsInformation) -> words.BatterySaid:
    return words.BatterySaid(
        message.pile_no,
        gun(message.gun_no),
        message.trade_no,
        temp_max_c=temperature(message.temp_max),
        temp_min_c=temperature(message.temp_min),
        findings=findings(message),
    )


HEAR: Hear = {
    ykc.ChargeHandshake: _vehicle,
    ykc.ChargeParameters: _limits,
    ykc.ChargeEnd: _ending,
    ykc.ChargeError: _error,
    ykc.BmsAbort: _abort,
    ykc.ChargerAbort: _abort,
    ykc.BmsDemand: _demand,
    ykc.BmsInformation: _battery,
}
TELL: Tell = {}
