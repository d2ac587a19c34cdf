"""Pure: stops of one gun on their way: written, answered, overdue."""

from dataclasses import dataclass

from bridge.gun import Gun
from bridge.gun_voice import Fate, GunVoice
from bridge.moment import Moment
from bridge.tally import Drop
from bridge.words import StopAnswered, StopTold
from evcs.contracts.gun import Stop
from evcs.contracts.pile import Outcome
from evcs.contracts.reasons import Reason
from evcs.contracts.waits import STOP_ANSWER_S


@dataclass(slots=True)
class Stopping:
    """A stop on its way; not written while what runs is still unknown."""

    command: Stop
    deadline: float
    is_written: bool = False


class GunStops:
    """The stops of one gun; each is answered once."""

    __slots__ = ("_gun", "_stops", "_voice")

    def __init__(self, gun: Gun, voice: GunVoice) -> None:
        self._gun = gun
        self._voice = voice
        self._stops: list[Stopping] = []

    def stop(self, command: Stop, now: Moment) -> None:
        """Stop what runs, where it is what the command names. Written at once, or as soon as it is known what runs."""
        if self._gun.is_heard or (command.serial is not None and command.serial == self._gun.serial):
            self._write(command, now)
        else:
            self._stops.append(Stopping(command, now.mono + STOP_ANSWER_S))

    def _write(self, command: Stop, now: Moment) -> None:
        # 0x36 names a gun and no serial: what runs there has to be the charge that is meant.
        if not self._gun.is_running or command.serial not in (None, self._gun.serial):
            self._voice.reply(command, Fate(Outcome.REFUSED, Reason.NOT_CHARGING), now)
        elif not self._voice.tell(StopTold(self._voice.pile, self._voice.number)):
            self._voice.reply(command, Fate(Outcome.REFUSED, Reason.PILE_REFUSED), now)
        else:
            self._stops.append(Stopping(command, now.mono + STOP_ANSWER_S, is_written=True))

    def answered(self, said: StopAnswered, raw: bytes, now: Moment) -> None:
        """0x35 answers the oldest stop that was written."""
        stop = next((stop for stop in self._stops if stop.is_written), None)
        if stop is None:
            self._voice.voice.tally.drop(Drop.UNEXPECTED)
            return
        self._stops.remove(stop)
        answer = said.answer
        if answer.ok:
            fate = Fate(Outcome.ACCEPTED, answer.reason, None, answer.zh, answer.en, raw.hex())
        else:
            fate = Fate(Outcome.REFUSED, answer.reason, answer.code, answer.zh, answer.en, raw.hex())
        self._voice.reply(stop.command, fate, now)

    def heard(self, now: Moment) -> None:
        """A reading says what runs: stops that waited for that are written, or refused."""
        if not self._stops:
            return
        for stop in [stop for stop in self._stops if not stop.is_written]:
            self._stops.remove(stop)
            self._write(stop.command, now)

    def link_lost(self, now: Moment) -> None:
        """What was asked on the old link will not be answered."""
        stops, self._stops = self._stops, []
        for stop in stops:
            self._voice.reply(stop.command, Fate(Outcome.TIMED_OUT, Reason.LINK_LOST), now)

    def tick(self, now: Moment) -> None:
        for stop in [stop for stop in self._stops if now.mono >= stop.deadline]:
            self._stops.remove(stop)
            self._voice.reply(stop.command, Fate(Outcome.TIMED_OUT, Reason.TIMED_OUT), now)

    def due(self) -> float | None:
        """Monotonic time at which `tick` has something to do."""
        return min(stop.deadline for stop in self._stops) if self._stops else None
