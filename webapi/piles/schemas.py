"""Piles as they go over HTTP."""

from marshmallow import Schema, fields

from webapi.http.fields import Instant, code, next_cursor, out
from webapi.piles.models import CurrentKind
from webapi.piles.queries import PileFilter
from webapi.stations.schemas import LockoutSchema, PageQuery


class PilesQuery(PageQuery):
    """Which piles."""

    makes = PileFilter
    station = code("只看该站 · only those of this station")


class LinkSchema(Schema):
    """What the pile's connection last said."""

    online = out(fields.Boolean, "是否在线 · online, and the bridge that holds it too")
    since = out(Instant, "起始时间 · since when", allow_none=True)
    login_at = out(Instant, "本次登录时间 · login of the connection", allow_none=True)
    link_age_s = out(fields.Float, "连接时长 · age of the connection, s", allow_none=True)
    protocol = out(fields.String, "协议 · protocol as the pile speaks it", allow_none=True)
    firmware = out(fields.String, "固件 · firmware", allow_none=True)
    address = out(fields.String, "来源地址 · from where it connects", allow_none=True)
    proof = out(fields.String, "身份证明方式 · how it proved who it is: number, key, certificate", allow_none=True)
    bridge = out(fields.String, "所在接入服务 · which bridge holds it", allow_none=True)
    clock_offset_s = out(fields.Float, "桩时钟偏差 · its clock minus ours, s", allow_none=True)


class TariffStateSchema(Schema):
    """计费模型: wanted and confirmed version."""

    wanted = out(fields.String, "应下发的版本 · version that the pile shall have", allow_none=True)
    wanted_model_no = out(fields.String, "计费模型编号 · its 4-digit number on the wire", allow_none=True)
    confirmed = out(fields.String, "桩已确认的版本 · version that it confirmed; null: nothing starts", allow_none=True)
    confirmed_model_no = out(fields.String, "计费模型编号 · its 4-digit number on the wire", allow_none=True)
    is_current = out(fields.Boolean, "两者是否一致 · whether both are the same")


class PileSchema(Schema):
    """充电桩."""

    number = out(fields.String, "桩号 · number on the wire")
    station = out(fields.String, "充电站编号 · station's code")
    name = out(fields.String, "名称 · name")
    maker = out(fields.String, "厂商 · maker", allow_none=True)
    model = out(fields.String, "型号 · model", allow_none=True)
    kind = out(fields.Enum, "直流 dc or 交流 ac", enum=CurrentKind, by_value=True)
    rated_kw = out(fields.Decimal, "额定功率 · rated power, kW")
    hand_limit_kw = out(fields.Decimal, "人工限功率 · limit set by a person, kW", allow_none=True)
    transformer = out(fields.String, "变压器编号 · transformer's code")
    guns = out(fields.Integer, "枪数 · number of guns")
    lockout = fields.Nested(LockoutSchema, allow_none=True, metadata={"description": "停用"})
    live = fields.Nested(LinkSchema)
    tariff = fields.Nested(TariffStateSchema)


class PilesSchema(Schema):
    """A page of piles, by number."""

    items = fields.List(fields.Nested(PileSchema))
    next = next_cursor()
