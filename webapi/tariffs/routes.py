"""Tariffs over HTTP: versions, which piles shall have them, and how far that has come."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

import msgspec

from evcs.contracts.reasons import Sentence
from webapi.audit.record import record
from webapi.http.call import Call
from webapi.http.paging import Page, PageWish
from webapi.http.problems import not_found
from webapi.http.serve import Reply, Served
from webapi.http.smorest import API_PREFIX, Endpoints
from webapi.piles.models import Pile
from webapi.stations.models import Station
from webapi.stations.schemas import PageQuery
from webapi.tariffs import schemas
from webapi.tariffs.allocate import NewVersion, make_version, next_model_no
from webapi.tariffs.assign import Assigned, assign, push_again
from webapi.tariffs.change_routes import check_bands
from webapi.tariffs.models import Tariff, TariffVersion
from webapi.tariffs.rollout_queries import RolloutFilter, RolloutView, rollout_view
from webapi.tariffs.views import TariffView, find_tariff, list_tariffs, tariff_view
from webapi.users.roles import Right

endpoints = Endpoints("计费模型 Tariffs", "版本、指派、下发进度 · versions, who shall have them, how far that has come")


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What the audit keeps of an assignment."""

    version: str
    assigned: int
    refused: tuple[str, ...]
    station: str | None


@dataclass(frozen=True, slots=True)
class AssignedView:
    """What became of one pile."""

    pile: str
    assigned: bool
    from_at: datetime | None
    reason: str | None
    sentence: Sentence | None


@dataclass(frozen=True, slots=True)
class AssignmentsView:
    """What became of each."""

    items: tuple[AssignedView, ...]


@dataclass(frozen=True, slots=True)
class PushedView:
    """Piles that are tried next."""

    piles: tuple[str, ...]


@endpoints.get("/tariffs", Served(Right.SEE_SITES), answers=schemas.TariffsSchema, query=PageQuery)
def tariffs(call: Call, wish: PageWish) -> Page[TariffView]:
    """计费模型列表 · The tariffs of your operator"""
    return list_tariffs(call.session, call.sees, wish)


@endpoints.get("/tariffs/<row:tariff_id>", Served(Right.SEE_SITES), answers=schemas.TariffSchema)
def tariff(call: Call, tariff_id: int) -> TariffView:
    """计费模型详情，含全部版本 · A tariff with all its versions"""
    return tariff_view(call.session, call.sees, _tariff(call, tariff_id))


@endpoints.post(
    "/tariffs/<row:tariff_id>/versions",
    Served(Right.SET_TARIFFS, keyed=True),
    answers=schemas.TariffSchema,
    body=schemas.VersionBody,
    example={
        "slots": ["valley"] * 16 + ["peak"] * 28 + ["flat"] * 4,
        "prices": [
            {"band": "peak", "energy_price_e5": 112345, "service_price_e5": 40000},
            {"band": "flat", "energy_price_e5": 72345, "service_price_e5": 40000},
            {"band": "valley", "energy_price_e5": 32345, "service_price_e5": 40000},
        ],
    },
    status=HTTPStatus.CREATED,
)
def tariff_version_create(call: Call, wish: schemas.VersionWish, tariff_id: int) -> Reply:
    """新建版本（不可修改，须再指派给桩） · Make a version, for ever as it is; no pile has it before it is assigned"""
    check_bands(wish, "prices")
    found = _tariff(call, tariff_id)
    version_id = f"t{found.id}-{next_model_no(call.session):04d}"
    new = NewVersion(version_id, found.id, wish.slots, wish.prices, valid_from=wish.valid_from or call.at)
    made = make_version(call.session, new, at=call.at, by=call.asker.key)
    record(call, "tariff_version", tenant_id=found.tenant_id, object_kind="tariff_version", object_id=made.id)
    call.session.expire(found, ["versions"])
    return Reply(tariff_view(call.session, call.sees, found), location=f"{API_PREFIX}/tariffs/{found.id}")


@endpoints.post(
    "/tariffs/<row:tariff_id>/assignments",
    Served(Right.SET_TARIFFS, keyed=True),
    answers=schemas.AssignmentsSchema,
    body=schemas.AssignBody,
    example={"version": "demo-1", "piles": ["55031412000001"]},
)
def tariff_assign(call: Call, wish: schemas.AssignWish, tariff_id: int) -> AssignmentsView:
    """把一个版本指派给桩 · Give piles a version

    空闲的在线桩立即下发，离线桩上线后、充电中的桩充电结束后下发；进行中的订单仍按原版本计费。桩的协议不支持的版本逐桩说明原因。

    Online idle piles are pushed at once, the others when they log in or the charge has ended; a running order keeps
    its version. A pile whose protocol cannot express the table keeps what it has, with the reason.
    """
    found = _tariff(call, tariff_id)
    version = call.session.get(TariffVersion, wish.version)
    if version is None or version.tariff_id != found.id:
        raise not_found("version")
    piles = _piles(call, found, wish)
    done = assign(call.session, version, piles, by=call.asker.key, at=call.at)
    record(
        call,
        "tariff_assign",
        tenant_id=found.tenant_id,
        station=wish.station,
        object_kind="tariff_version",
        object_id=version.id,
        details=Given(
            version=version.id,
            assigned=sum(one.refusal is None for one in done),
            refused=tuple(one.pile for one in done if one.refusal is not None),
            station=wish.station,
        ),
    )
    return AssignmentsView(tuple(_assigned(one) for one in done))


@endpoints.get(
    "/tariffs/<row:tariff_id>/rollout",
    Served(Right.SEE_SITES),
    answers=schemas.RolloutSchema,
    query=schemas.RolloutQuery,
)
def tariff_rollout(call: Call, wish: RolloutFilter, tariff_id: int) -> RolloutView:
    """下发进度：各状态桩数、逐桩原因 · How far a tariff has come: figures, and each pile with the reason"""
    return rollout_view(call.session, call.sees, _tariff(call, tariff_id).id, wish, at=call.at)


@endpoints.post(
    "/tariffs/<row:tariff_id>/rollout/push",
    Served(Right.OPERATE_PILES, keyed=True),
    answers=schemas.PushedSchema,
    body=schemas.PushBody,
    example={"piles": ["55031412000001"]},
    status=HTTPStatus.ACCEPTED,
)
def tariff_push_again(call: Call, wish: schemas.PushWish, tariff_id: int) -> PushedView:
    """立即重试未确认的桩 · Try the piles that are behind again, without waiting"""
    found = _tariff(call, tariff_id)
    query = call.sees.piles().order_by(Pile.number)
    if wish.piles:
        query = query.where(Pile.number.in_(wish.piles))
    piles = [pile.number for pile in call.session.scalars(query)]
    if wish.piles and len(piles) != len(wish.piles):
        raise not_found("piles")
    again = push_again(call.session, found.id, piles, at=call.at)
    record(call, "tariff_push_again", tenant_id=found.tenant_id, object_kind="tariff", object_id=str(found.id))
    return PushedView(again)


def _tariff(call: Call, tariff_id: int) -> Tariff:
    found = find_tariff(call.session, call.sees, tariff_id)
    if found is None:
        raise not_found()
    return found


def _piles(call: Call, found: Tariff, wish: schemas.AssignWish) -> list[str]:
    """The piles meant: all of them visible and of the tariff's operator, or nothing is done."""
    own = call.sees.piles().where(Station.tenant_id == found.tenant_id)
    if wish.station is not None:
        station = call.session.scalars(
            call.sees.stations().where(Station.code == wish.station, Station.tenant_id == found.tenant_id)
        ).one_or_none()
        if station is None:
            raise not_found("station")
        return [pile.number for pile in call.session.scalars(own.where(Pile.station_code == wish.station))]
    piles = [pile.number for pile in call.session.scalars(own.where(Pile.number.in_(wish.piles)))]
    if len(piles) != len(wish.piles):
        raise not_found("piles")
    return piles


def _assigned(one: Assigned) -> AssignedView:
    refusal = one.refusal
    return AssignedView(
        one.pile,
        refusal is None,
        one.from_at,
        None if refusal is None else refusal.reason.value,
        None if refusal is None else refusal.sentence,
    )
