"""The table of topics: who may publish what to whom. Strings, subscriptions, ACLs and documents come from it alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from evcs.contracts.alarm import Alarm
from evcs.contracts.bridge import BridgeStatus, ServiceStatus, UnknownPile
from evcs.contracts.config import FaultCodes, PileConfig, StationConfig, TariffTable
from evcs.contracts.envelope import Decoder, encode
from evcs.contracts.gun import (
    ChargeRecord,
    GunEvent,
    GunLevel,
    GunReply,
    MeterMark,
    RecordConfirm,
    Request,
    Start,
    Stop,
    Telemetry,
    Verdict,
)
from evcs.contracts.ids import is_level, shard_of
from evcs.contracts.order import OrderChange
from evcs.contracts.pile import PileCommand, PileEvent, PileFrame, PileReply, PileStatus, PowerAllowance
from evcs.contracts.session import SessionLevel
from evcs.contracts.transformer import TransformerPolicy, TransformerQueue, TransformerReading

P = TypeVar("P")

ROOT = "evcs/v1"
STATION = ROOT + "/{shard}/station/{station}"
PILE = STATION + "/pile/{pile}"
GUN = PILE + "/gun/{gun}"
TRANSFORMER = STATION + "/transformer/{transformer}"
BRIDGE = ROOT + "/bridge/{bridge}"

_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Address:
    """The levels that a topic's string names; what the topic does not have is empty (gun: 0)."""

    shard: str = ""
    station: str = ""
    pile: str = ""
    gun: int = 0
    transformer: str = ""
    bridge: str = ""
    name: str = ""
    instance: str = ""
    alarm: str = ""
    serial: str = ""
    version: str = ""
    protocol: str = ""


class TopicError(ValueError):
    """A topic string that is not of its topic, or a level that may not stand in one."""


@dataclass(frozen=True, slots=True, eq=False)
class Topic(Generic[P]):
    """One row of the table: one right, one payload type."""

    leaf: str
    """Short name, unique in the table."""
    pattern: str
    payload: type[P]
    by: tuple[str, ...]
    to: tuple[str, ...]
    decoder: Decoder
    qos: int = 1
    retained: bool = False
    title: str = ""

    def at(self, **levels: str | int) -> str:
        """The topic's string; the shard is computed from `station` and need not be given.

        Raises TopicError for a level that is missing or may not stand in a topic.
        """
        if "station" in levels and "shard" not in levels:
            levels["shard"] = shard_of(str(levels["station"]))
        try:
            text = {name: str(levels[name]) for name in _FIELD.findall(self.pattern)}
        except KeyError as missing:
            raise TopicError(f"{self.leaf}: level {missing} is missing") from missing
        for name, level in text.items():
            if not is_level(level):
                raise TopicError(f"{self.leaf}: {level!r} may not stand as {name}")
        return self.pattern.format(**text)

    @property
    def everywhere(self) -> str:
        """The subscription to all of them."""
        return _FIELD.sub("+", self.pattern)

    def in_shard(self, shard: str) -> str:
        """The subscription to one shard; only for topics under a station."""
        return _FIELD.sub("+", self.pattern.replace("{shard}", shard))

    def subscriptions(self, owner: int, owners: int) -> tuple[str, ...]:
        """What owner n of m subscribes to: all where it is the only one, else one per shard of its own."""
        if owners == 1 or "{shard}" not in self.pattern:
            return (self.everywhere,)
        return tuple(self.in_shard(f"{shard:02x}") for shard in range(64) if shard % owners + 1 == owner)

    def parse(self, topic: str) -> Address | None:
        """The levels of a string of this topic, or None where it is of another."""
        want = self.pattern.split("/")
        have = topic.split("/")
        if len(want) != len(have):
            return None
        found: dict[str, Any] = {}
        for pattern, level in zip(want, have, strict=True):
            if pattern.startswith("{"):
                name = pattern[1:-1]
                if name == "gun":
                    if not level.isdigit() or level.startswith("0"):
                        return None
                    found[name] = int(level)
                else:
                    found[name] = level
            elif pattern != level:
                return None
        return Address(**found)

    def encode(self, payload: P) -> bytes:
        """JSON bytes of a payload of this topic."""
        return encode(cast(Any, payload))

    def decode(self, raw: bytes) -> P:
        """The checked payload; raises ContractError."""
        return cast(P, self.decoder(raw))


TABLE: list[Topic[Any]] = []


def _topic(
    leaf: str,
    pattern: str,
    payload: type[P],
    *,
    by: tuple[str, ...],
    to: tuple[str, ...],
    title: str,
    qos: int = 1,
    retained: bool = False,
) -> Topic[P]:
    topic = Topic(leaf, pattern, payload, by, to, Decoder(payload), qos, retained, title)
    if any(other.pattern == pattern or other.leaf == leaf for other in TABLE):
        raise TopicError(f"{leaf}: a topic stands twice in the table")
    TABLE.append(topic)
    return topic


ALL = ("bridge", "ingest", "rules", "webapi", "integrators")

BRIDGE_STATUS = _topic(
    "bridge_status",
    BRIDGE + "/status",
    BridgeStatus,
    by=("bridge",),
    to=ALL,
    retained=True,
    title="bridge online / offline",
)
SERVICE = _topic(
    "service",
    ROOT + "/service/{name}/{instance}",
    ServiceStatus,
    by=("ingest", "rules", "webapi"),
    to=ALL,
    retained=True,
    title="service ready / offline",
)
UNKNOWN_PILE = _topic(
    "unknown_pile",
    BRIDGE + "/unknown_pile",
    UnknownPile,
    by=("bridge",),
    to=("webapi",),
    title="quarantine of unknown piles",
)
PILE_STATUS = _topic(
    "pile_status", PILE + "/status", PileStatus, by=("bridge",), to=ALL, retained=True, title="pile online / offline"
)
PILE_EVENT = _topic(
    "pile_event", PILE + "/event", PileEvent, by=("bridge",), to=("webapi", "rules"), title="pile events"
)
PILE_POWER = _topic(
    "pile_power", PILE + "/power", PowerAllowance, by=("rules",), to=("bridge",), title="a new power allowance"
)
PILE_COMMAND = _topic(
    "pile_command", PILE + "/command", PileCommand, by=("webapi",), to=("bridge",), title="commands to a pile"
)
PILE_REPLY = _topic(
    "pile_reply", PILE + "/reply", PileReply, by=("bridge",), to=("webapi", "rules"), title="the reply to a command"
)
PILE_FRAME = _topic(
    "pile_frame",
    PILE + "/frame",
    PileFrame,
    by=("bridge",),
    to=("webapi",),
    qos=0,
    title="frames of a pile that somebody traces",
)
GUN_STATE = _topic(
    "gun_state", GUN + "/state", GunLevel, by=("bridge",), to=ALL, retained=True, title="what a gun is doing"
)
TELEMETRY = _topic(
    "telemetry",
    GUN + "/telemetry",
    Telemetry,
    by=("bridge",),
    to=("ingest", "rules", "webapi", "integrators"),
    title="live values of a gun",
)
METER = _topic("meter", GUN + "/meter", MeterMark, by=("bridge",), to=("webapi",), title="register marks of a session")
GUN_EVENT = _topic("gun_event", GUN + "/event", GunEvent, by=("bridge",), to=("webapi", "rules"), title="gun events")
RECORD = _topic(
    "record", GUN + "/record", ChargeRecord, by=("bridge",), to=("webapi",), title="the pile's charge record"
)
CONFIRM = _topic(
    "confirm", GUN + "/confirm", RecordConfirm, by=("webapi",), to=("bridge",), title="the record is stored"
)
REQUEST = _topic(
    "request",
    GUN + "/request",
    cast(type[Request], Request),
    by=("webapi",),
    to=("rules",),
    title="requests to the gate",
)
VERDICT = _topic(
    "verdict", GUN + "/verdict", Verdict, by=("rules",), to=("webapi", "integrators"), title="decisions of the gate"
)
START = _topic("start", GUN + "/start", Start, by=("rules",), to=("bridge",), title="the admitted start")
STOP = _topic("stop", GUN + "/stop", Stop, by=("webapi", "rules"), to=("bridge",), title="stop a charge")
GUN_REPLY = _topic(
    "gun_reply",
    GUN + "/reply",
    GunReply,
    by=("bridge",),
    to=("webapi", "rules"),
    title="what became of a start or stop",
)
SESSION = _topic(
    "session", GUN + "/session", SessionLevel, by=("rules",), to=ALL, retained=True, title="what rules holds for a gun"
)
READING = _topic(
    "reading",
    TRANSFORMER + "/reading",
    TransformerReading,
    by=("meter", "simulator"),
    to=("rules", "ingest"),
    title="transformer meter reading",
)
POLICY = _topic(
    "policy", TRANSFORMER + "/policy", TransformerPolicy, by=("rules",), to=ALL, retained=True, title="band and load"
)
QUEUE = _topic(
    "queue", TRANSFORMER + "/queue", TransformerQueue, by=("rules",), to=ALL, retained=True, title="who waits"
)
ALARM = _topic(
    "alarm",
    STATION + "/alarm/{alarm}",
    Alarm,
    by=("rules",),
    to=("webapi", "rules", "integrators"),
    retained=True,
    title="faults and warnings while open",
)
ORDER = _topic(
    "order",
    STATION + "/order/{serial}",
    OrderChange,
    by=("webapi",),
    to=("webapi", "integrators"),
    title="order changes",
)
CONFIG_PILE = _topic(
    "config_pile",
    ROOT + "/config/pile/{pile}",
    PileConfig,
    by=("webapi",),
    to=("bridge",),
    retained=True,
    title="a pile's configuration",
)
CONFIG_STATION = _topic(
    "config_station",
    ROOT + "/config/station/{station}",
    StationConfig,
    by=("webapi",),
    to=("rules", "ingest"),
    retained=True,
    title="a station's configuration",
)
CONFIG_TARIFF = _topic(
    "config_tariff",
    ROOT + "/config/tariff/{version}",
    TariffTable,
    by=("webapi",),
    to=("bridge",),
    retained=True,
    title="a tariff version",
)
CONFIG_FAULT_CODES = _topic(
    "config_fault_codes",
    ROOT + "/config/fault_codes/{protocol}",
    FaultCodes,
    by=("webapi",),
    to=("rules",),
    retained=True,
    title="fault codes of a protocol",
)


def of(name: str, role: str) -> Iterator[Topic[Any]]:
    """The topics that a service publishes (role `by`) or reads (role `to`)."""
    return (topic for topic in TABLE if name in (topic.by if role == "by" else topic.to))
