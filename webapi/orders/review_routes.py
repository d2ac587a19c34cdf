"""Reviews over HTTP: the queue, one of it, the decision."""

from http import HTTPStatus

import msgspec

from webapi.audit.record import record
from webapi.http.call import Call
from webapi.http.matching import expect
from webapi.http.paging import Page
from webapi.http.problems import Code, not_found, problem
from webapi.http.serve import Served
from webapi.http.smorest import Endpoints
from webapi.orders import review_schemas as schemas
from webapi.orders.advance import lock_order
from webapi.orders.queries import find_order
from webapi.orders.review_decide import Undecidable, decide_review
from webapi.orders.review_queue import ReviewFilter, ReviewView, find_review, list_reviews, review_view
from webapi.orders.schemas import OrderSchema
from webapi.orders.views import OrderView, order_view
from webapi.users.roles import Right

endpoints = Endpoints("账单复核 Reviews", "平台与桩的金额不一致 · where platform and pile came to different amounts")

_WHY = {
    Undecidable.OVER: Code.REVIEW_OVER,
    Undecidable.NO_FIGURES: Code.REVIEW_NO_FIGURES,
    Undecidable.NO_PAYER: Code.REVIEW_NO_PAYER,
}


class Decision(msgspec.Struct, frozen=True):
    """What the audit keeps of a decision. In fen."""

    take: str
    reason: str
    platform_fen: int
    pile_fen: int | None
    before_fen: int | None
    total_fen: int


@endpoints.get("/reviews", Served(Right.DECIDE_REVIEWS), answers=schemas.ReviewsSchema, query=schemas.ReviewsQuery)
def reviews(call: Call, wish: ReviewFilter) -> Page[ReviewView]:
    """待核账单，最急的在前；两种算法并列 · Reviews with both calculations side by side, the most urgent first"""
    return list_reviews(call.session, call.sees, wish)


@endpoints.get("/reviews/<serial:serial>", Served(Right.DECIDE_REVIEWS), answers=schemas.ReviewSchema)
def review(call: Call, serial: str) -> ReviewView:
    """一张待核账单 · One of them"""
    found = find_review(call.session, call.sees, serial)
    if found is None:
        raise not_found()
    return review_view(call.session, found)


@endpoints.post(
    "/reviews/<serial:serial>/decision",
    Served(Right.DECIDE_REVIEWS, keyed=True, matched=True, problems=(404, 409)),
    answers=OrderSchema,
    body=schemas.DecisionBody,
    example={"take": "platform", "reason": "桩的电价未更新，按平台电价"},
)
def decide(call: Call, wish: schemas.DecisionWish, serial: str) -> OrderView:
    """裁定：按平台或按桩的金额结算 · Decide whose calculation counts

    差额先从冻结金额扣除，再从余额扣除，不足部分记为欠费；多扣的退回。If-Match 为复核项的 etag；他人已裁定则为 412。

    The difference is taken from the hold, then from the balance, the rest is a debt; what was taken too much is given
    back. If-Match is the review's `etag`; 412: somebody else decided meanwhile.
    """
    if find_order(call.session, call.sees, serial) is None:
        raise not_found()
    order = lock_order(call.session, serial)
    if order is None:
        raise not_found()
    expect(order.version)
    done = decide_review(call.session, order, wish.take, at=call.at, by=call.asker.key)
    if isinstance(done, Undecidable):
        raise problem(HTTPStatus.CONFLICT, _WHY[done])
    record(
        call,
        "review_decide",
        outcome=wish.take.value,
        tenant_id=order.tenant_id,
        station=order.station_code,
        object_kind="order",
        object_id=serial,
        details=Decision(
            wish.take.value, wish.reason, done.platform_fen, done.pile_fen, done.before_fen, done.total_fen
        ),
    )
    call.session.refresh(order, ["hold", "customer", "station"])
    return order_view(order, call.sees)
