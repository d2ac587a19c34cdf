"""The byte tables, which are made from the declarations."""

import re
from pathlib import Path

import pytest

from bridge.protocols import tables
from bridge.protocols.fields import Codec
from bridge.protocols.layout import Layout
from bridge.protocols.ykc.messages import REGISTRY, ReadRealtime, YkcMessage
from bridge.protocols.ykc.messages.base import U8

CHINESE = re.compile(r"[\u4e00-\u9fff]")
PAGE = Path(__file__).parents[3] / "docs" / "protocol" / "ykc.md"
KINDS = pytest.mark.parametrize("kind", list(REGISTRY), ids=lambda kind: kind.__name__)


@KINDS
def test_fields_follow_each_other_without_gap_and_bear_both_names(kind: type[YkcMessage]) -> None:
    end = 0
    for place in kind.plan.places:
        assert place.offset == end
        end += place.codec.size
        assert CHINESE.search(place.named.zh) or place.named.zh == "SOC"
        assert place.named.en
        assert not CHINESE.search(place.named.en)
    assert end == kind.size
    assert CHINESE.search(kind.title)
    assert kind.source
    assert (kind.plan.tail is None) is isinstance(kind.plan.places[-1].codec, Codec)


@KINDS
def test_every_frame_stands_on_the_page_with_a_row_for_each_field(kind: type[YkcMessage]) -> None:
    text = tables.section(kind)
    assert text in PAGE.read_text("utf-8")
    rows = [line.split(" | ") for line in text.splitlines() if re.match(r"\| \d+ \| \d+ \|", line)]
    assert [row[4].strip("`") for row in rows] == [place.name for place in kind.plan.places]


def test_a_row_says_where_how_long_and_how_to_read() -> None:
    page = tables.page()
    for row in (
        "| 27 | 33 | 2 | BIN | `voltage` | 输出电压 | output voltage | raw × 0.1 V; 0 at rest |",
        "| 26 | 32 | 2 | BIN | `need_i` | BMS 电流需求 | current asked for | raw × 0.1 - 400 A;",
        "| 40 | 46 | 1 | BIN | `made_year` | 电池组生产日期：年 | production year | raw + 1985 |",
        "| 8 | 14 | 16 × `count` | groups | `cards` | 逻辑卡号 + 物理卡号 | cards |",
        "| 0x12 | 读取实时监测数据 | [ReadRealtime](#0x12-readrealtime) | platform → pile | 8 | 0x13 |",
        "| `flags2` | 5-6 | charge_forbidden | 0 充电禁止，1 正常 | 0 charging forbidden, 1 normal |",
        "| 0x41 | normal | SOC 达到 100% | SOC reached 100 % |",
        "| Bit13 | 门打开 | door open |",
    ):
        assert row in page
    assert "body 8 bytes, length byte 0x0C, frame 16; answered by 0x13." in tables.section(ReadRealtime)


def test_a_field_without_a_name_for_people_fails_at_import() -> None:
    with pytest.raises(TypeError, match=r"Nameless\.what"):
        type("Nameless", (Layout,), {"__annotations__": {"what": U8}})
