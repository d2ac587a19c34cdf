"""The contract as an AsyncAPI 3.0 document, made from the table of topics, the payload types and the examples."""

from typing import Any

from evcs.contracts import examples, topics
from evcs.contracts.envelope import SCHEMA
from evcs.contracts.plain import plainly
from evcs.contracts.schemas import name_of, published, types_of
from evcs.contracts.topics import TABLE, Topic

Json = dict[str, Any]

VERSION = f"{SCHEMA}.0.0"
BINDING = "0.2.0"
"""Version of the MQTT bindings."""

ABOUT = """\
充电场站平台的 MQTT 契约：所有服务之间只通过这些主题通信，外部系统（integrators）读取其中标明的主题。
MQTT 3.1.1，JSON（UTF-8），时间为 RFC 3339（UTC），金额为整数分，电量为精确到 0.0001 的数字。

The MQTT contract of the charging-station platform: the topics by which its services meet, and those that outside
systems (integrators) may read. MQTT 3.1.1; JSON in UTF-8; times in RFC 3339, UTC; money in whole fen (0.01 yuan);
energies exact to 0.0001 kWh.

字段名和含义在 `evcs/v1` 内不会改变；新字段带默认值，读者忽略不认识的字段。
Names and meanings never change within `evcs/v1`; new fields have defaults, and readers ignore fields that they do not
know. QoS 1 may deliver a message twice: it then has the same id or receipt. A retained topic is cleared by an empty
message when its subject is gone."""

LEVELS: dict[str, str] = {
    "shard": "分片 · two hex digits 00–3f: the lowest six bits of CRC-32 of the station's code",
    "station": "充电站编码 · the station's code",
    "pile": "桩编号 · the pile's number on the wire",
    "gun": "枪号 · the gun's number, 1…n without leading zero",
    "transformer": "变压器编码 · the transformer's code",
    "bridge": "接入服务 · the bridge's name",
    "name": "服务名 · ingest, rules, worker",
    "instance": "实例 · the instance, n-of-m where shards are shared out",
    "alarm": "告警编号 · the alarm's id",
    "serial": "交易流水号 · the order's 32 digits",
    "version": "计费模型版本 · the tariff version",
    "protocol": "桩协议 · the piles' protocol",
}

ROLES: dict[str, str] = {
    "bridge": "接入服务：桩的 TCP 连接 · holds the piles' TCP connections",
    "meter": "电表采集 · reads a transformer's meter",
    "simulator": "模拟器 · simulated piles and meters",
    "ingest": "遥测入库 · writes telemetry to the store",
    "rules": "负荷规则 · decides about starts and power",
    "webapi": "业务：订单、资金、配置 · orders, money, configuration",
    "integrators": "外部系统：只读 · outside systems, which only read",
}

ANSWERS: dict[Topic[Any], Topic[Any]] = {
    topics.PILE_POWER: topics.PILE_REPLY,
    topics.PILE_COMMAND: topics.PILE_REPLY,
    topics.START: topics.GUN_REPLY,
    topics.STOP: topics.GUN_REPLY,
    topics.REQUEST: topics.VERDICT,
}
"""Where the one answer to a message comes."""

CORRELATED: dict[Topic[Any], str] = {topic: "id" for topic in (*ANSWERS, topics.PILE_REPLY, topics.GUN_REPLY)} | {
    topics.VERDICT: "request"
}
"""The field that ties an answer to what it answers."""


def document() -> Json:
    """The whole document; the same contract gives the same document."""
    return {
        "asyncapi": "3.0.0",
        "id": "urn:evcs:v1",
        "info": {
            "title": "充电场站平台 MQTT 契约 · EV charging platform, MQTT contract",
            "version": VERSION,
            "description": ABOUT,
            "tags": [{"name": role, "description": text} for role, text in ROLES.items()],
        },
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": {topic.leaf: _channel(topic) for topic in TABLE},
        "operations": {name: operation for topic in TABLE for name, operation in _operations(topic)},
        "components": {
            "messages": {
                message_name(topic, payload): _message(topic, payload) for topic in TABLE for payload in types_of(topic)
            },
            "parameters": {level: {"description": text} for level, text in LEVELS.items()},
            "schemas": dict(published()),
            "securitySchemes": {
                "user": {
                    "type": "userPassword",
                    "description": "平台为每个外部系统发放 · the platform gives each outside system its own",
                }
            },
        },
    }


def message_name(topic: Topic[Any], payload: type) -> str:
    """The message's name in the document: the topic's, with the payload's where the topic has several."""
    return topic.leaf if len(types_of(topic)) == 1 else f"{topic.leaf}_{name_of(payload)}"


def _servers() -> Json:
    def server(protocol: str, port: str, about: str) -> Json:
        return {
            "host": "{broker}:{port}",
            "protocol": protocol,
            "protocolVersion": "3.1.1",
            "description": about,
            "variables": {
                "broker": {"default": "broker.example.com", "description": "代理地址 · the broker's address"},
                "port": {"default": port, "description": "端口 · its port"},
            },
            "security": [{"$ref": "#/components/securitySchemes/user"}],
        }

    return {
        "tls": server("secure-mqtt", "8883", "加密连接（外部系统）· with TLS, for outside systems"),
        "plain": server("mqtt", "1883", "内网连接（平台服务）· without TLS, for the platform's own network"),
    }


def _channel(topic: Topic[Any]) -> Json:
    notes = [f"QoS {topic.qos}"]
    if topic.retained:
        notes.append("保留 · retained")
    if topic.last_will:
        notes.append("遗嘱 · last will")
    return {
        "address": topic.pattern,
        "title": f"{topic.zh} · {topic.title}",
        "description": f"{', '.join(topic.by)} → {', '.join(topic.to)}. {'; '.join(notes)}.",
        "parameters": {level: {"$ref": f"#/components/parameters/{level}"} for level in topic.levels},
        "messages": {
            message_name(topic, payload): {"$ref": f"#/components/messages/{message_name(topic, payload)}"}
            for payload in types_of(topic)
        },
        "tags": [{"name": role} for role in dict.fromkeys((*topic.by, *topic.to))],
    }


def _operations(topic: Topic[Any]) -> list[tuple[str, Json]]:
    """One operation for each right: a role that sends the topic, a role that receives it."""
    return [
        *((f"{role}_sends_{topic.leaf}", _operation(topic, role, "send")) for role in topic.by),
        *((f"{role}_receives_{topic.leaf}", _operation(topic, role, "receive")) for role in topic.to),
    ]


def _operation(topic: Topic[Any], role: str, action: str) -> Json:
    binding: Json = {"qos": topic.qos}
    if action == "send":
        binding["retain"] = topic.retained
    operation: Json = {
        "action": action,
        "channel": {"$ref": f"#/channels/{topic.leaf}"},
        "title": f"{role}: {topic.title}",
        "tags": [{"name": role}],
        "bindings": {"mqtt": {**binding, "bindingVersion": BINDING}},
    }
    if topic in ANSWERS:
        operation["reply"] = {"channel": {"$ref": f"#/channels/{ANSWERS[topic].leaf}"}}
    return operation


def _message(topic: Topic[Any], payload: type) -> Json:
    shown = [example for example in examples.of(topic) if type(example.payload) is payload]
    message: Json = {
        "name": message_name(topic, payload),
        "title": f"{topic.zh} · {topic.title}",
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{name_of(payload)}"},
    }
    if topic in CORRELATED:
        message["correlationId"] = {"location": f"$message.payload#/{CORRELATED[topic]}"}
    message["examples"] = [
        {
            "name": example.name,
            "summary": f"{example.zh} · {example.en}",
            "payload": plainly(example, complete=number == 0),
        }
        for number, example in enumerate(shown)
    ]
    return message
