"""Bills explained, evidence and the time line, as they go over HTTP."""

from marshmallow import Schema, fields

from evcs.contracts.states import TariffBand
from webapi.http.fields import Instant, out
from webapi.stations.schemas import SentenceSchema


class ExactLineSchema(Schema):
    """One band before and after rounding."""

    band = out(fields.Enum, "时段 · band", enum=TariffBand, by_value=True)
    energy_kwh = out(fields.Decimal, "计费电量 · kWh")
    energy_price_e5 = out(fields.Integer, "电价 · 0.00001 yuan/kWh")
    service_price_e5 = out(fields.Integer, "服务费单价 · 0.00001 yuan/kWh")
    exact_electricity_fen = out(fields.Decimal, "电费（未舍入）· unrounded, fen")
    exact_service_fen = out(fields.Decimal, "服务费（未舍入）· unrounded, fen")
    electricity_fen = out(fields.Integer, "电费 · fen")
    service_fen = out(fields.Integer, "服务费 · fen")


class DifferenceSchema(Schema):
    """A figure that is not what follows from the evidence."""

    what = out(fields.String, "哪一项 · which")
    expected = out(fields.String, "应为 · what follows")
    found = out(fields.String, "现为 · what stands there")


class BillExplainedSchema(Schema):
    """One bill, rebuilt from its evidence alone."""

    n = out(fields.Integer, "第几份证据 · from 1")
    kind = out(fields.String, "provisional, final, correction, decision")
    route = out(fields.String, "record, marks, none")
    tariff_version = out(fields.String, "电价版本 · version", allow_none=True)
    hash = out(fields.String, "证据哈希 · SHA-256")
    before_hash = out(fields.String, "上一份的哈希 · of the one before; empty: the first")
    made_at = out(Instant, "时间 · when")
    is_right = out(fields.Boolean, "与台账一致 · equals bill and ledger")
    total_fen = out(fields.Integer, "应付 · rebuilt total, fen; null: the evidence gives none", allow_none=True)
    discount_fen = out(fields.Integer, "减免 · fen")
    pile_total_fen = out(fields.Integer, "桩的金额 · the pile's own, fen", allow_none=True)
    lines = fields.List(fields.Nested(ExactLineSchema))
    sentences = fields.List(fields.Nested(SentenceSchema), metadata={"description": "可读给客户 · to be read aloud"})
    differences = fields.List(fields.Nested(DifferenceSchema))


class OrderExplainedSchema(Schema):
    """All bills of an order, oldest first."""

    serial = out(fields.String, "订单 · order")
    is_right = out(fields.Boolean, "全部一致 · all agree")
    bills = fields.List(fields.Nested(BillExplainedSchema))
    without_evidence = fields.List(
        fields.String(), metadata={"description": "早于证据保存的账单 · kinds of bills older than evidence"}
    )


class EvidenceSchema(Schema):
    """A bundle. hash = SHA-256(before_hash + line feed + content)."""

    n = out(fields.Integer, "第几份 · from 1")
    hash = out(fields.String, "SHA-256")
    before_hash = out(fields.String, "上一份的哈希 · of the one before")
    made_at = out(Instant, "时间 · when")
    content = out(fields.String, "证据原文，JSON · the bundle, canonical JSON")


class EvidencesSchema(Schema):
    """The bundles of an order, oldest first."""

    serial = out(fields.String, "订单 · order")
    items = fields.List(fields.Nested(EvidenceSchema))


class BandIntervalSchema(Schema):
    """A shaded interval behind the curves."""

    start = out(Instant, "起 · from")
    end = out(Instant, "止 · until")
    band = out(fields.Enum, "时段 · band", enum=TariffBand, by_value=True)
    energy_price_e5 = out(fields.Integer, "电价 · 0.00001 yuan/kWh")
    service_price_e5 = out(fields.Integer, "服务费单价 · 0.00001 yuan/kWh")


class TimelineEventSchema(Schema):
    """Something that happened."""

    at = out(Instant, "时间 · when")
    until = out(Instant, "止 · cleared", allow_none=True)
    kind = out(
        fields.String,
        "requested, admitted, started, stop_requested, ended, settled; hold, extend_hold, release, settlement …;"
        " cap; start_answered, stop_answered; verdict_…; bms_…; fault, warning",
    )
    code = out(fields.String, "代码 · who, why or which", allow_none=True)
    zh = out(fields.String, "中文 · in Chinese", allow_none=True)
    en = out(fields.String, "英文 · in English", allow_none=True)
    amount_fen = out(fields.Integer, "冻结变动 · what the hold grew by, fen", allow_none=True)
    cap_kw = out(fields.Float, "功率上限 · kW; null: none", allow_none=True)


class TimelineSchema(Schema):
    """What stands beside an order's curves."""

    serial = out(fields.String, "订单 · order")
    start = out(Instant, "起 · from")
    end = out(Instant, "止 · until; while it is open: now")
    is_open = out(fields.Boolean, "未结束 · still open")
    bands = fields.List(fields.Nested(BandIntervalSchema))
    events = fields.List(fields.Nested(TimelineEventSchema))
