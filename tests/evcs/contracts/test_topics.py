"""The table of topics: strings, subscriptions, payload checking."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evcs.contracts import topics
from evcs.contracts.envelope import MAX_PAYLOAD_BYTES, ContractError, Receipt
from evcs.contracts.gun import AskRequest, MarkReason, MeterMark, Resume, StartRequest
from evcs.contracts.ids import SHARDS, owner_of, shard_of
from evcs.contracts.topics import TABLE, Topic, TopicError

NOW = datetime(2026, 11, 24, 5, 0, 0, 123000, tzinfo=UTC)
LEVEL = st.from_regex(r"[A-Za-z0-9_-]{1,32}", fullmatch=True)


def names(topic: Topic) -> list[str]:
    return re.findall(r"\{(\w+)\}", topic.pattern)


@pytest.mark.parametrize("topic", TABLE, ids=lambda topic: topic.leaf)
@given(data=st.data())
def test_what_at_writes_parse_reads(topic: Topic, data: st.DataObject) -> None:
    levels = {name: data.draw(st.integers(1, 99) if name == "gun" else LEVEL) for name in names(topic)}
    if "shard" in levels:
        levels["shard"] = shard_of(str(levels["station"]))
    address = topic.parse(topic.at(**levels))
    assert address is not None
    assert {name: getattr(address, name) for name in levels} == levels


@pytest.mark.parametrize("topic", TABLE, ids=lambda topic: topic.leaf)
def test_each_topic_has_publisher_reader_and_title(topic: Topic) -> None:
    assert topic.by
    assert topic.to
    assert topic.title
    assert topic.pattern.startswith("evcs/v1/")
    assert topic.qos == 1 or not topic.retained


@pytest.mark.parametrize("bad", ["", "a/b", "+", "#", "a b", "S1\n", "桩", "x" * 33, "a.b", "$SYS"])
def test_a_level_that_may_not_stand_in_a_topic_is_refused(bad: str) -> None:
    with pytest.raises(TopicError):
        topics.GUN_STATE.at(station=bad, pile="1", gun=1)


def test_a_missing_level_is_named() -> None:
    with pytest.raises(TopicError, match="pile"):
        topics.GUN_STATE.at(station="S1", gun=1)


@pytest.mark.parametrize(
    "other",
    [
        "evcs/v1/12/station/S1/pile/P/gun/1/telemetry",
        "evcs/v1/12/station/S1/pile/P/gun/01/state",
        "evcs/v1/12/station/S1/pile/P/gun/x/state",
        "evcs/v1/12/station/S1/pile/P/state",
        "evcs/v2/12/station/S1/pile/P/gun/1/state",
        "",
    ],
)
def test_strings_of_other_topics_are_not_parsed(other: str) -> None:
    assert topics.GUN_STATE.parse(other) is None


def test_subscriptions_of_all_owners_cover_each_shard_once() -> None:
    for owners in (1, 2, 3, 64):
        granted = [filter_ for n in range(1, owners + 1) for filter_ in topics.REQUEST.subscriptions(n, owners)]
        assert len(granted) == len(set(granted)) == (1 if owners == 1 else SHARDS)
        for shard in ("00", "1f", "3f"):
            owner = owner_of(shard, owners)
            mine = topics.REQUEST.subscriptions(owner, owners)
            assert owners == 1 or topics.REQUEST.in_shard(shard) in mine


@given(LEVEL)
def test_a_shard_is_two_hex_digits_below_40(station: str) -> None:
    assert 0 <= int(shard_of(station), 16) < SHARDS
    assert len(shard_of(station)) == 2


def test_the_shard_of_a_station_never_changes() -> None:
    assert [shard_of(code) for code in ("S1", "demo-1", "HZ001")] == ["12", "04", "0a"]


def mark(energy: Decimal) -> MeterMark:
    receipt = Receipt(bridge="b1", started_ms=1, n=2)
    return MeterMark(
        receipt=receipt,
        serial="0" * 32,
        why=MarkReason.PERIODIC,
        received_at=NOW,
        energy_kwh=energy,
        register_kwh=energy,
    )


@given(st.integers(0, 10**12))
def test_energies_pass_exactly(steps: int) -> None:
    energy = Decimal(steps) / 10000
    raw = topics.METER.encode(mark(energy))
    assert topics.METER.decode(raw).energy_kwh == energy
    assert b'"energy_kwh":"' not in raw


def test_unknown_fields_are_ignored_and_missing_ones_named() -> None:
    raw = topics.METER.encode(mark(Decimal(1)))
    assert topics.METER.decode(raw[:-1] + b',"later":1}') == mark(Decimal(1))
    with pytest.raises(ContractError, match="serial"):
        topics.METER.decode(raw.replace(b'"serial"', b'"serial_"'))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"schema":1}',
        b"[" * 100_000,
        b'{"kind":"ask","id":"x","expires_at":"2026-11-24T13:24:05"}',
        b'{"kind":"nobody","id":"x","expires_at":"2026-11-24T13:24:05Z"}',
        b'{"kind":"ask","id":"","expires_at":"2026-11-24T13:24:05Z"}',
        b" " * (MAX_PAYLOAD_BYTES + 1),
    ],
    ids=range(11),
)
def test_what_is_no_request_is_a_contract_error(raw: bytes) -> None:
    with pytest.raises(ContractError):
        topics.REQUEST.decode(raw)


@given(st.binary(max_size=300))
def test_random_bytes_are_a_contract_error_on_every_topic(raw: bytes) -> None:
    for topic in TABLE:
        with pytest.raises(ContractError):
            topic.decode(raw)


def test_requests_of_each_kind_come_back_as_their_type() -> None:
    ask = AskRequest(id="a", expires_at=NOW)
    assert topics.REQUEST.decode(topics.REQUEST.encode(ask)) == ask
    assert {kind.__struct_config__.tag for kind in (AskRequest, StartRequest, Resume)} == {"ask", "start", "resume"}
