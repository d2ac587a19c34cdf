"""Charge records without an order over HTTP: list, adopt."""

from dataclasses import dataclass
from http import HTTPStatus

import msgspec
from marshmallow import Schema, fields

from webapi.audit.record import record
from webapi.customers.queries import find_customer
from webapi.http.call import Call
from webapi.http.fields import Body, Instant, code, next_cursor, out, text, whole
from webapi.http.paging import Page
from webapi.http.problems import Code, not_found, problem
from webapi.http.serve import Reply, Served
from webapi.http.smorest import API_PREFIX, Endpoints
from webapi.orders.orphans import OrphanFilter, OrphanView, adopt_orphan, find_record, list_orphans
from webapi.orders.schemas import OrderSchema
from webapi.orders.views import order_view
from webapi.piles.models import Pile
from webapi.stations.schemas import PageQuery
from webapi.users.roles import Right

endpoints = Endpoints("无主充电记录 Orphans", "没有订单的充电记录 · charge records that no order explains")


@dataclass(frozen=True, slots=True)
class AdoptWish:
    """Who pays for an orphan, and why."""

    customer_id: int
    reason: str


class Adopted(msgspec.Struct, frozen=True):
    """What the audit keeps of an adoption."""

    customer_id: int
    record_id: int
    reason: str


class OrphansQuery(PageQuery):
    """Which orphans."""

    makes = OrphanFilter
    station = code("只看该站 · only at this station")
    pile = code("只看该桩 · only at this pile")


class AdoptBody(Body):
    """Who pays."""

    makes = AdoptWish
    customer_id = whole("付款用户 · who charged and pays", required=True)
    reason = text("依据 · how that is known; kept in the audit", required=True)


class OrphanSchema(Schema):
    """充电记录 (0x3B) that no order explains."""

    id = out(fields.Integer, "编号 · number of the record")
    serial = out(fields.String, "交易流水号 · serial as the pile sent it")
    station = out(fields.String, "充电站编号 · station's code")
    pile = out(fields.String, "桩号 · pile's number")
    gun = out(fields.Integer, "枪号 · gun's number")
    source = out(fields.String, "启动方式 · who started it, by the pile")
    card = out(fields.String, "物理卡号，按权限脱敏 · chip number; masked for who does not need it", allow_none=True)
    vin = out(fields.String, "车架号，按权限脱敏 · VIN; masked likewise", allow_none=True)
    started_at = out(Instant, "桩记开始时间 · begin by the pile's clock")
    ended_at = out(Instant, "桩记结束时间 · end by the pile's clock")
    energy_kwh = out(fields.Decimal, "桩计电量 · kWh by the pile")
    pile_amount_e4 = out(fields.Integer, "桩计金额 · amount by the pile, 0.0001 yuan")
    reason = out(
        fields.String,
        "原因 · why no order: unknown_serial, card_unknown, card_blocked, gun_unknown, foreign_serial",
        allow_none=True,
    )
    received_at = out(Instant, "首次收到 · first received")
    repeats = out(fields.Integer, "重复上报次数 · how often the same came again")


class OrphansSchema(Schema):
    """A page of orphans, newest first."""

    items = fields.List(fields.Nested(OrphanSchema))
    next = next_cursor()


@endpoints.get("/orphans", Served(Right.SEE_ORDERS), answers=OrphansSchema, query=OrphansQuery)
def orphans(call: Call, wish: OrphanFilter) -> Page[OrphanView]:
    """无主充电记录，新的在前 · Charge records without an order, newest first"""
    return list_orphans(call.session, call.sees, wish)


@endpoints.post(
    "/orphans/<row:record_id>/adopt",
    Served(Right.ADOPT_CHARGES, keyed=True, problems=(404, 409)),
    answers=OrderSchema,
    body=AdoptBody,
    example={"customer_id": 1, "reason": "车主来电确认，车牌浙A12345"},
    status=HTTPStatus.CREATED,
)
def adopt(call: Call, wish: AdoptWish, record_id: int) -> Reply:
    """归属用户并结算 · Have a customer pay for it

    按充电记录立即结算：从可用余额扣款，不足部分记为欠费。

    It is settled from the record at once: out of what is available, the rest is a debt.
    """
    row = find_record(call.session, call.sees, record_id)
    customer = find_customer(call.session, call.sees, wish.customer_id)
    if row is None:
        raise not_found()
    pile = call.session.get_one(Pile, row.pile_number)
    if customer is None or customer.tenant_id != pile.station.tenant_id:
        raise not_found("customer_id")
    order = adopt_orphan(call.session, row, customer, by=call.asker.key, at=call.at)
    if order is None:
        raise problem(HTTPStatus.CONFLICT, Code.NO_ORPHAN)
    record(
        call,
        "order_adopt",
        outcome="orphan",
        tenant_id=order.tenant_id,
        station=order.station_code,
        object_kind="order",
        object_id=order.serial,
        details=Adopted(customer.id, row.id, wish.reason),
    )
    call.session.refresh(order, ["hold", "customer", "station"])
    return Reply(order_view(order, call.sees), location=f"{API_PREFIX}/orders/{order.serial}")
