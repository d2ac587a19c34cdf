"""Piles as they go over HTTP."""

from marshmallow import Schema, ValidationError, fields, validates_schema

from webapi.http.fields import Body, Instant, code, next_cursor, out, whole
from webapi.piles.firmware import FirmwareWish
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


class FirmwareSchema(Schema):
    """固件差异: how the pile's firmware departs from its protocol."""

    fault_bit_base = out(fields.Integer, "故障位从 0 还是 1 数起 · whether its fault bits count from 0 or 1")
    qr_ok_code = out(fields.Integer, "0xF1 中表示成功的结果码 · result of 0xF1 that means done")
    answers_in_peers_crc_order = out(
        fields.Boolean,
        "CRC 字节序跟随桩（否则低字节在前） · CRC bytes in the order of the pile, else low byte first",
    )
    update_answer_is_final = out(
        fields.Boolean,
        "0x93 在升级完成后应答（否则仅表示已受理） · 0x93 comes after the update, else it only says that it was taken",
    )


def flag(description: str) -> fields.Boolean:
    """true or false, and nothing that only looks like it."""
    return fields.Boolean(truthy={True}, falsy={False}, metadata={"description": description})


class FirmwareBody(Body):
    """固件差异: only what stands here changes."""

    makes = FirmwareWish
    fault_bit_base = whole("故障位从 0 还是 1 数起 · whether its fault bits count from 0 or 1", least=0, most=1)
    qr_ok_code = whole("0xF1 中表示成功的结果码 · result of 0xF1 that means done", least=0, most=255)
    answers_in_peers_crc_order = flag(
        "CRC 字节序跟随桩（否则低字节在前） · CRC bytes in the order of the pile, else low byte first"
    )
    update_answer_is_final = flag(
        "0x93 在升级完成后应答（否则仅表示已受理） · 0x93 comes after the update, else it only says that it was taken"
    )

    @validates_schema
    def _something(self, data: dict[str, object], **_: object) -> None:
        if not data:
            raise ValidationError("Nothing is set.")


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
    feeder = out(fields.String, "馈线编号 · feeder's code; null: directly at the transformer", allow_none=True)
    guns = out(fields.Integer, "枪数 · number of guns")
    lockout = fields.Nested(LockoutSchema, allow_none=True, metadata={"description": "停用"})
    live = fields.Nested(LinkSchema)
    tariff = fields.Nested(TariffStateSchema)
    firmware = fields.Nested(FirmwareSchema)


class PilesSchema(Schema):
    """A page of piles, by number."""

    items = fields.List(fields.Nested(PileSchema))
    next = next_cursor()
