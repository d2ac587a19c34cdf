"""Guns over HTTP."""

from webapi.guns import schemas
from webapi.guns.queries import GunDetail, GunFilter, GunView, gun_detail, list_guns
from webapi.http.call import Call
from webapi.http.paging import Page
from webapi.http.problems import not_found
from webapi.http.serve import Served
from webapi.http.smorest import Endpoints
from webapi.piles.queries import pile_detail, sees_station
from webapi.users.roles import Right

endpoints = Endpoints("充电枪 Guns", "状态与实时数据 · states and live values")


@endpoints.get("/guns", Served(Right.SEE_SITES, problems=(404,)), answers=schemas.GunsSchema, query=schemas.GunsQuery)
def guns(call: Call, wish: GunFilter) -> Page[GunView]:
    """充电枪列表，充电中的带实时数据 · The guns that you see, with live values while charging"""
    if wish.station is not None and not sees_station(call.session, call.sees, wish.station):
        raise not_found("station")
    if wish.pile is not None and pile_detail(call.session, call.sees, wish.pile, at=call.at) is None:
        raise not_found("pile")
    return list_guns(call.session, call.sees, call.telemetry, wish, at=call.at)


@endpoints.get("/piles/<code:pile>/guns/<gun:number>", Served(Right.SEE_SITES), answers=schemas.GunDetailSchema)
def gun(call: Call, pile: str, number: int) -> GunDetail:
    """充电枪详情，含地锁与最近车辆 · A gun with live values while charging, its parking lock and its last car"""
    found = gun_detail(call.session, call.sees, call.telemetry, pile, number, at=call.at)
    if found is None:
        raise not_found()
    return found
