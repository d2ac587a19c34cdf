"""Whether an order's evidence is still what it was: the chain of hashes, and the rows that it was taken from."""

from collections.abc import Iterator
from dataclasses import replace

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from webapi.orders.evidence import Bundle, read_bundle
from webapi.orders.evidence_gather import (
    bill_facts,
    bill_of,
    frame_facts,
    mark_facts,
    posting_facts,
    record_facts,
    tariff_facts,
)
from webapi.orders.evidence_keep import chained
from webapi.orders.evidence_models import OrderEvidence
from webapi.orders.explain.explanation import Difference, Explanation, explain
from webapi.orders.models import Bill, ChargeRecord, Order


def explain_order(session: Session, order: Order) -> tuple[tuple[OrderEvidence, Explanation], ...]:
    """Every bill of an order explained, oldest first; what was changed since stands among its differences.

    A bundle that cannot be read any more raises msgspec.DecodeError.
    """
    rows = session.scalars(
        select(OrderEvidence).where(OrderEvidence.order_serial == order.serial).order_by(OrderEvidence.n)
    ).all()
    explained = []
    before = ""
    for row in rows:
        found = explain(read_bundle(row.content))
        changed = (*_chain(row, before), *_rows(session, order, found.bundle))
        explained.append((row, replace(found, differences=(*changed, *found.differences))))
        before = row.hash
    return tuple(explained)


def without_evidence(session: Session, serial: str) -> tuple[str, ...]:
    """Kinds of the bills that have no bundle: written before there was any."""
    kinds = session.scalars(
        select(Bill.kind)
        .outerjoin(OrderEvidence, OrderEvidence.bill_id == Bill.id)
        .where(Bill.order_serial == serial, OrderEvidence.bill_id.is_(None))
        .order_by(Bill.id)
    )
    return tuple(kind.value for kind in kinds)


def _chain(row: OrderEvidence, before: str) -> Iterator[Difference]:
    if row.before_hash != before:
        yield Difference("evidence.before_hash", before, row.before_hash)
    reckoned = chained(row.before_hash, row.content)
    if row.hash != reckoned:
        yield Difference("evidence.hash", reckoned, row.hash)


def _rows(session: Session, order: Order, bundle: Bundle) -> Iterator[Difference]:
    """What came later (marks, frames, postings, another record) changes nothing; what was there must be there."""
    bill = bill_of(session, bundle.bill.id)
    if bill is None or bill_facts(bill) != bundle.bill:
        yield _changed(f"bill.{bundle.bill.id}")
    if bundle.tariff is not None and tariff_facts(session, bundle.tariff.version) != bundle.tariff:
        yield _changed(f"tariff.{bundle.tariff.version}")
    for record in bundle.records:
        row = session.get(ChargeRecord, record.id, populate_existing=True)
        # Its verdict moves on (a review ends); what the pile said stays.
        if row is None or msgspec.structs.replace(record_facts(row), verdict=record.verdict, why=record.why) != record:
            yield _changed(f"record.{record.id}")
    marks = {(mark.at, mark.energy_kwh, mark.why) for mark in mark_facts(session, order)}
    for mark in bundle.marks:
        if mark.why != "begin" and (mark.at, mark.energy_kwh, mark.why) not in marks:
            yield _changed(f"mark.{mark.at.isoformat()}")
    postings = set(posting_facts(session, order.serial))
    yield from (_changed(f"posting.{one.key}") for one in bundle.postings if one not in postings)
    frames = set(frame_facts(session, order.serial))
    yield from (_changed(f"frame.{one.id}") for one in bundle.frames if one not in frames)


def _changed(what: str) -> Difference:
    return Difference(what, "as in the evidence", "changed or gone")
