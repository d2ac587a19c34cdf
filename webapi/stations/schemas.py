"""Stations as they go over HTTP."""

from marshmallow import Schema, fields

from evcs.contracts.states import GunState
from webapi.http.fields import Body, Instant, cursor, limit, next_cursor, out
from webapi.http.paging import PageWish


class PageQuery(Body):
    """Which page."""

    makes = PageWish
    limit = limit()
    cursor = cursor()


class LockoutSchema(Schema):
    """停用: who, why, since when, until when."""

    by = out(fields.String, "who")
    reason = out(fields.String, "why", allow_none=True)
    since = out(Instant, "since when")
    until = out(Instant, "until when; null: until it is lifted", allow_none=True)


class StateCountSchema(Schema):
    """How many guns show a state."""

    state = out(fields.Enum, "state as shown", enum=GunState, by_value=True)
    guns = out(fields.Integer, "how many")


class StationSchema(Schema):
    """充电站."""

    code = out(fields.String, "code")
    name = out(fields.String, "name")
    address = out(fields.String, "postal address", allow_none=True)
    longitude = out(fields.Decimal, "WGS-84 degrees", allow_none=True)
    latitude = out(fields.Decimal, "WGS-84 degrees", allow_none=True)
    piles = out(fields.Integer, "number of piles")
    guns = fields.List(fields.Nested(StateCountSchema), metadata={"description": "guns by state; absent states: 0"})
    lockout = fields.Nested(LockoutSchema, allow_none=True, metadata={"description": "停用"})
    stopped = fields.Nested(LockoutSchema, allow_none=True, metadata={"description": "全站停止"})


class StationsSchema(Schema):
    """A page of stations, by code."""

    items = fields.List(fields.Nested(StationSchema))
    next = next_cursor()


class TransformerSchema(Schema):
    """变压器: thresholds in % of its rated apparent power."""

    code = out(fields.String, "code")
    name = out(fields.String, "name")
    rated_kva = out(fields.Decimal, "rated apparent power, kVA")
    base_load_kw = out(fields.Decimal, "building load behind it, kW")
    limited_pct = out(fields.Decimal, "over this, starts get half power")
    blocked_pct = out(fields.Decimal, "over this, nothing starts")
    has_meter = out(fields.Boolean, "whether it has a meter; else the load is estimated from the guns")


class StationDetailSchema(StationSchema):
    """A station with its transformers."""

    created_at = out(Instant, "when it was made")
    transformers = fields.List(fields.Nested(TransformerSchema))
