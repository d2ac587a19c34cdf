"""Codecs for what stands at the end of a body and has no fixed length: repeated groups and counted text."""

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, runtime_checkable

from bridge.protocols.base import FrameError


@runtime_checkable
class Tail(Protocol):
    """The last field of a message. `count` names the whole-number field that says how long it is; "": what is left."""

    count: str
    unit: int
    """Bytes that one of `count` stands for."""

    @property
    def kind(self) -> str:
        """What the document calls such a field."""

    @property
    def size(self) -> int:
        """0: it has no fixed length."""

    def read_rest(self, rest: bytes) -> Any:
        """Bytes (a multiple of `unit`) → value."""

    def write_rest(self, value: Any) -> bytes:
        """Value → bytes, FrameError where it has no place."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of `unit` bytes one behind the other (cards), each as hex text of full length."""

    kind: ClassVar[str] = "groups"
    unit: int
    count: str = ""

    @property
    def size(self) -> int:
        return 0

    def read_rest(self, rest: bytes) -> tuple[str, ...]:
        return tuple(rest[at : at + self.unit].hex() for at in range(0, len(rest), self.unit))

    def write_rest(self, value: Any) -> bytes:
        if not isinstance(value, tuple | list):
            raise FrameError(f"{value!r} is not a list of groups")
        return b"".join(self._group(text) for text in value)

    def _group(self, text: Any) -> bytes:
        try:
            raw = bytes.fromhex(text)
        except (TypeError, ValueError):
            raw = b""
        if len(raw) != self.unit or len(text) != 2 * self.unit:
            raise FrameError(f"{text!r} is not a hex text of {2 * self.unit} digits")
        return raw


@dataclass(frozen=True, slots=True)
class CountedText:
    """As many characters as the field `count` says, one byte each; bytes above 0x7F are Latin-1."""

    kind: ClassVar[str] = "ASCII"
    count: str
    unit: int = 1

    @property
    def size(self) -> int:
        return 0

    def read_rest(self, rest: bytes) -> str:
        return rest.decode("latin-1")

    def write_rest(self, value: Any) -> bytes:
        try:
            raw: bytes = value.encode("latin-1")
        except (AttributeError, UnicodeEncodeError) as error:
            raise FrameError(f"{value!r} is not a text of one-byte characters") from error
        return raw
