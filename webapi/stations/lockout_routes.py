"""停用 and 全站停止 over HTTP: who, why, until when; what was reached and what was not."""

from webapi.audit.record import record
from webapi.guns.models import Gun
from webapi.http.call import Call
from webapi.http.field_messages import told
from webapi.http.problems import FieldError, invalid, not_found
from webapi.http.serve import Served
from webapi.http.smorest import Endpoints
from webapi.piles.give import visible_pile
from webapi.stations import lockout_schemas as schemas
from webapi.stations.lockout_views import LockoutView
from webapi.stations.lockouts import Kept, Locked, Wish, kind_of, lift, lock_out, lockout_view, name_of, station_of
from webapi.stations.models import Station
from webapi.stations.schemas import LockoutSchema
from webapi.stations.stop import lift_stop, lock_station, stop_station
from webapi.stations.stop_queries import StationStopView, stop_view
from webapi.users.roles import Right

endpoints = Endpoints(
    "停用与全站停止 Lockouts", "停用、检修、全站停止及其结果 · out of use, and what a station stop reached"
)

SET = Served(Right.LOCK_OUT, keyed=True)
LIFT = Served(Right.LOCK_OUT)
EXAMPLE = {"reason": "更换枪线", "while_charging": "stop"}


@endpoints.put("/stations/<code:code>/lockout", SET, answers=LockoutSchema, body=schemas.LockoutBody, example=EXAMPLE)
def station_lockout(call: Call, wish: Wish, code: str) -> LockoutView | None:
    """停用充电站 · Take a station out of use

    立即起不再启动任何充电（任何来源）；state 为 in_force 才表示电流已断。

    From now on nothing starts there, from any source; only `in_force` means that the current is gone.
    """
    return _lock(call, _station(call, code), wish)


@endpoints.delete("/stations/<code:code>/lockout", LIFT)
def station_lockout_lift(call: Call, code: str) -> None:
    """解除充电站停用 · Put a station into use again"""
    _lift(call, _station(call, code))


@endpoints.put("/piles/<code:number>/lockout", SET, answers=LockoutSchema, body=schemas.LockoutBody, example=EXAMPLE)
def pile_lockout(call: Call, wish: Wish, number: str) -> LockoutView | None:
    """停用桩 · Take a pile out of use"""
    return _lock(call, visible_pile(call, number), wish)


@endpoints.delete("/piles/<code:number>/lockout", LIFT)
def pile_lockout_lift(call: Call, number: str) -> None:
    """解除桩停用 · Put a pile into use again"""
    _lift(call, visible_pile(call, number))


@endpoints.put(
    "/piles/<code:number>/guns/<gun:gun_no>/lockout",
    SET,
    answers=LockoutSchema,
    body=schemas.LockoutBody,
    example=EXAMPLE,
)
def gun_lockout(call: Call, wish: Wish, number: str, gun_no: int) -> LockoutView | None:
    """停用充电枪 · Take a gun out of use"""
    return _lock(call, _gun(call, number, gun_no), wish)


@endpoints.delete("/piles/<code:number>/guns/<gun:gun_no>/lockout", LIFT)
def gun_lockout_lift(call: Call, number: str, gun_no: int) -> None:
    """解除充电枪停用 · Put a gun into use again"""
    _lift(call, _gun(call, number, gun_no))


@endpoints.post(
    "/stations/<code:code>/stop",
    SET,
    answers=schemas.StationStopSchema,
    body=schemas.StopBody,
    example={"reason": "现场冒烟", "confirm": True},
)
def station_stop(call: Call, wish: schemas.StopWish, code: str) -> StationStopView:
    """全站停止 · Stop every charge of a station, and let none begin

    规则引擎不在线也有效。逐枪结果见 guns：30 秒内未能停止的会列出原因，并持续重试直到解除。再次调用不会重复计时。

    Works while the engine is away. What was not reached within 30 s is named with its reason, and asked again until
    the stop is lifted.
    """
    _station(call, code)
    row = lock_station(call.session, code)
    stop_station(call.session, row, by=call.asker.key, reason=wish.reason, at=call.at)
    _audit(call, "station_stop", row, Kept(reason=wish.reason))
    return stop_view(call.session, row)


@endpoints.get("/stations/<code:code>/stop", Served(Right.SEE_SITES), answers=schemas.StationStopSchema)
def station_stop_result(call: Call, code: str) -> StationStopView:
    """全站停止的结果，逐枪 · What the newest stop of a station reached, gun by gun"""
    return stop_view(call.session, _station(call, code))


@endpoints.delete("/stations/<code:code>/stop", LIFT)
def station_stop_lift(call: Call, code: str) -> None:
    """解除全站停止 · Let charges begin again at a station"""
    _station(call, code)
    row = lock_station(call.session, code)
    was = Kept(by=row.station_stop_by, reason=row.station_stop_reason)
    if lift_stop(call.session, row):
        _audit(call, "station_stop_lift", row, was)


def _lock(call: Call, place: Locked, wish: Wish) -> LockoutView | None:
    if wish.until is not None and wish.until <= call.at:
        raise invalid(FieldError("until", told("Must be in the future.")))
    kept = lock_out(call.session, place, wish, by=call.asker.key, at=call.at)
    _audit(call, "lockout", place, kept)
    call.session.flush()
    return lockout_view(call.session, place)


def _lift(call: Call, place: Locked) -> None:
    was = lift(call.session, place)
    if was is not None:
        _audit(call, "lockout_lift", place, was)


def _station(call: Call, code: str) -> Station:
    found = call.session.scalars(call.sees.stations().where(Station.code == code)).one_or_none()
    if found is None:
        raise not_found()
    return found


def _gun(call: Call, number: str, gun_no: int) -> Gun:
    own = call.sees.guns().where(Gun.pile_number == number, Gun.no == gun_no)
    found = call.session.scalars(own).one_or_none()
    if found is None:
        raise not_found()
    return found


def _audit(call: Call, action: str, place: Locked, details: Kept) -> None:
    station = station_of(call.session, place)
    record(
        call,
        action,
        tenant_id=station.tenant_id,
        station=station.code,
        object_kind=kind_of(place),
        object_id=name_of(place),
        details=details,
    )
