"""Reading refunds: one, a page, and how they are shown."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from webapi.access import Visible
from webapi.http.paging import NumberKey, Page, PageWish, page_of, read_cursor
from webapi.refunds.models import PartState, RefundKind, RefundPart, RefundRequest, RefundState


@dataclass(frozen=True, slots=True, kw_only=True)
class PartView:
    """A part as it is shown; amounts in fen."""

    id: int
    no: int
    recharge_id: int
    channel: str
    amount_fen: int
    gift_back_fen: int
    out_refund_no: str
    state: PartState
    next_query_at: datetime | None
    submitted_at: datetime | None
    channel_refund_no: str | None
    settled_at: datetime | None
    settled_by: str | None
    why: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundView:
    """A refund as it is shown; amounts in fen."""

    id: int
    customer_id: int
    customer_name: str
    kind: RefundKind
    order: str | None
    amount_fen: int
    electricity_fen: int
    service_fen: int
    reason: str
    two_persons: bool
    state: RefundState
    asked_by: str
    asked_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decided_why: str | None
    transaction_id: int | None
    parts: tuple[PartView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFilter(PageWish):
    """Which refunds."""

    customer: int | None = None
    kind: RefundKind | None = None
    state: RefundState | None = None
    order: str | None = None


def find_refund(session: Session, sees: Visible, request_id: int, *, lock: bool = False) -> RefundRequest | None:
    """One refund; locked for its decision."""
    query = sees.refund_requests().where(RefundRequest.id == request_id)
    if lock:
        query = query.with_for_update(of=RefundRequest, key_share=True)
    return session.scalars(query).one_or_none()


def find_part(session: Session, sees: Visible, part_id: int) -> RefundPart | None:
    """One part, locked."""
    requests = sees.refund_requests().with_only_columns(RefundRequest.id)
    query = select(RefundPart).where(RefundPart.id == part_id, RefundPart.request_id.in_(requests))
    return session.scalars(query.with_for_update(of=RefundPart, key_share=True)).one_or_none()


def list_refunds(session: Session, sees: Visible, wish: RefundFilter) -> Page[RefundView]:
    """Refunds, newest first."""
    query = sees.refund_requests().options(joinedload(RefundRequest.customer), selectinload(RefundRequest.parts))
    if wish.customer is not None:
        query = query.where(RefundRequest.customer_id == wish.customer)
    if wish.kind is not None:
        query = query.where(RefundRequest.kind == wish.kind)
    if wish.state is not None:
        query = query.where(RefundRequest.state == wish.state)
    if wish.order is not None:
        query = query.where(RefundRequest.order_serial == wish.order)
    after = read_cursor(wish.cursor, NumberKey)
    if after is not None:
        query = query.where(RefundRequest.id < after.id)
    found = session.scalars(query.order_by(RefundRequest.id.desc()).limit(wish.limit + 1)).all()
    return page_of(found, wish.limit, lambda one: NumberKey(one.id)).map(refund_view)


def refund_view(request: RefundRequest) -> RefundView:
    """A refund as it is shown."""
    return RefundView(
        id=request.id,
        customer_id=request.customer_id,
        customer_name=request.customer.name,
        kind=request.kind,
        order=request.order_serial,
        amount_fen=request.amount_fen,
        electricity_fen=request.electricity_fen,
        service_fen=request.service_fen,
        reason=request.reason,
        two_persons=request.two_persons,
        state=request.state,
        asked_by=request.asked_by,
        asked_at=request.asked_at,
        decided_by=request.decided_by,
        decided_at=request.decided_at,
        decided_why=request.decided_why,
        transaction_id=request.transaction_id,
        parts=tuple(part_view(part) for part in request.parts),
    )


def part_view(part: RefundPart) -> PartView:
    """A part as it is shown."""
    return PartView(
        id=part.id,
        no=part.no,
        recharge_id=part.recharge_id,
        channel=part.channel,
        amount_fen=part.amount_fen,
        gift_back_fen=part.gift_back_fen,
        out_refund_no=part.out_refund_no,
        state=part.state,
        next_query_at=part.next_query_at,
        submitted_at=part.submitted_at,
        channel_refund_no=part.channel_refund_no,
        settled_at=part.settled_at,
        settled_by=part.settled_by,
        why=part.why,
    )
