"""The base of YKC messages, their registry, and the types that several tables share."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Self

from bridge.protocols.fields import Bcd, Layout, Uint

TradeNo = Annotated[str, Bcd(16)]
"""交易流水号: 32 digits, made by the platform; opaque, since foreign ones follow no rule. All zero = none."""
PileNo = Annotated[str, Bcd(7)]
"""桩编号: 14 digits."""
GunNo = Annotated[str, Bcd(1)]
"""枪号: two digits, "01" is gun 1."""
U8 = Annotated[int, Uint(1)]
U16 = Annotated[int, Uint(2)]

NO_TRADE = "0" * 32
NO_CARD = "0" * 16


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
        message = cls.read(body)
        message.__dict__["extra"] = body[cls.size :]
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
