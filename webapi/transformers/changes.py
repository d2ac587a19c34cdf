"""A change of a transformer's configuration: whether the figures fit together, and what has changed."""

from dataclasses import dataclass
from decimal import Decimal

import msgspec
from msgspec import UNSET, UnsetType

from webapi.http.field_messages import told
from webapi.http.problems import FieldError
from webapi.transformers.models import Transformer

Value = Decimal | int | bool | str | None


class TransformerChange(msgspec.Struct, frozen=True, kw_only=True):
    """What shall be different; what is unset stays. Percentages of the rated apparent power."""

    name: str | UnsetType = UNSET
    rated_kva: Decimal | UnsetType = UNSET
    has_meter: bool | UnsetType = UNSET
    base_load_kw: Decimal | UnsetType = UNSET
    max_base_load_kw: Decimal | UnsetType | None = UNSET
    power_factor: Decimal | UnsetType = UNSET
    limited_pct: Decimal | UnsetType = UNSET
    limited_release_pct: Decimal | UnsetType = UNSET
    limited_release_s: int | UnsetType = UNSET
    blocked_pct: Decimal | UnsetType = UNSET
    blocked_release_pct: Decimal | UnsetType = UNSET
    blocked_release_s: int | UnsetType = UNSET
    overload_pct: Decimal | UnsetType = UNSET
    overload_s: int | UnsetType = UNSET
    overload_stop_after_s: int | UnsetType = UNSET
    overload_stop_apart_s: int | UnsetType = UNSET
    cap_share: Decimal | UnsetType = UNSET
    releases_caps: bool | UnsetType = UNSET
    release_apart_s: int | UnsetType = UNSET
    shown_after_s: int | UnsetType = UNSET
    is_shared: bool | UnsetType = UNSET
    share_target_pct: Decimal | UnsetType = UNSET
    queue_most: int | UnsetType = UNSET
    queue_s: int | UnsetType = UNSET
    degraded_blocked_pct: Decimal | UnsetType = UNSET


class FieldChange(msgspec.Struct, frozen=True):
    """One field, before and after."""

    field: str
    old: Value
    new: Value


class Changed(msgspec.Struct, frozen=True):
    """What the audit keeps of a change."""

    changes: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures that must fit together, as they would be after a change."""

    base_load_kw: Decimal
    max_base_load_kw: Decimal | None
    limited_pct: Decimal
    limited_release_pct: Decimal
    blocked_pct: Decimal
    blocked_release_pct: Decimal
    overload_pct: Decimal
    share_target_pct: Decimal
    degraded_blocked_pct: Decimal


def figures_after(row: Transformer, change: TransformerChange) -> Figures:
    """The row's figures, with those of the change in their place."""

    def after(name: str) -> Decimal:
        value: Decimal | UnsetType = getattr(change, name)
        stands: Decimal = getattr(row, name)
        return stands if value is UNSET else value

    largest = row.max_base_load_kw if change.max_base_load_kw is UNSET else change.max_base_load_kw
    return Figures(
        base_load_kw=after("base_load_kw"),
        max_base_load_kw=largest,
        limited_pct=after("limited_pct"),
        limited_release_pct=after("limited_release_pct"),
        blocked_pct=after("blocked_pct"),
        blocked_release_pct=after("blocked_release_pct"),
        overload_pct=after("overload_pct"),
        share_target_pct=after("share_target_pct"),
        degraded_blocked_pct=after("degraded_blocked_pct"),
    )


def misfits(given: Figures) -> tuple[FieldError, ...]:
    """What does not fit: release below its threshold, 50 % at most 80 %, overload at least that."""
    found: list[FieldError] = []

    def below(field: str, value: Decimal, than: str, limit: Decimal) -> None:
        if value >= limit:
            found.append(FieldError(field, told(f"Must be below {than} ({_plain(limit)}).")))

    def at_most(field: str, value: Decimal, than: str, limit: Decimal) -> None:
        if value > limit:
            found.append(FieldError(field, told(f"Must not be above {than} ({_plain(limit)}).")))

    below("limited_release_pct", given.limited_release_pct, "limited_pct", given.limited_pct)
    at_most("limited_pct", given.limited_pct, "blocked_pct", given.blocked_pct)
    below("blocked_release_pct", given.blocked_release_pct, "blocked_pct", given.blocked_pct)
    if given.overload_pct < given.blocked_pct:
        found.append(FieldError("overload_pct", told(f"Must be at least blocked_pct ({_plain(given.blocked_pct)}).")))
    at_most("degraded_blocked_pct", given.degraded_blocked_pct, "blocked_pct", given.blocked_pct)
    at_most("share_target_pct", given.share_target_pct, "blocked_pct", given.blocked_pct)
    if given.max_base_load_kw is not None and given.max_base_load_kw < given.base_load_kw:
        said = told(f"Must be at least base_load_kw ({_plain(given.base_load_kw)}).")
        found.append(FieldError("max_base_load_kw", said))
    return tuple(found)


def apply(row: Transformer, change: TransformerChange) -> tuple[FieldChange, ...]:
    """Write the change into the row; what it really changed, in the order of the fields."""
    changed = []
    for name in change.__struct_fields__:
        new = getattr(change, name)
        old = getattr(row, name)
        if new is UNSET or new == old:
            continue
        setattr(row, name, new)
        changed.append(FieldChange(name, old, new))
    return tuple(changed)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
