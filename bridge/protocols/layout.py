"""The base class that turns a declaration into decode, encode and a byte table."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import IntEnum
from operator import attrgetter, call
from typing import Any, ClassVar, NoReturn, Self, cast, dataclass_transform, get_type_hints

from bridge.protocols.base import FrameError
from bridge.protocols.fields import REFUSALS, Codec, Reader, Writer
from bridge.protocols.tails import Tail

_new = object.__new__


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
    """A declaration, compiled once: one precompiled struct and a conversion for each of its items.

    The conversions are functions of C wherever there is one, so that `map` runs a whole table without a step of
    Python between two fields: half of the time that a loop takes.
    """

    struct: struct.Struct
    names: tuple[str, ...]
    """Of the fields with a fixed place."""
    readers: tuple[Reader, ...]
    writers: tuple[Writer, ...]
    values: Callable[[Any], tuple[Any, ...]]
    """Message → the values of `names`."""
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
    names = tuple(name for name, _ in fixed)
    return Plan(
        struct=struct.Struct("<" + "".join(codec.format for _, codec in fixed)),
        names=names,
        readers=tuple(codec.reader() for _, codec in fixed),
        writers=tuple(codec.writer() for _, codec in fixed),
        values=_getter(names),
        places=tuple(places),
        tail=tail,
    )


def _getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """`attrgetter`, which gives no tuple for one name and does not exist for none."""
    get = attrgetter(*names) if names else None
    if get is None:
        return lambda message: ()
    return get if len(names) > 1 else lambda message: (get(message),)


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
    def read(cls, body: bytes) -> tuple[Self, int]:
        """A message, and how many bytes of `body` it took; FrameError when it is shorter than the table."""
        plan = cls.plan
        try:
            items = plan.struct.unpack_from(body)
        except struct.error:
            raise FrameError(f"{cls.__name__}: {len(body)} bytes, the table has {cls.size}") from None
        message = _new(cls)
        # Past the frozen __init__: what a reader gave needs no check.
        message.__dict__.update(zip(plan.names, map(call, plan.readers, items)))  # noqa: B905
        return (message, cls.size) if plan.tail is None else (message, _read_tail(message, plan.tail, body))

    def write(self) -> bytes:
        """Encode the declared fields; FrameError names the field whose value has no place on the wire."""
        plan = self.plan
        try:
            body = plan.struct.pack(*map(call, plan.writers, plan.values(self)))
        except REFUSALS as error:
            self._refuse(error)
        return body if plan.tail is None else body + _tail_of(self, plan.tail)

    def _refuse(self, error: Exception) -> NoReturn:
        """Say which field it was."""
        for place in self.plan.places:
            codec = place.codec
            if not isinstance(codec, Codec):
                continue
            value = getattr(self, place.name)
            try:
                struct.pack("<" + codec.format, codec.writer()(value))
            except REFUSALS as why:
                # What Python says of a wrong type helps nobody.
                said = why if isinstance(why, FrameError) else f"has no place in {codec.size} bytes {codec.kind}"
                raise FrameError(f"{type(self).__name__}.{place.name}: {value!r:.80}: {said}") from error
        raise error


def _codec_of(tail: Place) -> Tail:
    # `compile_plan` saw what it is; asking a protocol class for each frame costs ten times the reading.
    return cast(Tail, tail.codec)


def _read_tail(message: Layout, tail: Place, body: bytes) -> int:
    """Put what stands behind the table into the message; how many bytes of the body are then read."""
    codec, start = _codec_of(tail), message.size
    left = len(body) - start
    length = getattr(message, codec.count) * codec.unit if codec.count else left - left % codec.unit
    if length > left:
        raise FrameError(f"{type(message).__name__}.{tail.name}: {left} bytes left, {codec.count} says {length}")
    message.__dict__[tail.name] = codec.read_rest(body[start : start + length])
    return start + length


def _tail_of(message: Layout, tail: Place) -> bytes:
    codec = _codec_of(tail)
    value = getattr(message, tail.name)
    try:
        rest = codec.write_rest(value)
    except FrameError as error:
        raise FrameError(f"{type(message).__name__}.{tail.name}: {error}") from error
    if codec.count and getattr(message, codec.count) * codec.unit != len(rest):
        raise FrameError(f"{type(message).__name__}.{codec.count}: {getattr(message, codec.count)} is not its length")
    return rest
