"""Live values of a gun (YKC V1.6 §4.2)."""

from bridge import words
from bridge.protocols.ykc import codes
from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.translate.common import Hear, Tell, gun, serial, temperature

_WIRE: dict[int, words.WireState] = {
    codes.GunState.OFFLINE: words.WireState.OFFLINE,
    codes.GunState.FAULT: words.WireState.FAULTED,
    codes.GunState.IDLE: words.WireState.IDLE,
    codes.GunState.CHARGING: words.WireState.CHARGING,
}
_PLUGGED: dict[int, bool] = {0: False, 1: True}


def _reading(message: ykc.RealtimeData) -> words.Reading:
    trade = serial(message.trade_no)
    wire = _WIRE.get(message.state)
    if wire is not words.WireState.CHARGING and trade is None:
        # At rest every other value is the zero that stands for "none".
        return words.Reading(
            pile=message.pile_no,
            gun=gun(message.gun_no),
            wire=wire,
            serial=None,
            plugged=_PLUGGED.get(message.plugged),
            fault_bits=message.fault_bits,
            cable_temp_c=temperature(message.cable_temp),
            battery_temp_max_c=temperature(message.battery_temp_max),
        )
    return words.Reading(
        pile=message.pile_no,
        gun=gun(message.gun_no),
        wire=wire,
        serial=trade,
        plugged=_PLUGGED.get(message.plugged),
        fault_bits=message.fault_bits,
        voltage_v=float(message.voltage),
        current_a=float(message.current),
        energy_kwh=message.kwh,
        # AC piles do not know it and say 0, DC piles say 0 until the car has told them.
        soc_pct=float(message.soc) if message.soc else None,
        cable_temp_c=temperature(message.cable_temp),
        battery_temp_max_c=temperature(message.battery_temp_max),
        elapsed_min=message.charged_min,
        remaining_min=message.remain_min,
        cost_fen=message.amount * 100,
    )


HEAR: Hear = {ykc.RealtimeData: _reading}
TELL: Tell = {words.ReadGun: lambda told: ykc.ReadRealtime(pile_no=told.pile, gun_no=ykc.gun_no(told.gun))}
