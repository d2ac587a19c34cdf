"""A demo past in files: the town it happens in, and one line of `orders.jsonl` for each thing that happened.

Written by `bridge.simulator history`, read by `webapi.demo load`; rooms meet by files. What was said on the wire then
stands in the contract's own types.
"""

from datetime import date
from typing import Annotated

import msgspec

from evcs.contracts.config import StationConfig, TariffTable
from evcs.contracts.gun import ChargeRecord, Goal, GunReply, MeterMark, Verdict
from evcs.contracts.ids import CardUid, Code, GunNumber, PileNumber, Serial, Vin
from evcs.contracts.states import StartSource
from evcs.contracts.times import Instant

FORMAT = 1
"""Of the files; a reader refuses another."""
MANIFEST, ORDERS, POINTS = "history.json", "orders.jsonl", "points"
"""Names within the folder; a points file is `{bucket}-{Beijing day}.lines`, with `.gz` where it is packed."""

Phone = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{11}$")]


class Driver(msgspec.Struct, frozen=True, kw_only=True):
    """A customer by phone, with the card and the car that start charges at the pile."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    phone: Phone
    card: CardUid | None = None
    printed_card: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{0,16}$")] = ""
    vin: Vin | None = None
    plate: Annotated[str, msgspec.Meta(max_length=16)] = ""


class Town(msgspec.Struct, frozen=True, kw_only=True):
    """Where the past happens: the operator's stations, the one tariff in force, and the customers there are."""

    format: int = FORMAT
    tenant: Code
    stations: Annotated[tuple[StationConfig, ...], msgspec.Meta(min_length=1)]
    tariff: TariffTable
    drivers: tuple[Driver, ...] = ()


class PastDriver(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="driver"):
    """Somebody became a customer."""

    at: Instant
    driver: Driver
    station: Code


class PastRecharge(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="recharge"):
    """Money came in; `number` is unique within the past."""

    at: Instant
    phone: Phone
    number: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    amount_fen: Annotated[int, msgspec.Meta(gt=0, le=10_000_000)]


class PastOrder(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag="order"):
    """An order from request to record: refused (`verdict`), failed (`reply`), or charged (`charging_since` …)."""

    serial: Serial
    phone: Phone
    station: Code
    pile: PileNumber
    gun: GunNumber
    goal: Goal
    source: StartSource = StartSource.APP
    tariff_version: Code
    card: CardUid | None = None
    vin: Vin | None = None
    requested_at: Instant
    verdict: Verdict
    """Its `request` is filled in by the reader, who makes the request."""
    reply: GunReply | None = None
    charging_since: Instant | None = None
    marks: tuple[MeterMark, ...] = ()
    goal_reached: Verdict | None = None
    ended_at: Instant | None = None
    record: ChargeRecord | None = None


Past = PastDriver | PastRecharge | PastOrder


class PointsFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of line protocol (ms) for one bucket: raw, rollup_1m, rollup_15m."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9_]+-[0-9]{4}-[0-9]{2}-[0-9]{2}\.lines(\.gz)?$")]
    bucket: Annotated[str, msgspec.Meta(pattern=r"^(raw|rollup_1m|rollup_15m)$")]
    lines: Annotated[int, msgspec.Meta(ge=0)]
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
    """Of the bytes as they lie there."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`history.json`, written last: a folder without it is not complete."""

    format: int = FORMAT
    seed: int
    first_day: date
    end_day: date
    """Beijing days, half-open."""
    points: tuple[PointsFile, ...]
    orders: Annotated[int, msgspec.Meta(ge=0)]
    """Lines of `orders.jsonl`."""
    orders_sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
