"""Pure: starts and stops of one pile's guns: once each, what stands against them, the cap that comes first."""

from collections.abc import Mapping

from bridge.commands import Commands, Late, Repeated
from bridge.gun_talk import GunTalk
from bridge.lockouts import is_gun_locked
from bridge.moment import Moment
from bridge.power_talk import PowerTalk
from bridge.tariffs import TariffTalk
from bridge.voice import Voice
from evcs.contracts.config import GunConfig, PileConfig
from evcs.contracts.gun import Start, Stop
from evcs.contracts.pile import Outcome
from evcs.contracts.reasons import Reason


class PileStarts:
    """The gate's commands for the guns, over all of the pile's links."""

    __slots__ = ("_commands", "_guns", "_power", "_tariff", "_voice", "config")

    def __init__(
        self,
        config: PileConfig,
        guns: Mapping[int, GunTalk],
        commands: Commands,
        voice: Voice,
        tariff: TariffTalk,
        power: PowerTalk,
    ) -> None:
        self.config = config
        self._guns = guns
        self._commands = commands
        self._voice = voice
        self._tariff = tariff
        self._power = power

    def start(self, command: Start, gun: int, now: Moment) -> None:
        """`G/start`; with an allowance the pile confirms its cap first."""
        talk = self._guns.get(gun)
        if talk is not None and self._is_fresh_start(talk, command, now):
            reason = self._why_not(talk, gun, command, now)
            if talk.gun.is_charging and talk.gun.running == command.serial:
                talk.accept_running(command, now)
            elif reason is not None:
                outcome = Outcome.EXPIRED if reason is Reason.EXPIRED else Outcome.REFUSED
                talk.refuse_start(command, reason, now, outcome)
            elif command.allowance_kw is None:
                talk.start(command, now)
            elif self._power.for_start(command, gun, command.allowance_kw):
                talk.await_cap(command)
            else:
                talk.refuse_start(command, Reason.CAP_NOT_CONFIRMED, now)

    def _is_fresh_start(self, talk: GunTalk, command: Start, now: Moment) -> bool:
        match self._commands.take(command.id, command.expires_at, now.at):
            case Repeated(reply):
                if reply is not None:
                    self._voice.add(reply)
                return False
            case Late():
                talk.refuse_start(command, Reason.EXPIRED, now, Outcome.EXPIRED)
                return False
        return True

    def _why_not(self, talk: GunTalk, gun: int, command: Start, now: Moment) -> Reason | None:
        """What the bridge knows against a start; everything else the pile answers itself."""
        if is_gun_locked(self.config, self._gun_config(gun), now.at):
            return Reason.LOCKED_OUT
        if talk.starting is not None or talk.gun.is_running:
            return Reason.GUN_BUSY
        if (reason := self.why_no_charge()) is not None:
            return reason
        if self._tariff.confirmed_version != command.tariff_version:
            return Reason.TARIFF_DIFFERS
        if command.card_request is not None and not talk.is_asked(command.card_request):
            return Reason.EXPIRED
        return None

    def why_no_charge(self) -> Reason | None:
        """What there is against any new charge on this pile: nobody could say by which tariff it would begin."""
        if self._tariff.confirmed_version is None:
            return Reason.NO_TARIFF
        return Reason.TARIFF_DIFFERS if self._tariff.is_pushing else None

    def _gun_config(self, gun: int) -> GunConfig:
        return next(config for config in self.config.guns if config.gun == gun)

    def stop(self, command: Stop, gun: int, now: Moment) -> None:
        """`G/stop`; a start that waits for its cap is called off."""
        talk = self._guns.get(gun)
        if talk is None:
            return
        match self._commands.take(command.id, command.expires_at, now.at):
            case Repeated(reply):
                if reply is not None:
                    self._voice.add(reply)
            case Late():
                talk.refuse_stop(command, Reason.EXPIRED, now, Outcome.EXPIRED)
            case _:
                waiting = talk.starting
                talk.stop(command, now)
                if waiting is not None and talk.starting is None:
                    self._power.call_off(waiting.command.id)
