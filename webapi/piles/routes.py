"""Piles over HTTP."""

from webapi.http.call import Call
from webapi.http.paging import Page
from webapi.http.problems import not_found
from webapi.http.serve import Served
from webapi.http.smorest import Endpoints
from webapi.piles import schemas
from webapi.piles.queries import PileFilter, PileView, list_piles, pile_detail, sees_station
from webapi.users.roles import Right

endpoints = Endpoints("充电桩 Piles", "连接与计费模型 · connections and tariffs")


@endpoints.get(
    "/piles", Served(Right.SEE_SITES, problems=(404,)), answers=schemas.PilesSchema, query=schemas.PilesQuery
)
def piles(call: Call, wish: PileFilter) -> Page[PileView]:
    """充电桩列表 · The piles that you see"""
    if wish.station is not None and not sees_station(call.session, call.sees, wish.station):
        raise not_found("station")
    return list_piles(call.session, call.sees, wish, at=call.at)


@endpoints.get("/piles/<code:number>", Served(Right.SEE_SITES), answers=schemas.PileSchema)
def pile(call: Call, number: str) -> PileView:
    """充电桩详情 · A pile with its connection and tariff"""
    found = pile_detail(call.session, call.sees, number, at=call.at)
    if found is None:
        raise not_found()
    return found
