"""Piles over HTTP."""

from webapi.http.call import Call
from webapi.http.paging import Page, PageWish
from webapi.http.problems import not_found
from webapi.http.serve import Served
from webapi.http.smorest import Endpoints
from webapi.piles import history_schemas, schemas
from webapi.piles.history_queries import PileEventView, PileFrameView, list_events, list_frames
from webapi.piles.queries import PileFilter, PileView, list_piles, pile_detail, sees_station
from webapi.stations.schemas import PageQuery
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


@endpoints.get(
    "/piles/<code:number>/events",
    Served(Right.SEE_SITES),
    answers=history_schemas.PileEventsSchema,
    query=PageQuery,
)
def pile_events(call: Call, wish: PageWish, number: str) -> Page[PileEventView]:
    """桩上发生过什么：连接被取代、登录被拒、时钟偏差、计费模型… · What happened at a pile, newest first"""
    if pile_detail(call.session, call.sees, number, at=call.at) is None:
        raise not_found()
    return list_events(call.session, call.sees, number, wish)


@endpoints.get(
    "/piles/<code:number>/frames",
    Served(Right.OPERATE_PILES),
    answers=history_schemas.PileFramesSchema,
    query=PageQuery,
)
def pile_frames(call: Call, wish: PageWish, number: str) -> Page[PileFrameView]:
    """报文跟踪：最近 200 帧，保留一天 · The newest 200 frames of a traced pile, kept for a day

    先用 commands/trace 开启跟踪。 Switch the trace on by commands/trace first.
    """
    if pile_detail(call.session, call.sees, number, at=call.at) is None:
        raise not_found()
    return list_frames(call.session, number, wish)
