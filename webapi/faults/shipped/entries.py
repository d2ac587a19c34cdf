"""Shipped dictionary entries: code and words from the generated list, severity, category and advice from the themes."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import msgspec

from evcs.contracts.alarm import Severity
from webapi.faults.shipped.themes import THEME_OF, FaultCategory, Theme

PROTOCOL = "ykc"
UNDETERMINED = Theme(
    FaultCategory.OTHER,
    Severity.WARNING,
    "查看该枪的运行曲线与报文；重复出现时联系充电桩厂商。",
    "Look at the gun's curve and frames; if it comes again ask the pile's maker.",
)
NORMAL_END = Theme(
    FaultCategory.NORMAL_END, Severity.INFO, "正常结束，无需处理。", "A normal end; nothing is to be done."
)


class _Listed(msgspec.Struct, frozen=True):
    code: str
    kind: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class ShippedCode:
    """An entry for any maker and model."""

    protocol: str
    code: str
    zh: str
    en: str
    theme: Theme


@cache
def shipped_codes() -> tuple[ShippedCode, ...]:
    """Every code of YKC V1.6: 13 fault bits, 81 stop reasons, the findings of 0x1B, 0x1D, 0x21 and 0x25.

    None of them makes `rules` do more than alarm: the pile has already acted (it reports a faulted gun, or has ended
    the charge), and the gate starts nothing at a gun that is not ready.
    """
    listed = msgspec.json.decode(Path(__file__).with_name("ykc.json").read_bytes(), type=tuple[_Listed, ...])
    return tuple(ShippedCode(PROTOCOL, one.code, one.zh, one.en, _theme(one)) for one in listed)


def _theme(listed: _Listed) -> Theme:
    if listed.kind == "normal":
        return NORMAL_END
    return THEME_OF.get(listed.code, UNDETERMINED)
