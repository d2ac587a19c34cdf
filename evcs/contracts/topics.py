"""The table of topics: who may publish what to whom. Strings, subscriptions, ACLs and documents come from it alone."""

from collections.abc import Iterator
from typing import Any, TypeVar, cast

from evcs.contracts.alarm import Alarm
from evcs.contracts.bridge import BridgeStatus, ServiceStatus, UnknownPile
from evcs.contracts.config import FaultCodes, PileConfig, StationConfig, TariffTable
from evcs.contracts.envelope import Decoder
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
from evcs.contracts.order import OrderChange
from evcs.contracts.pile import PileCommand, PileEvent, PileFrame, PileReply, PileStatus, PowerAllowance
from evcs.contracts.session import SessionLevel
from evcs.contracts.topic import Address as Address
from evcs.contracts.topic import Topic as Topic
from evcs.contracts.topic import TopicError as TopicError
from evcs.contracts.transformer import TransformerPolicy, TransformerQueue, TransformerReading

P = TypeVar("P")

ROOT = "evcs/v1"
STATION = ROOT + "/{shard}/station/{station}"
PILE = STATION + "/pile/{pile}"
GUN = PILE + "/gun/{gun}"
TRANSFORMER = STATION + "/transformer/{transformer}"
BRIDGE = ROOT + "/bridge/{bridge}"

TABLE: list[Topic[Any]] = []


def _topic(
    leaf: str,
    pattern: str,
    payload: type[P],
    *,
    by: tuple[str, ...],
    to: tuple[str, ...],
    title: str,
    zh: str,
    qos: int = 1,
    retained: bool = False,
    last_will: bool = False,
) -> Topic[P]:
    topic = Topic(leaf, pattern, payload, by, to, Decoder(payload), qos, retained, title, zh, last_will)
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
    zh="接入服务在线／离线",
    last_will=True,
)
SERVICE = _topic(
    "service",
    ROOT + "/service/{name}/{instance}",
    ServiceStatus,
    by=("ingest", "rules", "webapi"),
    to=ALL,
    retained=True,
    title="service ready / offline",
    zh="服务就绪／离线",
    last_will=True,
)
UNKNOWN_PILE = _topic(
    "unknown_pile",
    BRIDGE + "/unknown_pile",
    UnknownPile,
    by=("bridge",),
    to=("webapi",),
    title="quarantine of unknown piles",
    zh="未登记的桩（隔离）",
)
PILE_STATUS = _topic(
    "pile_status",
    PILE + "/status",
    PileStatus,
    by=("bridge",),
    to=ALL,
    retained=True,
    title="pile online / offline",
    zh="桩在线／离线",
)
PILE_EVENT = _topic(
    "pile_event", PILE + "/event", PileEvent, by=("bridge",), to=("webapi", "rules"), title="pile events", zh="桩事件"
)
PILE_POWER = _topic(
    "pile_power",
    PILE + "/power",
    PowerAllowance,
    by=("rules",),
    to=("bridge",),
    title="a new power allowance",
    zh="新的限功率",
)
PILE_COMMAND = _topic(
    "pile_command",
    PILE + "/command",
    PileCommand,
    by=("webapi",),
    to=("bridge",),
    title="commands to a pile",
    zh="对桩的指令",
)
PILE_REPLY = _topic(
    "pile_reply",
    PILE + "/reply",
    PileReply,
    by=("bridge",),
    to=("webapi", "rules"),
    title="the reply to a command",
    zh="指令的唯一回复",
)
PILE_FRAME = _topic(
    "pile_frame",
    PILE + "/frame",
    PileFrame,
    by=("bridge",),
    to=("webapi",),
    qos=0,
    title="frames of a pile that somebody traces",
    zh="正在追踪的桩的报文",
)
GUN_STATE = _topic(
    "gun_state",
    GUN + "/state",
    GunLevel,
    by=("bridge",),
    to=ALL,
    retained=True,
    title="what a gun is doing",
    zh="充电枪状态",
)
TELEMETRY = _topic(
    "telemetry",
    GUN + "/telemetry",
    Telemetry,
    by=("bridge",),
    to=("ingest", "rules", "webapi", "integrators"),
    title="live values of a gun",
    zh="充电枪实时数据",
)
METER = _topic(
    "meter",
    GUN + "/meter",
    MeterMark,
    by=("bridge",),
    to=("webapi",),
    title="register marks of a session",
    zh="充电电量打点",
)
GUN_EVENT = _topic(
    "gun_event", GUN + "/event", GunEvent, by=("bridge",), to=("webapi", "rules"), title="gun events", zh="充电枪事件"
)
RECORD = _topic(
    "record",
    GUN + "/record",
    ChargeRecord,
    by=("bridge",),
    to=("webapi",),
    title="the pile's charge record",
    zh="充电记录（0x3B）",
)
CONFIRM = _topic(
    "confirm",
    GUN + "/confirm",
    RecordConfirm,
    by=("webapi",),
    to=("bridge",),
    title="the record is stored",
    zh="充电记录已入库",
)
REQUEST = _topic(
    "request",
    GUN + "/request",
    cast(type[Request], Request),
    by=("webapi",),
    to=("rules",),
    title="requests to the gate",
    zh="对负荷规则的请求",
)
VERDICT = _topic(
    "verdict",
    GUN + "/verdict",
    Verdict,
    by=("rules",),
    to=("webapi", "integrators"),
    title="decisions of the gate",
    zh="负荷规则的裁决",
)
START = _topic(
    "start", GUN + "/start", Start, by=("rules",), to=("bridge",), title="the admitted start", zh="获准的启动"
)
STOP = _topic("stop", GUN + "/stop", Stop, by=("webapi", "rules"), to=("bridge",), title="stop a charge", zh="停止充电")
GUN_REPLY = _topic(
    "gun_reply",
    GUN + "/reply",
    GunReply,
    by=("bridge",),
    to=("webapi", "rules"),
    title="what became of a start or stop",
    zh="启动、停止的结果",
)
SESSION = _topic(
    "session",
    GUN + "/session",
    SessionLevel,
    by=("rules",),
    to=ALL,
    retained=True,
    title="what rules holds for a gun",
    zh="规则引擎为充电枪保留的会话",
)
READING = _topic(
    "reading",
    TRANSFORMER + "/reading",
    TransformerReading,
    by=("meter", "simulator"),
    to=("rules", "ingest"),
    title="transformer meter reading",
    zh="变压器电表读数",
)
POLICY = _topic(
    "policy",
    TRANSFORMER + "/policy",
    TransformerPolicy,
    by=("rules",),
    to=ALL,
    retained=True,
    title="band and load",
    zh="变压器负荷分级",
)
QUEUE = _topic(
    "queue",
    TRANSFORMER + "/queue",
    TransformerQueue,
    by=("rules",),
    to=ALL,
    retained=True,
    title="who waits",
    zh="排队",
)
ALARM = _topic(
    "alarm",
    STATION + "/alarm/{alarm}",
    Alarm,
    by=("rules",),
    to=("webapi", "rules", "integrators"),
    retained=True,
    title="faults and warnings while open",
    zh="未解除的告警",
)
ORDER = _topic(
    "order",
    STATION + "/order/{serial}",
    OrderChange,
    by=("webapi",),
    to=("webapi", "integrators"),
    title="order changes",
    zh="订单变化",
)
CONFIG_PILE = _topic(
    "config_pile",
    ROOT + "/config/pile/{pile}",
    PileConfig,
    by=("webapi",),
    to=("bridge",),
    retained=True,
    title="a pile's configuration",
    zh="桩配置",
)
CONFIG_STATION = _topic(
    "config_station",
    ROOT + "/config/station/{station}",
    StationConfig,
    by=("webapi",),
    to=("rules", "ingest"),
    retained=True,
    title="a station's configuration",
    zh="场站配置",
)
CONFIG_TARIFF = _topic(
    "config_tariff",
    ROOT + "/config/tariff/{version}",
    TariffTable,
    by=("webapi",),
    to=("bridge",),
    retained=True,
    title="a tariff version",
    zh="电价版本",
)
CONFIG_FAULT_CODES = _topic(
    "config_fault_codes",
    ROOT + "/config/fault_codes/{protocol}",
    FaultCodes,
    by=("webapi",),
    to=("rules",),
    retained=True,
    title="fault codes of a protocol",
    zh="协议的故障码",
)


def of(name: str, role: str) -> Iterator[Topic[Any]]:
    """The topics that a service publishes (role `by`) or reads (role `to`)."""
    return (topic for topic in TABLE if name in (topic.by if role == "by" else topic.to))
