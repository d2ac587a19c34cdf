"""The base of YKC messages, their registry, and the types that several tables share."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Self

from bridge.protocols.fields import Bcd, Offset, Raw, Scaled, Uint
from bridge.protocols.layout import Layout, Named

TradeNo = Annotated[str, Bcd(16), Named("交易流水号", "transaction serial")]
"""交易流水号: 32 digits, made by the platform; opaque, since foreign ones follow no rule. All zero = none."""
PileNo = Annotated[str, Bcd(7), Named("桩编号", "pile number")]
"""桩编号: 14 digits."""
GunNo = Annotated[str, Bcd(1), Named("枪号", "gun number")]
"""枪号: two digits, "01" is gun 1."""
BinGunNo = Annotated[int, Uint(1), Named("枪号", "gun number", "BIN here")]
"""枪号 in the frames of the ground lock: a plain number."""
LogicalCard = Annotated[str, Bcd(8), Named("逻辑卡号", "printed card number", "padded with 0 on the left")]
PhysicalCard = Annotated[str, Raw(8), Named("物理卡号", "physical card number", "padded with 0 on the left")]
"""物理卡号: eight opaque bytes; makers disagree on their order (protocol reference §10)."""
Reserved = Annotated[str, Raw(4), Named("预留位", "reserved", "0")]
ParallelNo = Annotated[str, Bcd(6), Named("并充序号", "joint number", "yyMMddHHmmss")]
U8 = Annotated[int, Uint(1)]
U16 = Annotated[int, Uint(2)]
Volts = Annotated[Decimal, Scaled(2, "0.1", "V")]
CellVolts = Annotated[Decimal, Scaled(2, "0.01", "V")]
BmsAmps = Annotated[Decimal, Scaled(2, "0.1", "A", "-400")]
"""A current of the CAN bus: raw × 0.1 - 400. Its sign is not agreed (protocol reference §10): take the magnitude."""
Celsius = Annotated[int, Offset(-50, "℃")]
Balance = Annotated[Decimal, Scaled(4, "0.01", "yuan")]

NO_TRADE = "0" * 32
NO_CARD = "0" * 16

ANSWERED_BY = {
    0x01: 0x02, 0x03: 0x04, 0x05: 0x06, 0x09: 0x0A, 0x12: 0x13, 0x31: 0x32, 0x34: 0x33, 0x36: 0x35, 0x3B: 0x40,
    0x42: 0x41, 0x44: 0x43, 0x46: 0x45, 0x48: 0x47, 0x52: 0x51, 0x56: 0x55, 0x58: 0x57, 0x62: 0x63, 0x92: 0x91,
    0x94: 0x93, 0xA1: 0xA2, 0xA4: 0xA3, 0xF0: 0xF1,
}  # fmt: skip
"""Frame type → type of its answer; a type that is neither here nor an answer has none."""


def gun_no(number: int) -> str:
    """Gun 1 … 99 → its two digits on the wire."""
    return f"{number:02d}"


class YkcMessage(Layout):
    """A message of the protocol; a subclass is its table in the document, registered under its frame type.

    `variant=True` declares a second layout of the same type, taken only for a body of exactly its size.
    """

    code: ClassVar[int]
    title: ClassVar[str]
    source: ClassVar[str]

    extra: bytes = b""
    """Bytes behind the table: vendors append fields, and nobody may lose them."""

    def __init_subclass__(cls, *, code: int, title: str, source: str, variant: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.code, cls.title, cls.source = code, title, source
        REGISTRY.add(cls, variant=variant)

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Body → message; bytes behind the table go to `extra`; FrameError when it is shorter than the table."""
        message, used = cls.read(body)
        if used < len(body):
            message.__dict__["extra"] = body[used:]
        return message

    def encode(self) -> bytes:
        """Message → body; FrameError names the field whose value has no place on the wire."""
        return self.write() + self.extra


class Registry:
    """Frame type → message of one protocol; two messages with one code fail at import."""

    def __init__(self) -> None:
        self._messages: dict[int, type[YkcMessage]] = {}
        self._variants: dict[tuple[int, int], type[YkcMessage]] = {}

    def add(self, message: type[YkcMessage], *, variant: bool) -> None:
        """Register a message; TypeError when its place is taken."""
        taken: type[YkcMessage] | None
        if variant:
            taken = self._variants.setdefault((message.code, message.size), message)
        else:
            taken = self._messages.setdefault(message.code, message)
        if taken is not message:
            raise TypeError(f"0x{message.code:02X} is both {taken.__name__} and {message.__name__}")

    def find(self, code: int, size: int) -> type[YkcMessage] | None:
        """The message for a frame type and the size of its body; None for a type that we do not know."""
        return self._variants.get((code, size)) or self._messages.get(code)

    def __iter__(self) -> Iterator[type[YkcMessage]]:
        yield from self._messages.values()
        yield from self._variants.values()


REGISTRY = Registry()


def is_from_pile(code: int) -> bool:
    """Odd types come from the pile, even ones from the platform; there is no exception in V1.6."""
    return bool(code & 1)
