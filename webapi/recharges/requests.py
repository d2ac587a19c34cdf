"""Recharges that wait for a second person: asked for, approved (then credited), rejected, expired."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import Session

from webapi.access import Visible
from webapi.customers.models import Customer
from webapi.http.paging import NumberKey, Page, PageWish, page_of, read_cursor
from webapi.recharges.models import Recharge, RechargeRequest, RequestState
from webapi.recharges.place import RechargeOrder, place_recharge

EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestView:
    """A recharge that waits, or waited; `state`: waiting, approved, rejected or expired."""

    id: int
    customer_id: int
    customer_name: str
    amount_fen: int
    reason: str
    voucher: str
    state: str
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decided_why: str | None
    recharge_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFilter(PageWish):
    """Which requests: of a customer, in a state (waiting: those that can still be decided)."""

    customer: int | None = None
    state: str | None = None


def ask(
    session: Session,
    customer: Customer,
    amount_fen: int,
    reason: str,
    voucher: str,
    *,
    hours: int,
    at: datetime,
    by: str,
) -> RechargeRequest:
    """Ask for a recharge; no money moves yet."""
    request = RechargeRequest(
        tenant_id=customer.tenant_id,
        customer_id=customer.id,
        amount_fen=amount_fen,
        reason=reason,
        voucher=voucher,
        state=RequestState.WAITING,
        asked_by=by,
        asked_at=at,
        expires_at=at + timedelta(hours=hours),
    )
    session.add(request)
    session.flush()
    return request


def approve(session: Session, request: RechargeRequest, why: str | None, *, at: datetime, by: str) -> Recharge:
    """Credit what was asked for; it stands in the books under who asked, since that is whose cap it uses."""
    recharge = place_recharge(
        session,
        RechargeOrder(
            request.customer_id,
            request.amount_fen,
            number=f"request-{request.id}",
            reason=request.reason,
            voucher=request.voucher,
        ),
        at=at,
        by=request.asked_by,
    )
    request.recharge_id = recharge.id
    _decide(request, RequestState.APPROVED, why, at, by)
    session.flush()
    return recharge


def reject(session: Session, request: RechargeRequest, why: str, *, at: datetime, by: str) -> None:
    """Say no; nothing is credited."""
    _decide(request, RequestState.REJECTED, why, at, by)
    session.flush()


def find_request(session: Session, sees: Visible, request_id: int) -> RechargeRequest | None:
    """One request, locked for its decision."""
    query = sees.recharge_requests().where(RechargeRequest.id == request_id)
    return session.scalars(query.with_for_update(of=RechargeRequest, key_share=True)).one_or_none()


def list_requests(session: Session, sees: Visible, wish: RequestFilter, *, at: datetime) -> Page[RequestView]:
    """Requests, newest first."""
    query = sees.recharge_requests()
    if wish.customer is not None:
        query = query.where(RechargeRequest.customer_id == wish.customer)
    if wish.state is not None:
        query = query.where(_in_state(wish.state, at))
    after = read_cursor(wish.cursor, NumberKey)
    if after is not None:
        query = query.where(RechargeRequest.id < after.id)
    found = session.scalars(query.order_by(RechargeRequest.id.desc()).limit(wish.limit + 1)).all()
    return page_of(found, wish.limit, lambda one: NumberKey(one.id)).map(lambda one: request_view(one, at=at))


def has_expired(request: RechargeRequest, at: datetime) -> bool:
    """Whether nobody decided in time."""
    return request.state is RequestState.WAITING and request.expires_at <= at


def request_view(request: RechargeRequest, *, at: datetime) -> RequestView:
    """A request as it is shown."""
    return RequestView(
        id=request.id,
        customer_id=request.customer_id,
        customer_name=request.customer.name,
        amount_fen=request.amount_fen,
        reason=request.reason,
        voucher=request.voucher,
        state=EXPIRED if has_expired(request, at) else request.state.value,
        asked_by=request.asked_by,
        asked_at=request.asked_at,
        expires_at=request.expires_at,
        decided_by=request.decided_by,
        decided_at=request.decided_at,
        decided_why=request.decided_why,
        recharge_id=request.recharge_id,
    )


def _in_state(state: str, at: datetime) -> ColumnElement[bool]:
    waiting = RechargeRequest.state == RequestState.WAITING
    if state == EXPIRED:
        return and_(waiting, RechargeRequest.expires_at <= at)
    if state == RequestState.WAITING:
        return and_(waiting, RechargeRequest.expires_at > at)
    return RechargeRequest.state == RequestState(state)


def _decide(request: RechargeRequest, state: RequestState, why: str | None, at: datetime, by: str) -> None:
    request.state = state
    request.decided_by = by
    request.decided_at = at
    request.decided_why = why
