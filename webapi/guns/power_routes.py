"""功率设置 over HTTP: limit one or many guns, see what became of it at each, try failures again."""

from http import HTTPStatus

import msgspec
from sqlalchemy import select

from webapi.audit.record import record
from webapi.guns import power_schemas as schemas
from webapi.guns.models import Gun
from webapi.guns.power_models import LimitKind, PowerSetting, PowerSettingGun, SettingState
from webapi.guns.power_queries import (
    SettingFilter,
    SettingView,
    find_setting,
    list_settings,
    rows_of,
    setting_view,
)
from webapi.guns.power_settings import Wish, ask_again, set_power
from webapi.http.call import Call
from webapi.http.paging import Page
from webapi.http.problems import Code, not_found, problem
from webapi.http.serve import Reply, Served
from webapi.http.smorest import API_PREFIX, Endpoints
from webapi.stations.models import Station
from webapi.users.roles import Right

endpoints = Endpoints("功率设置 Power settings", "人工限功率及逐枪结果 · limits by hand and what became of them")

SET = Served(Right.LIMIT_POWER, keyed=True, problems=(404, 409))


class Limited(msgspec.Struct, frozen=True, kw_only=True):
    """What the audit keeps of a limit, station by station."""

    setting: int
    kind: LimitKind
    value: float | None
    reason: str
    guns: tuple[str, ...]


@endpoints.post(
    "/power-settings",
    SET,
    answers=schemas.SettingSchema,
    body=schemas.PowerBody,
    example={"guns": [{"pile": "55031412000001", "gun": 1}], "limit": {"kw": 60}, "reason": "夏季限电"},
    status=HTTPStatus.CREATED,
)
def power_set(call: Call, wish: Wish) -> Reply:
    """设置或取消功率上限（一把或多把枪）· Limit the power of guns, or take the limit away

    逐枪结果见 guns，轮询 Location。充电中的枪立即执行；空闲的枪下次启动时生效。低于协议下限（YKC：整桩 30%）的
    按下限执行，见 floor。桩内不保存（0x52 断电即失，登录后自动再次下发），没有写入次数限制。

    Poll the address in Location for what becomes of it at each gun. A charging gun heeds it at once, an idle one at
    its next start. Below the protocol's floor (YKC: 30 % of the pile) the floor is in force, as `floor` says. Piles
    do not keep it over a restart: it is set again after a login, so there is no budget of writes.
    """
    guns = _guns(call, wish)
    setting = set_power(call.session, guns, wish, by=call.asker.key, at=call.at)
    rows = rows_of(call.session, call.sees, setting.id)
    _audit(call, "power_setting", setting, rows)
    return Reply(setting_view(call.session, call.sees, setting), location=f"{API_PREFIX}/power-settings/{setting.id}")


@endpoints.get(
    "/power-settings",
    Served(Right.SEE_SITES),
    answers=schemas.SettingsSchema,
    query=schemas.SettingsQuery,
)
def power_settings(call: Call, wish: SettingFilter) -> Page[SettingView]:
    """功率设置列表，新的在前 · Limits by hand, newest first"""
    return list_settings(call.session, call.sees, wish)


@endpoints.get("/power-settings/<row:setting_id>", Served(Right.SEE_SITES), answers=schemas.SettingSchema)
def power_setting(call: Call, setting_id: int) -> SettingView:
    """功率设置及逐枪结果 · A limit with what became of it at each gun"""
    return setting_view(call.session, call.sees, _setting(call, setting_id))


@endpoints.post("/power-settings/<row:setting_id>/retry", SET, answers=schemas.SettingSchema)
def power_retry(call: Call, setting_id: int) -> SettingView:
    """重试失败的枪 · Try the guns that failed again"""
    setting = _setting(call, setting_id)
    failed = [row for row in rows_of(call.session, call.sees, setting.id) if row.state is SettingState.FAILED]
    if not failed:
        raise problem(HTTPStatus.CONFLICT, Code.NOTHING_FAILED)
    ask_again(call.session, failed, at=call.at)
    _audit(call, "power_setting_retry", setting, failed)
    return setting_view(call.session, call.sees, setting)


def _guns(call: Call, wish: Wish) -> list[Gun]:
    """The guns meant: all of them visible, or nothing is done."""
    wanted = set(wish.guns)
    piles = sorted({pile for pile, _ in wanted})
    found = call.session.scalars(call.sees.guns().where(Gun.pile_number.in_(piles)))
    guns = [gun for gun in found if (gun.pile_number, gun.no) in wanted]
    if len(guns) != len(wanted):
        raise not_found("guns")
    return guns


def _setting(call: Call, setting_id: int) -> PowerSetting:
    found = find_setting(call.session, call.sees, setting_id)
    if found is None:
        raise not_found()
    return found


def _audit(call: Call, action: str, setting: PowerSetting, rows: list[PowerSettingGun]) -> None:
    tenants = {
        code: tenant
        for code, tenant in call.session.execute(
            select(Station.code, Station.tenant_id).where(Station.code.in_({row.station_code for row in rows}))
        )
    }
    for station, tenant in sorted(tenants.items()):
        guns = tuple(f"{row.pile_number}-{row.gun_no}" for row in rows if row.station_code == station)
        record(
            call,
            action,
            tenant_id=tenant,
            station=station,
            object_kind="power_setting",
            object_id=str(setting.id),
            details=Limited(
                setting=setting.id,
                kind=setting.kind,
                value=None if setting.value is None else float(setting.value),
                reason=setting.reason,
                guns=guns,
            ),
        )
