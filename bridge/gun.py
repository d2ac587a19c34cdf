"""Pure: readings, starts and lockouts → `G/state`; nobody else decides what a gun is doing.

Source: the gun state map of the domain; YKC V1.6 0x13 (state and plug), "two idle frames during an order".
"""

from dataclasses import dataclass

import msgspec

from bridge.words import Reading, WireState
from evcs.contracts.states import GunState


@dataclass(frozen=True, slots=True)
class Began:
    """A charge was seen for the first time, whoever started it."""

    serial: str | None


@dataclass(frozen=True, slots=True)
class Ended:
    """A charge that ran is over."""

    serial: str | None


@dataclass(frozen=True, slots=True)
class FaultsRaised:
    bits: int


@dataclass(frozen=True, slots=True)
class FaultsCleared:
    bits: int


Happening = Began | Ended | FaultsRaised | FaultsCleared


class Shown(msgspec.Struct, frozen=True, gc=False):
    """What `G/state` says apart from order and time."""

    state: GunState
    serial: str | None
    plugged: bool | None
    fault_bits: int


class Gun:
    """One gun as its pile shows it, over all of the pile's links."""

    __slots__ = (
        "_idle_frames",
        "_wire",
        "ended",
        "fault_bits",
        "is_charging",
        "is_heard",
        "is_locked",
        "is_online",
        "last",
        "number",
        "pending",
        "plugged",
        "running",
    )

    def __init__(self, number: int) -> None:
        self.number = number
        self.is_heard = False
        """Whether the pile has said anything about it since its login."""
        self.is_online = False
        self.is_locked = False
        """停用: shown as soon as nothing runs."""
        self.is_charging = False
        self.running: str | None = None
        """Serial of the charge under way; a lost link does not end it."""
        self.pending: str | None = None
        """Serial of a start that was written and is not seen charging yet."""
        self.ended: str | None = None
        """Serial of the charge that ended while the plug stayed in."""
        self.last: str | None = None
        """Serial of the charge that ended last; car and charger still speak of it."""
        self.plugged: bool | None = None
        self.fault_bits = 0
        self._wire: WireState | None = None
        self._idle_frames = 0

    @property
    def is_running(self) -> bool:
        return self.is_charging or self.pending is not None

    @property
    def serial(self) -> str | None:
        """Of what runs or is starting."""
        return self.running if self.is_charging else self.pending

    def is_of_now(self, serial: str) -> bool:
        """Whether this serial runs, is starting, or is the one that ended last."""
        return serial in (self.running, self.pending, self.last)

    def logged_in(self) -> None:
        """The pile is back; what its guns do it has still to say."""
        self.is_online = True
        self.is_heard = False

    def lost(self) -> None:
        """The link is gone; a charge that ran goes on for all we know."""
        self.is_online = False
        self.is_heard = False

    def start_written(self, serial: str) -> None:
        """0x34 is on its way."""
        self.pending = serial
        self._idle_frames = 0

    def start_over(self, serial: str) -> None:
        """The start came to nothing (refused, or its time is over)."""
        if self.pending == serial:
            self.pending, self.last = None, serial

    def record_came(self, serial: str) -> list[Happening]:
        """A charge record of this serial: it is over, whether or not a reading has shown it (their order varies)."""
        self.start_over(serial)
        if self.is_charging and self.running == serial:
            return [self._end()]
        return []

    def heard(self, reading: Reading) -> list[Happening]:
        """Take a reading; returns what happened, in order."""
        happened: list[Happening] = []
        raised, cleared = reading.fault_bits & ~self.fault_bits, self.fault_bits & ~reading.fault_bits
        self.fault_bits = reading.fault_bits
        if raised:
            happened.append(FaultsRaised(raised))
        if cleared:
            happened.append(FaultsCleared(cleared))
        if reading.plugged is not None:
            self.plugged = reading.plugged
        self.is_heard = True
        if reading.wire is not None:
            self._wire = reading.wire
        if reading.wire is WireState.CHARGING:
            happened += self._charges(reading.serial)
        elif reading.wire in (WireState.IDLE, WireState.FAULTED):
            happened += self._rests(reading.serial)
        return happened

    def _charges(self, said: str | None) -> list[Happening]:
        serial = said or self.running or self.pending
        self._idle_frames = 0
        happened: list[Happening] = []
        if self.is_charging and self.running != serial:
            happened.append(Ended(self.running))
            self.is_charging, self.last = False, self.running
        if self.pending == serial:
            self.pending = None
        if not self.is_charging:
            happened.append(Began(serial))
        self.is_charging, self.running, self.ended = True, serial, None
        return happened

    def _rests(self, said: str | None) -> list[Happening]:
        happened: list[Happening] = []
        if self.is_charging:
            self._idle_frames += 1
            # A frame at rest that still bears the serial may be a slip between two charging ones; a second one is not.
            if said != self.running or self._idle_frames > 1:
                happened.append(self._end())
        if self.plugged is False:
            self.ended = None
        return happened

    def _end(self) -> Ended:
        over, self.running = self.running, None
        self.last = over
        self.is_charging = False
        self._idle_frames = 0
        self.ended = over if self.plugged is not False else None
        if self._wire is WireState.CHARGING:
            self._wire = WireState.IDLE  # its record came before the reading that would have said so
        return Ended(over)

    @property
    def shown(self) -> Shown:
        """What stands in `G/state` now."""
        state, serial = self._state()
        return Shown(state, serial, self.plugged, self.fault_bits)

    def _state(self) -> tuple[GunState, str | None]:
        if not self.is_online:
            return GunState.OFFLINE, self.serial
        if self.pending is not None and not self.is_charging:
            return GunState.STARTING, self.pending
        if not self.is_heard or self._wire in (None, WireState.OFFLINE):
            return GunState.OFFLINE, self.serial
        if self.is_charging:
            return GunState.CHARGING, self.running
        if self._wire is WireState.FAULTED:
            return GunState.FAULTED, None
        if self.is_locked:
            return GunState.DISABLED, None
        if self.plugged:
            return (GunState.FINISHED, self.ended) if self.ended is not None else (GunState.PLUGGED, None)
        return GunState.IDLE, None
