"""The design's table of topics, row by row: who publishes, who reads, QoS, retained. A changed right shows here."""

import pytest

from evcs.contracts.topics import TABLE, Topic

PREFIXES = {
    "S": "evcs/v1/{shard}/station/{station}",
    "P": "evcs/v1/{shard}/station/{station}/pile/{pile}",
    "G": "evcs/v1/{shard}/station/{station}/pile/{pile}/gun/{gun}",
    "T": "evcs/v1/{shard}/station/{station}/transformer/{transformer}",
    "B": "evcs/v1/bridge/{bridge}",
    "V": "evcs/v1",
}

# `webapi` is its worker and its HTTP processes; `all` is every service and the integrators.
DESIGN = """
B/status                          bridge                → all                                    1 retained will
V/service/{name}/{instance}       ingest, rules, webapi → all                                    1 retained will
B/unknown_pile                    bridge                → webapi                                 1
P/status                          bridge                → all                                    1 retained
P/event                           bridge                → webapi, rules                          1
P/power                           rules                 → bridge                                 1
P/command                         webapi                → bridge                                 1
P/reply                           bridge                → webapi, rules                          1
P/frame                           bridge                → webapi                                 0
G/state                           bridge                → all                                    1 retained
G/telemetry                       bridge                → ingest, rules, webapi, integrators     1
G/meter                           bridge                → webapi                                 1
G/event                           bridge                → webapi, rules                          1
G/record                          bridge                → webapi                                 1
G/confirm                         webapi                → bridge                                 1
G/request                         webapi                → rules                                  1
G/verdict                         rules                 → webapi, integrators                    1
G/start                           rules                 → bridge                                 1
G/stop                            webapi, rules         → bridge                                 1
G/reply                           bridge                → webapi, rules                          1
G/session                         rules                 → all                                    1 retained
T/reading                         meter, simulator      → rules, ingest                          1
T/policy                          rules                 → all                                    1 retained
T/queue                           rules                 → all                                    1 retained
S/alarm/{alarm}                   rules                 → webapi, rules, integrators             1 retained
S/order/{serial}                  webapi                → webapi, integrators                    1
V/config/pile/{pile}              webapi                → bridge                                 1 retained
V/config/station/{station}        webapi                → rules, ingest                          1 retained
V/config/tariff/{version}         webapi                → bridge                                 1 retained
V/config/fault_codes/{protocol}   webapi                → rules                                  1 retained
"""


def row(topic: Topic) -> tuple[str, frozenset[str], frozenset[str], int, bool, bool]:
    return topic.pattern, frozenset(topic.by), frozenset(topic.to), topic.qos, topic.retained, topic.last_will


def designed(line: str) -> tuple[str, frozenset[str], frozenset[str], int, bool, bool]:
    publishers, readers = line.split("→")
    short, _, by = publishers.partition(" ")
    letter, _, leaf = short.partition("/")
    *to, flags = readers.split("  ")[0], readers.split("  ")[-1]
    named = frozenset(name.strip() for name in to[0].split(","))
    if named == {"all"}:
        named = frozenset({"bridge", "ingest", "rules", "webapi", "integrators"})
    words = flags.split()
    return (
        f"{PREFIXES[letter]}/{leaf}",
        frozenset(name.strip() for name in by.split(",")),
        named,
        int(words[0]),
        "retained" in words,
        "will" in words,
    )


@pytest.mark.parametrize("line", DESIGN.strip().splitlines(), ids=lambda line: line.split()[0])
def test_row_of_the_design_stands_in_the_table(line: str) -> None:
    assert designed(line) in [row(topic) for topic in TABLE]


def test_the_table_has_no_row_beside_the_design() -> None:
    assert len(TABLE) == len(DESIGN.strip().splitlines())
    assert len({topic.pattern for topic in TABLE}) == len(TABLE)


@pytest.mark.parametrize("topic", TABLE, ids=lambda topic: topic.leaf)
def test_each_topic_is_named_in_both_languages(topic: Topic) -> None:
    assert topic.title.isascii()
    assert any("一" <= character <= "鿿" for character in topic.zh)
