"""The file that names the meters, and the register maps that it refers to."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec

from bridge.errors import BridgeError
from bridge.meter.registers import RegisterMap
from evcs.contracts.ids import Code

T = TypeVar("T")

SHIPPED = Path(__file__).with_name("maps")
MOST_PERIOD_S = 15.0
"""A reading older than 60 s counts as none (design.md, Transformer rule): four tries at least fit into that."""


class MeterConfigError(BridgeError, ValueError):
    """The file says what cannot be; the text names file and place."""


class Meter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A meter, as its `[[meter]]` says."""

    station: Code
    transformer: Code
    host: str
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 502
    unit: Annotated[int, msgspec.Meta(ge=0, le=255)] = 1
    """Modbus unit id: which device behind a gateway."""
    map: str
    """A file beside the configuration, or the name of a shipped one without `.toml`."""
    period_s: Annotated[float, msgspec.Meta(ge=1, le=MOST_PERIOD_S)] = 5.0


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    meter: tuple[Meter, ...]


class MappedMeter(msgspec.Struct, frozen=True):
    """A meter with its register map."""

    meter: Meter
    registers: RegisterMap


def load_meters(path: Path) -> tuple[MappedMeter, ...]:
    """Read the file and every map it names; raises MeterConfigError."""
    file = _read(path, _File)
    if not file.meter:
        raise MeterConfigError(f"{path}: names no [[meter]]")
    seen: set[str] = set()
    for meter in file.meter:
        if meter.transformer in seen:
            raise MeterConfigError(f"{path}: two meters of transformer {meter.transformer}")
        seen.add(meter.transformer)
    return tuple(MappedMeter(meter, load_map(path.parent, meter.map)) for meter in file.meter)


def load_map(beside: Path, name: str) -> RegisterMap:
    """A register map by file name or by the name of a shipped one; raises MeterConfigError."""
    own = beside / name
    path = own if own.is_file() else SHIPPED / f"{name}.toml"
    if "/" in name or "\\" in name or not path.is_file():
        shipped = ", ".join(sorted(file.stem for file in SHIPPED.glob("*.toml")))
        raise MeterConfigError(f"{own}: there is no such register map; shipped are: {shipped}")
    registers = _read(path, RegisterMap)
    wrong = registers.wrong()
    if wrong is not None:
        raise MeterConfigError(f"{path}: {wrong}")
    return registers


def _read(path: Path, kind: type[T]) -> T:
    return _told(path, lambda: msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), type=kind))


def _told(path: Path, read: Callable[[], T]) -> T:
    try:
        return read()
    except OSError as error:
        raise MeterConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise MeterConfigError(f"{path}: {error}") from error
