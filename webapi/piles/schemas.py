"""Piles as they go over HTTP."""

from marshmallow import Schema, fields

from webapi.http.fields import Instant, code, next_cursor, out
from webapi.piles.models import CurrentKind
from webapi.piles.queries import PileFilter
from webapi.stations.schemas import LockoutSchema, PageQuery


class PilesQuery(PageQuery):
    """Which piles."""

    makes = PileFilter
    station = code("only those of this station")


class LinkSchema(Schema):
    """What the pile's connection last said."""

    online = out(fields.Boolean, "online, and the bridge that holds it too")
    since = out(Instant, "since when", allow_none=True)
    login_at = out(Instant, "login of the connection", allow_none=True)
    link_age_s = out(fields.Float, "age of the connection, s", allow_none=True)
    protocol = out(fields.String, "protocol as the pile speaks it", allow_none=True)
    firmware = out(fields.String, "firmware", allow_none=True)
    address = out(fields.String, "from where it connects", allow_none=True)
    proof = out(fields.String, "how it proved who it is: number, key, certificate", allow_none=True)
    bridge = out(fields.String, "which bridge holds it", allow_none=True)
    clock_offset_s = out(fields.Float, "its clock minus ours, s", allow_none=True)


class TariffStateSchema(Schema):
    """计费模型: wanted and confirmed version."""

    wanted = out(fields.String, "version that the pile shall have", allow_none=True)
    wanted_model_no = out(fields.String, "its 4-digit number on the wire", allow_none=True)
    confirmed = out(fields.String, "version that it confirmed; null: nothing starts", allow_none=True)
    confirmed_model_no = out(fields.String, "its 4-digit number on the wire", allow_none=True)
    is_current = out(fields.Boolean, "whether both are the same")


class PileSchema(Schema):
    """充电桩."""

    number = out(fields.String, "number on the wire")
    station = out(fields.String, "station's code")
    name = out(fields.String, "name")
    maker = out(fields.String, "maker", allow_none=True)
    model = out(fields.String, "model", allow_none=True)
    kind = out(fields.Enum, "直流 dc or 交流 ac", enum=CurrentKind, by_value=True)
    rated_kw = out(fields.Decimal, "rated power, kW")
    hand_limit_kw = out(fields.Decimal, "limit set by a person, kW", allow_none=True)
    transformer = out(fields.String, "transformer's code")
    guns = out(fields.Integer, "number of guns")
    lockout = fields.Nested(LockoutSchema, allow_none=True, metadata={"description": "停用"})
    live = fields.Nested(LinkSchema)
    tariff = fields.Nested(TariffStateSchema)


class PilesSchema(Schema):
    """A page of piles, by number."""

    items = fields.List(fields.Nested(PileSchema))
    next = next_cursor()
