"""Daily bills over HTTP."""

from http import HTTPStatus

from webapi.http.call import Call
from webapi.http.problems import Code, not_found, problem
from webapi.http.serve import Served
from webapi.http.smorest import Endpoints
from webapi.reconcile.daily_bill import DailyBills, daily_bills, month_days
from webapi.reconcile.schemas import DailyBillsSchema, MonthQuery, MonthWish
from webapi.stations.models import Station
from webapi.transformers.load_figures import month_of
from webapi.users.roles import Right

endpoints = Endpoints("对账 Reconciling", "站点日账单 · daily bills of stations")


@endpoints.get(
    "/stations/<code:code>/daily-bills",
    Served(Right.SEE_ACCOUNTS, problems=(409,)),
    answers=DailyBillsSchema,
    query=MonthQuery,
)
def station_daily_bills(call: Call, wish: MonthWish, code: str) -> DailyBills:
    """站点日账单 · A station's month, day by day: orders beside books

    订单归属充电结束的北京日期；入账归属入账日。次日 06:00 关账，之后的结算为补记，单列一行，故每天都有：
    订单合计 = 当日入账 + 次日起补记。

    An order belongs to the Beijing day of its end, a posting to the day it was made; what settles after the day has
    closed is 补记, a line of its own. So for every day: orders = posted on the day + posted later.
    """
    station = call.session.scalars(call.sees.stations().where(Station.code == code)).one_or_none()
    if station is None:
        raise not_found()
    if month_of(wish.month)[0] >= call.at:
        raise problem(HTTPStatus.CONFLICT, Code.MONTH_TO_COME)
    return daily_bills(call.session, station, *month_days(wish.month, call.at), at=call.at)
