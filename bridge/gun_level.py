"""Pure: when `G/state` is published, and under which version."""

from bridge.gun import Gun, Shown
from bridge.gun_voice import GunVoice
from bridge.moment import Moment
from evcs.contracts.gun import GunLevel
from evcs.contracts.times import from_ms
from evcs.contracts.topics import GUN_STATE


class GunLevels:
    """The retained level of one gun, over all of its pile's links."""

    __slots__ = ("_gun", "_login_ms", "_shown", "_since_ms", "_version", "_voice")

    def __init__(self, gun: Gun, voice: GunVoice) -> None:
        self._gun = gun
        self._voice = voice
        self._login_ms = 0
        self._shown: Shown | None = None
        self._version = 0
        self._since_ms = 0

    def logged_in(self, login_ms: int, now: Moment) -> None:
        """The pile is back: the level is said anew, whatever it is."""
        self._login_ms = login_ms
        self.say_again(now)

    def held_elsewhere(self) -> None:
        """Another bridge says it from now on; nothing is published here before the next login."""
        self._login_ms = 0

    def say_again(self, now: Moment) -> None:
        """The level as it is, above whatever somebody else may have said of it."""
        if self._login_ms:
            self._publish(self._gun.shown, now)

    def show(self, now: Moment, shown: Shown | None = None) -> None:
        """Publish the level where it changed. Never before a login: such a gun is only known from a record."""
        shown = shown or self._gun.shown
        if self._login_ms and shown != self._shown:
            self._publish(shown, now)

    def _publish(self, shown: Shown, now: Moment) -> None:
        before, self._shown = self._shown, shown
        if before is None or (shown.state, shown.serial) != (before.state, before.serial):
            self._since_ms = now.wall_ms
        self._version = max(now.wall_ms, self._version + 1)
        level = GunLevel(
            receipt=self._voice.voice.receipt(GUN_STATE),
            login_ms=self._login_ms,
            version=self._version,
            pile=self._voice.pile,
            gun=self._voice.number,
            state=shown.state,
            serial=shown.serial,
            plugged=shown.plugged,
            fault_bits=shown.fault_bits,
            since=from_ms(self._since_ms),
        )
        self._voice.voice.publish(GUN_STATE, level, self._voice.number)
