"""Schema fields that let nothing through which a database or a screen could choke on."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, post_load, validate

from evcs.contracts.ids import LEVEL
from webapi.http.instants import FIRST_YEAR, LAST_YEAR, check_year

MAX_INT = 2**53 - 1
"""Largest whole number that every JSON reader keeps exactly."""

_NOT_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def _is_text(text: str) -> None:
    if _NOT_TEXT.search(text):
        raise ValidationError("Contains characters that are not text.")


def _presence(required: bool, missing: str | int | None) -> dict[str, Any]:
    """Required, or with a default; what is absent without one is left to the type that the body becomes."""
    if required:
        return {"required": True}
    return {} if missing is None else {"load_default": missing}


def text(
    description: str,
    *,
    least: int = 1,
    most: int = 200,
    required: bool = False,
    missing: str | None = None,
    nullable: bool = False,
) -> fields.String:
    """A line of text; control characters are refused."""
    options = _presence(required, missing)
    return fields.String(
        validate=[_is_text, validate.Length(least, most)],
        allow_none=nullable,
        metadata={"description": description},
        **options,
    )


def code(description: str, *, required: bool = False, pattern: str = LEVEL) -> fields.String:
    """A code that may stand in a topic: letters, digits, - and _, 32 at most."""
    options = _presence(required, None)
    return fields.String(
        validate=validate.And(validate.Length(1, 64), validate.Regexp(pattern.replace("$", r"\Z"))),
        metadata={"description": description},
        **options,
    )


def whole(
    description: str, *, least: int = 1, most: int = MAX_INT, required: bool = False, missing: int | None = None
) -> fields.Integer:
    """A whole number; 12.5 and "12" are refused in a body."""
    options = _presence(required, missing)
    return fields.Integer(
        strict=True, validate=validate.Range(least, most), metadata={"description": description}, **options
    )


def number(description: str, *, most: int = MAX_INT) -> fields.Integer:
    """A whole number in a query."""
    return fields.Integer(validate=validate.Range(1, most), metadata={"description": description})


def whole_in_query(description: str, *, least: int = 0, most: int = MAX_INT) -> fields.Integer:
    """A whole number in a query that may be 0."""
    return fields.Integer(validate=validate.Range(least, most), metadata={"description": description})


def day(description: str) -> fields.Date:
    """A day of the calendar (2026-11-25), of years that a database keeps."""
    return fields.Date(
        validate=validate.Range(date(FIRST_YEAR, 1, 1), date(LAST_YEAR, 12, 31)), metadata={"description": description}
    )


def figure(
    description: str,
    *,
    above: str | None = None,
    least: str | None = None,
    most: str,
    places: int,
    required: bool = False,
    nullable: bool = False,
) -> fields.Decimal:
    """A decimal within bounds, with so many places at most; a number or its text."""
    lowest = Decimal(above if above is not None else least or "0")

    def _places(value: Decimal) -> None:
        if int(value.normalize().as_tuple().exponent) < -places:
            raise ValidationError(f"Has more than {places} decimals.")

    return fields.Decimal(
        required=required,
        allow_none=nullable,
        validate=validate.And(validate.Range(lowest, Decimal(most), min_inclusive=above is None), _places),
        metadata={"description": description},
    )


def kwh(description: str, *, most: int = 10_000) -> fields.Decimal:
    """Energy in kWh, above 0, with four decimals at most; a number or its text."""
    return fields.Decimal(
        validate=validate.And(validate.Range(Decimal("0.0001"), Decimal(most)), _four_decimals),
        metadata={"description": description},
    )


def _four_decimals(value: Decimal) -> None:
    if int(value.normalize().as_tuple().exponent) < -4:
        raise ValidationError("Has more than 4 decimals.")


class Instant(fields.AwareDateTime):
    """RFC 3339 with an offset; UTC inside and out. Years that no database keeps are refused."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> datetime:
        found = super()._deserialize(value, attr, data, **kwargs)
        try:
            check_year(found)
        except ValueError as error:
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE) from error
        return found.astimezone(UTC)


class Body(Schema):
    """A body or query that becomes a typed object; unknown fields are refused."""

    makes: ClassVar[type[Any] | None] = None

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Any:
        return data if self.makes is None else self.makes(**data)


def out(field: type[fields.Field[Any]], description: str, **options: Any) -> fields.Field[Any]:
    """A field of an answer."""
    return field(dump_only=True, metadata={"description": description}, **options)


def cursor() -> fields.String:
    """Where a page begins: `next` of the page before."""
    return text("上一页的 next · `next` of the page before", most=300)


def limit(usual: int = 20, most: int = 200, description: str = "每页条数 · rows of a page") -> fields.Integer:
    """How many rows or points are wanted at most."""
    return fields.Integer(load_default=usual, validate=validate.Range(1, most), metadata={"description": description})


def month() -> fields.String:
    """A month of Beijing time in a query."""
    return fields.String(
        required=True,
        validate=validate.Regexp(r"20[0-9]{2}-(0[1-9]|1[0-2])\Z"),
        metadata={"description": "月份（北京时间），如 2026-11 · Beijing month"},
    )


def next_cursor() -> fields.Field[Any]:
    """For the page after this one."""
    return out(fields.String, "下一页的游标 · cursor of the next page; null: this is the last", allow_none=True)
