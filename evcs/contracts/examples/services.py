"""Examples of what services say about themselves."""

from typing import Any

from evcs.contracts import topics
from evcs.contracts.bridge import Answered, BridgeStatus, ServiceStatus, UnknownPile
from evcs.contracts.examples.story import BRIDGE, STARTED_MS, Example, at, of_bridge
from evcs.contracts.times import to_ms

RULES_SINCE_MS = to_ms(at(0, 0, 2, 480))

EXAMPLES: tuple[Example[Any], ...] = (
    of_bridge(
        topics.BRIDGE_STATUS,
        "online",
        BridgeStatus(
            version=STARTED_MS + 16,
            bridge=BRIDGE,
            online=True,
            started_ms=STARTED_MS,
            since=at(0, 0, 3, 120),
            address="10.20.0.5:8767",
        ),
        "接入服务在线",
        "a bridge takes piles",
    ),
    of_bridge(
        topics.BRIDGE_STATUS,
        "offline",
        BridgeStatus(
            version=STARTED_MS + 17, bridge=BRIDGE, online=False, started_ms=STARTED_MS, since=at(0, 0, 3, 120)
        ),
        "遗嘱：接入服务已断开，其桩全部按离线显示",
        "its last will: the bridge is gone, all its piles count as offline",
    ),
    Example(
        topics.SERVICE,
        "rules",
        topics.SERVICE.at(name="rules", instance="1-of-1"),
        ServiceStatus(
            version=RULES_SINCE_MS + 35,
            name="rules",
            instance="1-of-1",
            ready=True,
            since_ms=RULES_SINCE_MS,
            software="0.1.0",
        ),
        "规则引擎就绪",
        "the engine has its subscriptions and asks for what it must know",
    ),
    Example(
        topics.SERVICE,
        "worker",
        topics.SERVICE.at(name="worker", instance="1-of-1"),
        ServiceStatus(
            version=RULES_SINCE_MS + 410,
            name="worker",
            instance="1-of-1",
            ready=True,
            since_ms=RULES_SINCE_MS - 1_200,
            software="0.1.0",
            answered=(Answered(instance="1-of-1", since_ms=RULES_SINCE_MS, resumes=3),),
        ),
        "业务处理就绪，已把 3 张未完成订单告诉规则引擎",
        "the worker has told the engine its three open orders",
    ),
    of_bridge(
        topics.UNKNOWN_PILE,
        "not_registered",
        UnknownPile(
            number="32010600019237",
            address="10.20.7.31",
            reason="pile_unknown",
            frames_hex=("6822000000013201060001923700021056342e312e353000018986001122334455667704509f",),
            received_at=at(7, 41, 12, 6),
        ),
        "未登记的桩号登录，已隔离",
        "a number that nobody registered logs in: kept apart with its first frames",
    ),
)
