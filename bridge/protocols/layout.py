"""The base class that turns a declaration into decode, encode and a byte table."""

import struct
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, ClassVar, NoReturn, Self, dataclass_transform, get_type_hints

from bridge.protocols.base import FrameError
from bridge.protocols.fields import REFUSALS, Codec, Reader, Writer
from bridge.protocols.tails import Tail


@dataclass(frozen=True, slots=True)
class Named:
    """What people call a field: its name in the document and in English, and what its values mean."""

    zh: str
    en: str
    note: str = ""
    unit: str = ""
    """Of a whole number; scaled values carry theirs in the codec."""
    codes: type[IntEnum] | None = None
    """Words for a number that stays a number; named codes (Enum8) bring theirs."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a field stands in a body: for byte tables and for people."""

    name: str
    offset: int
    codec: Codec | Tail
    named: Named


@dataclass(frozen=True, slots=True)
class Plan:
    """A declaration, compiled once: one precompiled struct and the conversions that are not the identity."""

    struct: struct.Struct
    names: tuple[str, ...]
    """Of the fields with a fixed place."""
    readers: tuple[tuple[int, Reader], ...]
    writers: tuple[tuple[int, Writer], ...]
    places: tuple[Place, ...]
    """All fields, a tail included."""
    tail: Place | None


def _meta(hint: Any, kind: Any) -> Any:
    """The last of its kind, so that a field may say more than the alias that it uses."""
    return next((meta for meta in reversed(getattr(hint, "__metadata__", ())) if isinstance(meta, kind)), None)


def compile_plan(cls: type) -> Plan:
    """Read what rides in the `Annotated` types of a dataclass; a field without a codec is not on the wire."""
    hints = get_type_hints(cls, include_extras=True)
    places: list[Place] = []
    fixed: list[tuple[str, Codec]] = []
    tail: Place | None = None
    offset = 0
    for each in fields(cls):
        hint = hints[each.name]
        codec, rest = _meta(hint, Codec), _meta(hint, Tail)
        if codec is None and rest is None:
            continue
        named = _meta(hint, Named)
        if named is None:
            raise TypeError(f"{cls.__name__}.{each.name} has no name for people")
        if tail is not None:
            raise TypeError(f"{cls.__name__}.{each.name} stands behind a field without a fixed length")
        places.append(Place(each.name, offset, codec or rest, named))
        if codec is None:
            tail = places[-1]
            continue
        fixed.append((each.name, codec))
        offset += codec.size
    readers = [(index, codec.reader()) for index, (_, codec) in enumerate(fixed)]
    writers = [(index, codec.writer()) for index, (_, codec) in enumerate(fixed)]
    return Plan(
        struct=struct.Struct("<" + "".join(codec.format for _, codec in fixed)),
        names=tuple(name for name, _ in fixed),
        # A plain integer needs no conversion; skipping it is half of the decode's speed.
        readers=tuple((index, read) for index, read in readers if read is not None),
        writers=tuple((index, write) for index, write in writers if write is not None),
        places=tuple(places),
        tail=tail,
    )


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Layout:
    """Base of declared messages: a subclass is its table, in the order of the wire.

    A subclass becomes a frozen dataclass in place. No slots: `slots=True` would make a second class and call
    `__init_subclass__` again without its arguments.
    """

    size: ClassVar[int]
    """Bytes of the fields with a fixed place."""
    plan: ClassVar[Plan]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclass(frozen=True, kw_only=True)(cls)
        cls.plan = compile_plan(cls)
        cls.size = cls.plan.struct.size

    @classmethod
    def take(cls, body: bytes) -> tuple[dict[str, Any], int]:
        """Values by name, and how many bytes of `body` they took; FrameError when it is shorter than the table."""
        plan = cls.plan
        try:
            values = list(plan.struct.unpack_from(body))
        except struct.error:
            raise FrameError(f"{cls.__name__}: {len(body)} bytes, the table has {cls.size}") from None
        for index, read in plan.readers:
            values[index] = read(values[index])
        taken = dict(zip(plan.names, values, strict=True))
        return (taken, cls.size) if plan.tail is None else _take_tail(cls, plan.tail, body, taken)

    @classmethod
    def made_of(cls, values: dict[str, Any]) -> Self:
        """A message with just these values, which `take` gave; nothing is checked again."""
        message = object.__new__(cls)
        object.__setattr__(message, "__dict__", values)
        return message

    def write(self) -> bytes:
        """Encode the declared fields; FrameError names the field whose value has no place on the wire."""
        plan = self.plan
        values = [getattr(self, name) for name in plan.names]
        try:
            for index, write in plan.writers:
                values[index] = write(values[index])
            body = plan.struct.pack(*values)
        except REFUSALS as error:
            self._refuse(error)
        return body if plan.tail is None else body + _tail_of(self, plan.tail)

    def _refuse(self, error: Exception) -> NoReturn:
        """Say which field it was."""
        for place in self.plan.places:
            codec = place.codec
            if not isinstance(codec, Codec):
                continue
            value, write = getattr(self, place.name), codec.writer()
            try:
                struct.pack("<" + codec.format, value if write is None else write(value))
            except REFUSALS as why:
                # What Python says of a wrong type helps nobody.
                said = why if isinstance(why, FrameError) else f"has no place in {codec.size} bytes {codec.kind}"
                raise FrameError(f"{type(self).__name__}.{place.name}: {value!r:.80}: {said}") from error
        raise error


def _take_tail(cls: type[Layout], tail: Place, body: bytes, taken: dict[str, Any]) -> tuple[dict[str, Any], int]:
    codec = tail.codec
    assert isinstance(codec, Tail)
    left = len(body) - cls.size
    length = taken[codec.count] * codec.unit if codec.count else left - left % codec.unit
    if length > left:
        raise FrameError(f"{cls.__name__}.{tail.name}: {left} bytes left, {codec.count} says {length}")
    taken[tail.name] = codec.read_rest(body[cls.size : cls.size + length])
    return taken, cls.size + length


def _tail_of(message: Layout, tail: Place) -> bytes:
    codec = tail.codec
    assert isinstance(codec, Tail)
    value = getattr(message, tail.name)
    try:
        rest = codec.write_rest(value)
    except FrameError as error:
        raise FrameError(f"{type(message).__name__}.{tail.name}: {error}") from error
    if codec.count and getattr(message, codec.count) * codec.unit != len(rest):
        raise FrameError(f"{type(message).__name__}.{codec.count}: {getattr(message, codec.count)} is not its length")
    return rest
