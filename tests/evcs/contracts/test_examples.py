"""Examples: one for every topic and kind, each what its published schema says, true to the figures they tell."""

import json
from dataclasses import astuple
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest

from bridge.protocols.ykc import framing
from bridge.protocols.ykc.findings import ALL_GROUPS
from evcs.contracts import topics
from evcs.contracts.examples import EXAMPLES, Example, of
from evcs.contracts.examples.config import PRICES_E5
from evcs.contracts.gun import ChargeRecord, GunEventKind, VerdictKind
from evcs.contracts.ids import shard_of
from evcs.contracts.money import fen_of_e4
from evcs.contracts.order import OrderChange
from evcs.contracts.pile import PileCommandKind, PileEventKind
from evcs.contracts.plain import plainly
from evcs.contracts.schemas import types_of
from evcs.contracts.states import OrderState
from evcs.contracts.times import slot_of
from evcs.contracts.topics import TABLE, Topic
from tests.evcs.contracts.published import complaints

each = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.topic.leaf}-{example.name}")


@pytest.mark.parametrize("topic", TABLE, ids=lambda topic: topic.leaf)
def test_every_payload_type_of_every_topic_has_an_example(topic: Topic[Any]) -> None:
    assert {type(example.payload) for example in of(topic)} == set(types_of(topic))
    assert len({example.name for example in of(topic)}) == len(of(topic))


@pytest.mark.parametrize(
    ("topic", "kinds"),
    [
        (topics.PILE_COMMAND, PileCommandKind),
        (topics.PILE_EVENT, PileEventKind),
        (topics.GUN_EVENT, GunEventKind),
        (topics.VERDICT, VerdictKind),
    ],
    ids=lambda value: getattr(value, "leaf", None),
)
def test_every_kind_has_an_example(topic: Topic[Any], kinds: type[Enum]) -> None:
    assert {example.payload.kind for example in of(topic)} == set(kinds)


@each
def test_example_comes_back_from_its_bytes_as_it_was(example: Example[Any]) -> None:
    raw = example.topic.encode(example.payload)
    assert example.topic.decode(raw) == example.payload


@each
def test_example_is_what_the_published_schema_says(example: Example[Any]) -> None:
    assert complaints(example.topic.leaf, example.topic.encode(example.payload)) == []


@each
def test_shortened_example_reads_like_the_complete_one(example: Example[Any]) -> None:
    short = json.dumps(plainly(example, complete=False)).encode()
    assert example.topic.decode(short) == example.payload
    assert complaints(example.topic.leaf, short) == []


@each
def test_example_stands_where_its_payload_says(example: Example[Any]) -> None:
    address = example.topic.parse(example.address)
    assert address is not None
    if address.shard:
        assert address.shard == shard_of(address.station)
    for level in ("station", "pile", "gun", "transformer", "bridge", "serial", "alarm", "protocol"):
        named = getattr(example.payload, level, None)
        if getattr(address, level) and named and not (level == "serial" and address.pile):
            assert getattr(address, level) == named
    assert example.zh
    assert example.en


@each
def test_frames_of_an_example_are_whole(example: Example[Any]) -> None:
    frames = [getattr(example.payload, "frame_hex", ""), *getattr(example.payload, "frames_hex", ())]
    for text in filter(None, frames):
        raw = bytes.fromhex(text)
        piece = framing.cut(raw)
        assert piece.used == len(raw)
        assert piece.frame is not None, piece.dropped


def test_findings_are_worded_as_the_bridge_words_them() -> None:
    groups = [group for of_frame in ALL_GROUPS.values() for group in of_frame]
    worded = {(f"{g.field}.{g.code}", value, *astuple(g.words(value))) for g in groups for value in (1, 2)}
    told = [finding for example in of(topics.GUN_EVENT) for finding in example.payload.findings]
    assert told
    assert {(finding.code, finding.value, finding.zh, finding.en) for finding in told} <= worded


def test_record_adds_up_and_the_order_is_billed_by_it() -> None:
    record: ChargeRecord = of(topics.RECORD)[0].payload
    settled: OrderChange = next(one.payload for one in of(topics.ORDER) if one.payload.state is OrderState.SETTLED)
    assert sum((band.energy_kwh for band in record.bands), Decimal(0)) == record.energy_kwh == settled.energy_kwh
    assert record.register_end_kwh - record.register_start_kwh == record.energy_kwh
    assert sum(band.amount_e4 for band in record.bands) == record.amount_e4
    assert settled.total_fen == fen_of_e4(record.amount_e4)
    assert PRICES_E5[slot_of(record.started_at)] == 110_000
