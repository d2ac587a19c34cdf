"""Piles over HTTP."""

from webapi.audit.record import record
from webapi.http.call import Call
from webapi.http.paging import Page, PageWish
from webapi.http.problems import not_found
from webapi.http.serve import Served
from webapi.http.smorest import Endpoints
from webapi.piles import history_schemas, schemas
from webapi.piles.firmware import FirmwareWish, set_firmware
from webapi.piles.history_queries import PileEventView, PileFrameView, list_events, list_frames
from webapi.piles.models import Pile
from webapi.piles.queries import PileFilter, PileView, list_piles, pile_detail, pile_view, sees_station
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


@endpoints.post(
    "/piles/<code:number>/firmware",
    Served(Right.OPERATE_PILES, keyed=True),
    answers=schemas.PileSchema,
    body=schemas.FirmwareBody,
    example={"fault_bit_base": 0, "answers_in_peers_crc_order": True},
)
def pile_firmware(call: Call, wish: FirmwareWish, number: str) -> PileView:
    """设置桩固件与协议的差异 · Set how a pile's firmware departs from its protocol

    只改请求里出现的项；接入服务随即生效，无需桩重新登录。

    Only what the body names changes; the bridge heeds it at once, without a new login.
    """
    pile = call.session.scalars(
        call.sees.piles().where(Pile.number == number).with_for_update(key_share=True, of=Pile)
    ).one_or_none()
    if pile is None:
        raise not_found()
    changed = set_firmware(call.session, pile, wish)
    record(
        call,
        "pile_firmware",
        tenant_id=pile.station.tenant_id,
        station=pile.station_code,
        object_kind="pile",
        object_id=pile.number,
        details=changed,
    )
    return pile_view(call.session, pile, at=call.at)


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
