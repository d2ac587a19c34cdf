"""What befalls a charge in its middle: lost links, lost power, a silent BMS, broken hardware."""

from dataclasses import dataclass

from bridge.protocols.ykc.codes import CONTROL_SYSTEM_FAULT, EMERGENCY_STOP, POWER_LOST, StartFailure
from bridge.simulator.bms import SILENT_BMS
from bridge.simulator.charging import Charging
from bridge.simulator.core import Core
from bridge.simulator.gun import Gun, Phase
from bridge.simulator.reports import Reports
from bridge.simulator.troubles import MID_CHARGE, Trouble


@dataclass(frozen=True, slots=True)
class Fault:
    """A hardware fault: BitN of the text (YKC V1.6 0x13), and how a charge ends by it."""

    bit: int
    reason: int


FAULTS = (
    Fault(1, EMERGENCY_STOP),
    Fault(2, 0x71),  # no rectifier module
    Fault(3, 0x74),  # outlet too hot
    Fault(4, 0x73),  # surge protector
    Fault(7, 0x6D),  # energy meter lost
    Fault(11, 0x70),  # DC fuse
    Fault(12, 0x75),  # contactor
    Fault(13, 0x6A),  # door open
)


class Mishaps:
    """Draws mishaps when current begins, and carries them out a little later."""

    def __init__(self, core: Core, charging: Charging, reports: Reports) -> None:
        self._core = core
        self._charging = charging
        self._reports = reports
        core.on_began.append(self._began)
        core.on_ended.append(self._ended)

    def _began(self, gun: Gun, now_ms: int) -> None:
        core, troubles = self._core, self._core.troubles
        for trouble in MID_CHARGE:
            if troubles.happens(trouble):
                wait_s = troubles.dice.uniform(*core.options.mishap_s) / core.options.speed
                core.after(("mishap", gun.number, trouble), wait_s, now_ms, self._work(gun, trouble))

    def _work(self, gun: Gun, trouble: Trouble) -> "_Mishap":
        return _Mishap(self, gun, trouble)

    def _ended(self, gun: Gun, _: int) -> None:
        for trouble in MID_CHARGE:
            self._core.timers.cancel(("mishap", gun.number, trouble))

    def befall(self, gun: Gun, trouble: Trouble, now_ms: int) -> None:
        """Let it happen now."""
        core, dice = self._core, self._core.troubles.dice
        away_s = dice.uniform(*core.options.away_s) / core.options.speed
        match trouble:
            case Trouble.DROP:
                core.hang_up("dropped")
            case Trouble.HALF_OPEN:
                core.is_deaf = core.connected
            case Trouble.VANISH:
                core.is_deaf = core.connected
                core.hang_up("vanished", away_s, silent=True)
            case Trouble.POWER_LOSS:
                self.lose_power(away_s, now_ms)
            case Trouble.BMS_ERROR:
                self._charging.end(gun, dice.choice(tuple(SILENT_BMS)), now_ms)
            case Trouble.FAULT:
                fault = dice.choice(FAULTS)
                self.fail(gun, 1 << (fault.bit - 1 + core.options.fault_bit_base), fault.reason, now_ms)
                repair_s = dice.uniform(*core.options.repair_s) / core.options.speed
                core.after(("repair", gun.number), repair_s, now_ms, lambda at: self.repair(gun, at))

    def lose_power(self, away_s: float, now_ms: int) -> None:
        """Everything stops without a word; the records come after the next login."""
        core = self._core
        core.is_dark = core.is_deaf = True
        self._charging.end_all(POWER_LOST, now_ms)
        core.hang_up("power_lost", away_s, silent=True)

    def fail(self, gun: Gun, bits: int, reason: int, now_ms: int) -> None:
        """Bits into 0x13, state fault; a running session ends with `reason`."""
        gun.fault_bits, gun.faulty = bits, True
        if gun.session is None:
            self._reports.report(gun, now_ms)
        elif gun.session.phase is Phase.STARTING:
            self._charging.start_failed(gun, StartFailure.DEVICE_FAULT, CONTROL_SYSTEM_FAULT, now_ms)
        else:
            self._charging.end(gun, reason, now_ms)

    def repair(self, gun: Gun, now_ms: int) -> None:
        """The fault is gone."""
        gun.fault_bits, gun.faulty = 0, False
        self._reports.report(gun, now_ms)


@dataclass(frozen=True, slots=True)
class _Mishap:
    """Work for a timer."""

    owner: Mishaps
    gun: Gun
    trouble: Trouble

    def __call__(self, now_ms: int) -> None:
        self.owner.befall(self.gun, self.trouble, now_ms)
