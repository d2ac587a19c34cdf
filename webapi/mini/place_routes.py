"""Where a driver charges, over HTTP: stations around, the gun behind a code, an own order's progress."""

from dataclasses import dataclass

from webapi.guns.models import Gun
from webapi.http.call import Call
from webapi.http.problems import not_found
from webapi.http.serve import Served
from webapi.http.smorest import Endpoints
from webapi.mini import place_schemas as schemas
from webapi.mini.nearby import NearbyStations, NearbyWish, stations_nearby
from webapi.mini.progress import Progress, progress
from webapi.mini.scanned import ScannedGun, scanned_gun
from webapi.users.roles import Right


@dataclass(frozen=True, slots=True)
class GunCode:
    """The content of a gun's QR code."""

    content: str


endpoints = Endpoints("小程序 Mini program", "附近站点、扫码、充电进度 · stations around, scanning, progress")


@endpoints.get(
    "/mini/stations", Served(Right.PLACE_ORDERS), answers=schemas.NearbyStationsSchema, query=schemas.NearbyQuery
)
def mini_stations(call: Call, wish: NearbyWish) -> NearbyStations:
    """附近充电站：距离、空闲枪数、当前电价 · Stations around, nearest first"""
    return stations_nearby(call.session, call.sees, wish, at=call.at)


@endpoints.get(
    "/mini/scan", Served(Right.PLACE_ORDERS, problems=(404,)), answers=schemas.ScannedGunSchema, query=schemas.ScanQuery
)
def mini_scan(call: Call, wish: schemas.ScanWish) -> ScannedGun:
    """扫码：枪的状态、当前与全天电价、能否启动 · The gun behind a QR code

    接受本平台贴纸的网址或其令牌，以及桩自带的二维码（前缀 + 桩号 14 位，可再加枪号 2 位）。二维码不是凭证：
    真正的把关是插枪、付款与变压器闸门。

    Takes the address on our stickers or its token, and a pile's own code (prefix, 14 digits of the pile, perhaps 2 of
    the gun). A code proves nothing: what guards a start is the plugged gun, the payment and the gate.
    """
    scanned = call.gun_codes.read(wish.code)
    found = None if scanned is None else scanned_gun(call.session, call.sees, scanned, at=call.at)
    if found is None:
        raise not_found("code")
    return found


@endpoints.get("/mini/orders/<serial:serial>", Served(Right.SEE_ORDERS), answers=schemas.ProgressSchema)
def mini_order(call: Call, serial: str) -> Progress:
    """充电进度：轮询用，带 ETag · How an own order stands, for polling with If-None-Match"""
    found = progress(call.session, call.sees, serial, call.telemetry, at=call.at)
    if found is None:
        raise not_found()
    return found


@endpoints.get("/piles/<code:pile>/guns/<gun:number>/qr", Served(Right.SEE_SITES), answers=schemas.GunCodeSchema)
def gun_qr(call: Call, pile: str, number: int) -> GunCode:
    """枪的二维码内容 · What the QR code of a gun shows"""
    if call.session.scalars(call.sees.guns().where(Gun.pile_number == pile, Gun.no == number)).one_or_none() is None:
        raise not_found()
    return GunCode(call.gun_codes.content(pile, number))
