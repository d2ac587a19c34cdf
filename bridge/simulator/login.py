"""Login, heartbeat and tariff of a simulated pile: 0x01 to 0x0A (YKC V1.6, power-up sequence)."""

from bridge.protocols.ykc.codes import LoginResult, Network, PileType, TariffCheck
from bridge.protocols.ykc.messages import (
    Heartbeat,
    Login,
    LoginAnswer,
    TariffCheckAnswer,
    TariffCheckRequest,
    TariffModel,
    TariffRequest,
    gun_no,
)
from bridge.simulator.core import Core
from bridge.simulator.damage import foreign
from bridge.simulator.ground_locks import GroundLocks
from bridge.simulator.reports import Reports
from bridge.simulator.troubles import Trouble

LOST_AFTER = 3
"""Heartbeats without an answer until the pile gives the link up."""
NO_MODEL = "0000"


class LoginTalk:
    """From the connection to the tariff; then a heartbeat every 10 s."""

    def __init__(self, core: Core, reports: Reports, locks: GroundLocks) -> None:
        self._core = core
        self._reports = reports
        self._locks = locks
        self._unanswered = 0

    def connected(self, now_ms: int) -> None:
        """The TCP connection stands."""
        self._unanswered = 0
        self._core.after("login", self._core.options.login_delay_s, now_ms, self._log_in)

    def lost(self) -> None:
        """The TCP connection is gone."""
        for key in ("login", "heartbeat", "check", "fetch"):
            self._core.timers.cancel(key)

    def _log_in(self, now_ms: int) -> None:
        core = self._core
        core.send(
            Login(
                pile_no=foreign(core.number) if core.troubles.happens(Trouble.WRONG_LOGIN) else core.number,
                pile_type=PileType.AC if core.options.is_ac else PileType.DC,
                gun_count=len(core.guns),
                protocol_version=core.options.protocol_version,
                software_version=core.software_version,
                network=Network.LAN,
                sim=core.sim,
                operator=4,
            )
        )
        core.after("login", core.options.answer_wait_s, now_ms, self._log_in)

    def answered(self, answer: LoginAnswer, now_ms: int) -> None:
        """0x02."""
        core = self._core
        if core.logged_in:
            return
        if answer.result != LoginResult.OK:
            core.after("login", core.options.refused_wait_s, now_ms, self._log_in)
            return
        core.timers.cancel("login")
        core.logged_in = True
        self._check_tariff(now_ms)
        self._beat(now_ms)

    def heard(self) -> None:
        """0x04: the platform lives."""
        self._unanswered = 0

    def _beat(self, now_ms: int) -> None:
        core = self._core
        if self._unanswered >= LOST_AFTER:
            core.hang_up("heartbeat_unanswered", silent=core.is_deaf)
            return
        faulty = next((gun for gun in core.guns.values() if gun.faulty), None)
        gun = faulty or core.guns[1]
        self._unanswered += 1
        core.send(Heartbeat(pile_no=core.number, gun_no=gun_no(gun.number), gun_state=int(gun.faulty)))
        core.after("heartbeat", core.options.heartbeat_s, now_ms, self._beat)

    def _check_tariff(self, now_ms: int) -> None:
        core = self._core
        model_no = core.model.model_no if core.model is not None else NO_MODEL
        core.send(TariffCheckRequest(pile_no=core.number, model_no=model_no))
        core.after("check", core.options.answer_wait_s, now_ms, self._check_tariff)

    def fetch_tariff(self, now_ms: int) -> None:
        """0x09, repeated until a tariff comes."""
        self._core.send(TariffRequest(pile_no=self._core.number))
        self._core.after("fetch", self._core.options.answer_wait_s, now_ms, self.fetch_tariff)

    def checked(self, answer: TariffCheckAnswer, now_ms: int) -> None:
        """0x06: stored records and the present picture follow the check."""
        core = self._core
        if not core.timers.holds("check"):
            return
        core.timers.cancel("check")
        if answer.result != TariffCheck.SAME or core.model is None:
            self.fetch_tariff(now_ms)
        core.records.logged_in(now_ms)
        for gun in core.guns.values():
            self._reports.report(gun, now_ms)
        self._locks.logged_in(now_ms)

    def tariff_came(self, model: TariffModel) -> None:
        """0x0A."""
        self._core.timers.cancel("fetch")
        self._core.model = model
