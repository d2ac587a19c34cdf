"""Cards and vehicles over HTTP: list, bind, block, unblock, unbind, passwords; what was tried at the piles."""

from http import HTTPStatus

import msgspec

from webapi.audit.record import record
from webapi.cards import schemas
from webapi.cards.bind import NewCard, NewVehicle, bind_card, bind_vehicle, block, set_password, unbind, unblock
from webapi.cards.models import Card, CardState, Vehicle
from webapi.cards.numbers import masked_card, masked_vin
from webapi.cards.queries import (
    AttemptFilter,
    AttemptView,
    BoundFilter,
    CardView,
    VehicleView,
    card_view,
    find_visible_card,
    find_visible_vehicle,
    list_attempts,
    list_cards,
    list_vehicles,
    vehicle_view,
)
from webapi.customers.models import Customer
from webapi.customers.queries import find_customer
from webapi.http.call import Call
from webapi.http.paging import Page
from webapi.http.problems import Code, not_found, problem
from webapi.http.serve import Reply, Served
from webapi.http.smorest import API_PREFIX, Endpoints
from webapi.users.roles import Right

endpoints = Endpoints("卡与车辆 Cards", "充电卡、车辆、刷卡记录 · cards, vehicles, what was tried at the piles")

CHANGES = Served(Right.MANAGE_CARDS, keyed=True, problems=(404, 409))


class Bound(msgspec.Struct, frozen=True):
    """What the audit keeps of a change: whose, which, and why; numbers masked."""

    customer_id: int
    number: str | None
    reason: str | None = None


@endpoints.get("/cards", Served(Right.SEE_ACCOUNTS), answers=schemas.CardsSchema, query=schemas.BoundQuery)
def cards(call: Call, wish: BoundFilter) -> Page[CardView]:
    """充电卡列表与搜索 · Cards in use, newest first"""
    return list_cards(call.session, call.sees, wish)


@endpoints.post(
    "/customers/<row:customer_id>/cards",
    CHANGES,
    answers=schemas.CardSchema,
    body=schemas.CardBody,
    example={"uid": "D14B0A54", "printed_no": "8800000000000001", "pin": "246810"},
    status=HTTPStatus.CREATED,
)
def new_card(call: Call, wish: NewCard, customer_id: int) -> Reply:
    """绑定充电卡 · Bind a card to a customer"""
    card = bind_card(call.session, _customer(call, customer_id), wish, at=call.at)
    if card is None:
        raise problem(HTTPStatus.CONFLICT, Code.CARD_TAKEN)
    _audit(call, "card_bind", card)
    return Reply(card_view(card, call.sees), location=f"{API_PREFIX}/cards/{card.id}")


@endpoints.get("/cards/<row:card_id>", Served(Right.SEE_ACCOUNTS), answers=schemas.CardSchema)
def card(call: Call, card_id: int) -> CardView:
    """充电卡详情 · A card"""
    found = find_visible_card(call.session, call.sees, card_id)
    if found is None:
        raise not_found()
    return card_view(found, call.sees)


@endpoints.post(
    "/cards/<row:card_id>/block",
    CHANGES,
    answers=schemas.CardSchema,
    body=schemas.WhyBody,
    example={"reason": "挂失"},
)
def block_card(call: Call, wish: schemas.Why, card_id: int) -> CardView:
    """停用（挂失）充电卡 · Block a card: nothing starts with it"""
    found = _card(call, card_id)
    block(found, wish.reason, at=call.at)
    _audit(call, "card_block", found, wish.reason)
    return card_view(found, call.sees)


@endpoints.post("/cards/<row:card_id>/unblock", CHANGES, answers=schemas.CardSchema)
def unblock_card(call: Call, card_id: int) -> CardView:
    """恢复充电卡 · Let a card start charges again"""
    found = _card(call, card_id)
    unblock(found, at=call.at)
    _audit(call, "card_unblock", found)
    return card_view(found, call.sees)


@endpoints.post(
    "/cards/<row:card_id>/unbind",
    CHANGES,
    answers=schemas.CardSchema,
    body=schemas.WhyBody,
    example={"reason": "退卡"},
)
def unbind_card(call: Call, wish: schemas.Why, card_id: int) -> CardView:
    """解绑充电卡，历史保留 · Unbind a card; its history stays"""
    found = _card(call, card_id)
    unbind(found, wish.reason, at=call.at)
    _audit(call, "card_unbind", found, wish.reason)
    return card_view(found, call.sees)


@endpoints.post(
    "/cards/<row:card_id>/password",
    CHANGES,
    answers=schemas.CardSchema,
    body=schemas.PinBody,
    example={"pin": "135790"},
)
def card_password(call: Call, wish: schemas.PinWish, card_id: int) -> CardView:
    """设置或取消卡密码 · Set a card's PIN, or take it away"""
    found = _card(call, card_id)
    set_password(found, wish.pin)
    _audit(call, "card_password", found)
    return card_view(found, call.sees)


@endpoints.post(
    "/cards/<row:card_id>/offline",
    CHANGES,
    answers=schemas.CardSchema,
    body=schemas.AllowedBody,
    example={"allowed": True},
)
def card_offline(call: Call, wish: schemas.AllowedWish, card_id: int) -> CardView:
    """是否允许离线充电 · Whether a card may be kept in piles for offline charging"""
    found = _card(call, card_id)
    found.offline_allowed = wish.allowed
    _audit(call, "card_offline_allow" if wish.allowed else "card_offline_forbid", found)
    return card_view(found, call.sees)


@endpoints.get("/vehicles", Served(Right.SEE_ACCOUNTS), answers=schemas.BoundVehiclesSchema, query=schemas.BoundQuery)
def vehicles(call: Call, wish: BoundFilter) -> Page[VehicleView]:
    """车辆列表与搜索 · Vehicles in use, newest first"""
    return list_vehicles(call.session, call.sees, wish)


@endpoints.post(
    "/customers/<row:customer_id>/vehicles",
    CHANGES,
    answers=schemas.BoundVehicleSchema,
    body=schemas.VehicleBody,
    example={"vin": "LSVAU2180N2183294", "plate": "浙A12345"},
    status=HTTPStatus.CREATED,
)
def new_vehicle(call: Call, wish: NewVehicle, customer_id: int) -> Reply:
    """绑定车辆 · Bind a vehicle to a customer"""
    vehicle = bind_vehicle(call.session, _customer(call, customer_id), wish, at=call.at)
    if vehicle is None:
        raise problem(HTTPStatus.CONFLICT, Code.VEHICLE_TAKEN)
    _audit(call, "vehicle_bind", vehicle)
    return Reply(vehicle_view(vehicle, call.sees), location=f"{API_PREFIX}/vehicles/{vehicle.id}")


@endpoints.get("/vehicles/<row:vehicle_id>", Served(Right.SEE_ACCOUNTS), answers=schemas.BoundVehicleSchema)
def vehicle(call: Call, vehicle_id: int) -> VehicleView:
    """车辆详情 · A vehicle"""
    found = find_visible_vehicle(call.session, call.sees, vehicle_id)
    if found is None:
        raise not_found()
    return vehicle_view(found, call.sees)


@endpoints.post(
    "/vehicles/<row:vehicle_id>/block",
    CHANGES,
    answers=schemas.BoundVehicleSchema,
    body=schemas.WhyBody,
    example={"reason": "车辆已出售"},
)
def block_vehicle(call: Call, wish: schemas.Why, vehicle_id: int) -> VehicleView:
    """停用车辆 · Block a vehicle: nothing starts by its VIN"""
    found = _vehicle(call, vehicle_id)
    block(found, wish.reason, at=call.at)
    _audit(call, "vehicle_block", found, wish.reason)
    return vehicle_view(found, call.sees)


@endpoints.post("/vehicles/<row:vehicle_id>/unblock", CHANGES, answers=schemas.BoundVehicleSchema)
def unblock_vehicle(call: Call, vehicle_id: int) -> VehicleView:
    """恢复车辆 · Let a vehicle start charges again"""
    found = _vehicle(call, vehicle_id)
    unblock(found, at=call.at)
    _audit(call, "vehicle_unblock", found)
    return vehicle_view(found, call.sees)


@endpoints.post(
    "/vehicles/<row:vehicle_id>/unbind",
    CHANGES,
    answers=schemas.BoundVehicleSchema,
    body=schemas.WhyBody,
    example={"reason": "换车"},
)
def unbind_vehicle(call: Call, wish: schemas.Why, vehicle_id: int) -> VehicleView:
    """解绑车辆，历史保留 · Unbind a vehicle; its history stays"""
    found = _vehicle(call, vehicle_id)
    unbind(found, wish.reason, at=call.at)
    _audit(call, "vehicle_unbind", found, wish.reason)
    return vehicle_view(found, call.sees)


@endpoints.post(
    "/vehicles/<row:vehicle_id>/plug-and-charge",
    CHANGES,
    answers=schemas.BoundVehicleSchema,
    body=schemas.AllowedBody,
    example={"allowed": True},
)
def vehicle_plug_and_charge(call: Call, wish: schemas.AllowedWish, vehicle_id: int) -> VehicleView:
    """是否允许即插即充 · Whether a vehicle may start by its VIN"""
    found = _vehicle(call, vehicle_id)
    found.plug_and_charge = wish.allowed
    _audit(call, "plug_and_charge_allow" if wish.allowed else "plug_and_charge_forbid", found)
    return vehicle_view(found, call.sees)


@endpoints.get("/card-attempts", Served(Right.SEE_ORDERS), answers=schemas.AttemptsSchema, query=schemas.AttemptsQuery)
def card_attempts(call: Call, wish: AttemptFilter) -> Page[AttemptView]:
    """刷卡与即插即充记录，含拒绝原因 · What was tried at the piles, and why a car did not charge"""
    return list_attempts(call.session, call.sees, wish)


def _customer(call: Call, customer_id: int) -> Customer:
    found = find_customer(call.session, call.sees, customer_id)
    if found is None:
        raise not_found()
    return found


def _card(call: Call, card_id: int) -> Card:
    """For a change: visible, and still somebody's."""
    found = find_visible_card(call.session, call.sees, card_id, lock=True)
    if found is None:
        raise not_found()
    if found.state is CardState.UNBOUND:
        raise problem(HTTPStatus.CONFLICT, Code.NOT_BOUND)
    return found


def _vehicle(call: Call, vehicle_id: int) -> Vehicle:
    found = find_visible_vehicle(call.session, call.sees, vehicle_id, lock=True)
    if found is None:
        raise not_found()
    if found.state is CardState.UNBOUND:
        raise problem(HTTPStatus.CONFLICT, Code.NOT_BOUND)
    return found


def _audit(call: Call, action: str, bound: Card | Vehicle, reason: str | None = None) -> None:
    call.session.flush()
    number = masked_card(bound.uid) if isinstance(bound, Card) else masked_vin(bound.vin)
    record(
        call,
        action,
        tenant_id=bound.tenant_id,
        object_kind="card" if isinstance(bound, Card) else "vehicle",
        object_id=str(bound.id),
        details=Bound(bound.customer_id, number, reason),
    )
