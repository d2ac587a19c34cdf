"""A code in the two languages of the platform, and enumerations whose members carry their words."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self


@dataclass(frozen=True, slots=True)
class Words:
    """A code in the two languages of the platform."""

    zh: str
    en: str


class Coded(IntEnum):
    """Codes of one byte, each member with its words: `NAME = code, "中文", "English"`."""

    zh: str
    en: str

    def __new__(cls, value: int, zh: str, en: str) -> Self:
        member = int.__new__(cls, value)
        member._value_ = value
        member.zh, member.en = zh, en
        return member

    @classmethod
    def words(cls, code: int) -> Words:
        """Words for a code, also for one that we do not know."""
        member = cls._value2member_map_.get(int(code))
        if isinstance(member, cls):
            return Words(member.zh, member.en)
        return Words(f"未知 0x{code:02X}", f"unknown 0x{code:02X}")
