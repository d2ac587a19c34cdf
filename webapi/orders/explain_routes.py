"""Bills explained, their evidence, and the time line of an order over HTTP."""

from sqlalchemy import select

from webapi.audit.record import record
from webapi.http.call import Call
from webapi.http.problems import not_found
from webapi.http.serve import Served
from webapi.http.smorest import Endpoints
from webapi.orders import explain_schemas as schemas
from webapi.orders.evidence_models import OrderEvidence
from webapi.orders.explain_views import EvidencesView, OrderExplained, evidence_view, explained_view
from webapi.orders.models import Order
from webapi.orders.queries import find_order
from webapi.orders.timeline import Timeline, order_timeline
from webapi.users.roles import Right

endpoints = Endpoints("账单说明 Bills explained", "账单依据、时间线 · what a bill rests on, the time line")


@endpoints.get("/orders/<serial:serial>/explanation", Served(Right.SEE_ORDERS), answers=schemas.OrderExplainedSchema)
def explanation(call: Call, serial: str) -> OrderExplained:
    """账单说明：仅凭证据重算，并与账单和台账逐项比较 · A bill rebuilt from its evidence and compared line by line

    sentences 可直接读给客户；differences 为空表示一致。`sentences` can be read aloud; no `differences`: all agree.
    """
    return explained_view(call.session, _order(call, serial))


@endpoints.get("/orders/<serial:serial>/evidence", Served(Right.SEE_AUDIT), answers=schemas.EvidencesSchema)
def evidence(call: Call, serial: str) -> EvidencesView:
    """下载证据：报文、电价、冻结、入账和哈希链 · The bundles: frames, tariff, holds, postings, chain of hashes"""
    order = _order(call, serial)
    record(
        call,
        "order_evidence",
        tenant_id=order.tenant_id,
        station=order.station_code,
        object_kind="order",
        object_id=serial,
    )
    rows = call.session.scalars(
        select(OrderEvidence).where(OrderEvidence.order_serial == serial).order_by(OrderEvidence.n)
    )
    return EvidencesView(serial, tuple(evidence_view(row) for row in rows))


@endpoints.get("/orders/<serial:serial>/timeline", Served(Right.SEE_ORDERS), answers=schemas.TimelineSchema)
def timeline(call: Call, serial: str) -> Timeline:
    """时间线：电价时段、启停、冻结、限功率、故障 · Bands, starts and stops, holds, caps and faults of an order"""
    return order_timeline(call.session, _order(call, serial), at=call.at)


def _order(call: Call, serial: str) -> Order:
    found = find_order(call.session, call.sees, serial)
    if found is None:
        raise not_found()
    return found
