"""Pure: `P/status`, the level of one pile: online or not, by which login, with which tariff and clock."""

from bridge.login import Login
from bridge.moment import Moment
from bridge.voice import BridgeRun, Voice
from bridge.words import LoginSaid
from evcs.contracts.config import PileConfig
from evcs.contracts.pile import PileStatus
from evcs.contracts.states import Proof
from evcs.contracts.times import Instant, from_ms
from evcs.contracts.topics import PILE_STATUS


class PileLevel:
    """What stands under the pile's status topic, over all of its links."""

    __slots__ = (
        "_address",
        "_gun_count",
        "_kind",
        "_login_at",
        "_proof",
        "_run",
        "_said",
        "_since",
        "_version",
        "_voice",
        "clock_offset_s",
        "login",
        "tariff_version",
    )

    def __init__(self, voice: Voice, run: BridgeRun, config: PileConfig) -> None:
        self.login: Login | None = None
        """The link that holds it; None: offline."""
        self.tariff_version: str | None = None
        self.clock_offset_s: float | None = None
        self._voice = voice
        self._run = run
        self._kind = config.kind
        self._gun_count = len(config.guns)
        self._version = 0
        self._since: Instant | None = None
        self._said: LoginSaid | None = None
        self._proof = Proof.NUMBER
        self._address = ""
        self._login_at: Instant | None = None

    @property
    def is_known(self) -> bool:
        """Whether there is anything to say: it was online in this run, or in an earlier one."""
        return self._said is not None

    def seen(self, version: int) -> None:
        """A version that stands on the topic: ours stay above it."""
        self._version = max(self._version, version)

    def logged_in(self, login: Login, login_ms: int, now: Moment) -> None:
        """Held by this login from now on; `publish` has to follow."""
        self.login = login
        self._said, self._proof, self._address = login.said, login.proof, login.address
        self._login_at, self._since = from_ms(login_ms), now.at

    def lost(self, now: Moment) -> None:
        """Held by no login any more; `publish` has to follow where that is ours to say."""
        self.login = None
        self._since = now.at

    def left_behind(self, before: PileStatus, now: Moment) -> None:
        """An earlier run of this bridge left it retained as online; whatever held it is gone."""
        self.seen(before.version)
        self._said = LoginSaid(before.pile, self._kind, before.gun_count, before.protocol, before.firmware)
        self._proof, self._address = before.proof, before.address
        self._login_at, self.clock_offset_s = before.login_at, before.clock_offset_s
        self._since = now.at
        self.publish(now)

    def publish(self, now: Moment) -> None:
        """Say it, above every version that was seen on the topic."""
        self._version = max(now.wall_ms, self._version + 1)
        said = self._said
        status = PileStatus(
            receipt=self._voice.receipt(PILE_STATUS),
            version=self._version,
            pile=self._voice.pile,
            online=self.login is not None,
            since=self._since or now.at,
            login_at=self._login_at,
            link="" if self.login is None else self.login.link,
            bridge=self._run.bridge,
            bridge_started_ms=self._run.started_ms,
            proof=self._proof,
            protocol=said.protocol if said is not None else "",
            firmware=said.firmware if said is not None else "",
            address=self._address,
            gun_count=self._gun_count,
            tariff_version=self.tariff_version,
            power_control=self._voice.dialect.power_control,
            clock_offset_s=self.clock_offset_s,
        )
        self._voice.publish(PILE_STATUS, status)
