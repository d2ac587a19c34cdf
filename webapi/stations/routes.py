"""Stations over HTTP."""

from webapi.http.call import Call
from webapi.http.paging import Page, PageWish
from webapi.http.problems import not_found
from webapi.http.serve import Served
from webapi.http.smorest import Endpoints
from webapi.stations import schemas
from webapi.stations.queries import StationDetail, StationView, list_stations, station_detail
from webapi.users.roles import Right

endpoints = Endpoints("充电站 Stations", "站点、变压器负荷 · sites with the load of their transformers")


@endpoints.get("/stations", Served(Right.SEE_SITES), answers=schemas.StationsSchema, query=schemas.PageQuery)
def stations(call: Call, wish: PageWish) -> Page[StationView]:
    """充电站列表 · The stations that you see"""
    return list_stations(call.session, call.sees, wish)


@endpoints.get("/stations/<code:code>", Served(Right.SEE_SITES), answers=schemas.StationDetailSchema)
def station(call: Call, code: str) -> StationDetail:
    """充电站详情，含变压器档位与负荷 · A station with band and load of its transformers"""
    found = station_detail(call.session, call.sees, code, at=call.at)
    if found is None:
        raise not_found()
    return found
