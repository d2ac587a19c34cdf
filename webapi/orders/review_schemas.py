"""Reviews as they go over HTTP."""

from dataclasses import dataclass

from marshmallow import Schema, fields

from evcs.contracts.states import TariffBand
from webapi.http.fields import Body, Instant, code, next_cursor, out, text
from webapi.orders.models import BillRoute
from webapi.orders.review_queue import ReviewFilter
from webapi.orders.two_sides import Side
from webapi.stations.schemas import PageQuery, SentenceSchema


@dataclass(frozen=True, slots=True)
class DecisionWish:
    """Which calculation counts, and why."""

    take: Side
    reason: str


class ReviewsQuery(PageQuery):
    """Which reviews."""

    makes = ReviewFilter
    station = code("只看该站 · only at this station")


class DecisionBody(Body):
    """A decision."""

    makes = DecisionWish
    take = fields.Enum(
        Side,
        by_value=True,
        required=True,
        metadata={"description": "platform 按平台重算，pile 按桩的金额 · whose calculation counts"},
    )
    reason = text("理由，记入审计 · why; kept in the audit", required=True)


class SideSchema(Schema):
    """One calculation in full, as it would be booked."""

    route = out(fields.Enum, "电量来源 · where the energies came from", enum=BillRoute, by_value=True)
    energy_kwh = out(fields.Decimal, "电量 · kWh")
    electricity_fen = out(fields.Integer, "电费 · fen")
    service_fen = out(fields.Integer, "服务费 · fen")
    discount_fen = out(fields.Integer, "减免 · fen")
    total_fen = out(fields.Integer, "应付 · fen")


class ReviewBandSchema(Schema):
    """One band: ours beside the pile's."""

    band = out(fields.Enum, "时段 · band", enum=TariffBand, by_value=True)
    energy_kwh = out(fields.Decimal, "平台电量 · ours, kWh", allow_none=True)
    price_e5 = out(fields.Integer, "平台单价（电费+服务费）· ours, 0.00001 yuan/kWh", allow_none=True)
    amount_fen = out(fields.Integer, "平台金额 · ours, fen", allow_none=True)
    pile_energy_kwh = out(fields.Decimal, "桩计电量（含计损）· the pile's, kWh", allow_none=True)
    pile_price_e5 = out(fields.Integer, "桩的单价 · the pile's, 0.00001 yuan/kWh", allow_none=True)
    pile_amount_e4 = out(fields.Integer, "桩的金额 · the pile's, 0.0001 yuan", allow_none=True)


class ReviewSchema(Schema):
    """An order whose two calculations differ, or that cannot be reckoned."""

    serial = out(fields.String, "订单 · order")
    etag = out(fields.String, '裁定时放入 If-Match，如 "v3" · goes into If-Match of the decision')
    station = out(fields.String, "充电站编号 · station's code")
    station_name = out(fields.String, "充电站 · station")
    pile = out(fields.String, "桩号 · pile")
    gun = out(fields.Integer, "枪号 · gun")
    customer_id = out(fields.Integer, "付款用户 · who pays; null: nobody is known", allow_none=True)
    reason = out(
        fields.String,
        "原因 · amount_differs, band_untouched, band_unpriced, register_differs, more_than_rated, no_payer …",
        allow_none=True,
    )
    trouble_text = fields.Nested(SentenceSchema, allow_none=True)
    since = out(Instant, "进入待核 · in review since")
    deadline = out(Instant, "到期后按较低者结算 · afterwards the lower figure stands", allow_none=True)
    billed_fen = out(fields.Integer, "已结算 · taken until now, fen; null: nothing", allow_none=True)
    held_fen = out(fields.Integer, "仍冻结 · still held, fen")
    pile_energy_kwh = out(fields.Decimal, "桩计总电量 · the pile's total, kWh", allow_none=True)
    pile_amount_e4 = out(fields.Integer, "桩的总金额 · the pile's amount, 0.0001 yuan", allow_none=True)
    platform = fields.Nested(SideSchema, metadata={"description": "按平台 · by our tariff"})
    pile_side = fields.Nested(
        SideSchema,
        allow_none=True,
        metadata={"description": "按桩的金额 · by the pile's amount; null: it cannot be booked"},
    )
    difference_fen = out(fields.Integer, "差额（桩−平台）· pile less platform, fen", allow_none=True)
    bands = fields.List(fields.Nested(ReviewBandSchema))


class ReviewsSchema(Schema):
    """A page of reviews, the most urgent first."""

    items = fields.List(fields.Nested(ReviewSchema))
    next = next_cursor()
