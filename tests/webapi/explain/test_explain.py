"""Bills rebuilt from their evidence: whatever happened they equal the ledger, and whatever was changed is found."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from evcs.contracts.envelope import Receipt
from evcs.contracts.gun import GunReply
from evcs.contracts.pile import Outcome
from tests.webapi.books import BEGIN, PEAK, Books, mark, record
from tests.webapi.settlement.test_any_course_of_events import Course, deeds
from webapi.ledger.holds import lengthen_hold
from webapi.orders.evidence import canonical, read_bundle
from webapi.orders.evidence_keep import chained, keep_reply
from webapi.orders.evidence_models import OrderEvidence
from webapi.orders.explain.__main__ import check_all, explain_one
from webapi.orders.explain.check import explain_order, without_evidence
from webapi.orders.explain.explanation import explain
from webapi.orders.explain.words import words_of
from webapi.orders.marks import keep_mark
from webapi.orders.models import Bill, Order
from webapi.orders.provisional import settle_provisionally
from webapi.orders.settle import settle_record

BUNDLES = Path(__file__).with_name("bundles")
LATER = BEGIN + timedelta(hours=3)


def settled(books: Books, *, hold_fen: int = 8_000) -> Order:
    """The worked example of domain.md 4: 65.67 yuan."""
    order = books.order(books.customer(recharged_fen=10_000), hold_fen=hold_fen)
    settle_record(books.session, record(order.serial), at=LATER)
    return order


def evidence(session: Session, order: Order) -> list[OrderEvidence]:
    query = select(OrderEvidence).where(OrderEvidence.order_serial == order.serial).order_by(OrderEvidence.n)
    return list(session.scalars(query))


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds)
def test_every_bill_of_any_course_is_what_its_evidence_says(books: Books, course: list[tuple[object, ...]]) -> None:
    run = Course(books)
    for deed in course:
        run.do(deed)
    books.session.flush()
    for order in books.session.scalars(select(Order).where(Order.customer_id == run.customer.id)):
        assert without_evidence(books.session, order.serial) == ()
        bills = books.session.scalars(select(Bill.id).where(Bill.order_serial == order.serial).order_by(Bill.id)).all()
        explained = explain_order(books.session, order)
        assert [row.bill_id for row, _ in explained] == list(bills)
        assert [one.differences for _, one in explained] == [()] * len(bills)
    books.session.commit()


def test_the_worked_example_is_said_line_by_line(books: Books) -> None:
    order = settled(books)
    [(_, explained)] = explain_order(books.session, order)
    assert explained.total_fen == 6567
    peak = next(line for line in explained.lines if line.band is PEAK)
    assert (peak.exact_electricity_fen, peak.electricity_fen) == (Decimal("1109.5753925"), 1109)
    zh = [sentence.zh for sentence in words_of(explained)]
    assert "峰时段 9.8765 度：电费 9.8765 × 1.12345 = 11.095753925 元，计 11.09 元；" in "".join(zh)
    assert "应付 65.67 元。" in zh
    assert "解冻退回余额 14.33 元。" in zh
    assert "To pay: 65.67 yuan." in [sentence.en for sentence in words_of(explained)]


def test_evidence_has_the_frames_the_holds_and_the_receipts(books: Books) -> None:
    order = books.order(books.customer(recharged_fen=10_000), hold_fen=5_000)
    reply = GunReply(
        id="s-1",
        receipt=Receipt(bridge="b1", started_ms=1, n=7),
        serial=order.serial,
        command="start",
        outcome=Outcome.ACCEPTED,
        received_at=BEGIN,
        frame_hex="6833",
    )
    keep_reply(books.session, order, reply)
    keep_reply(books.session, order, reply)
    lengthen_hold(books.session, order, 2_000, at=BEGIN + timedelta(minutes=30), by="worker")
    settle_record(books.session, record(order.serial), at=LATER)
    [row] = evidence(books.session, order)
    bundle = read_bundle(row.content)
    assert [(one.frame_hex, '"n":7' in one.said) for one in bundle.frames] == [("6833", True)]
    assert [one.kind for one in bundle.postings] == ["hold", "extend_hold", "settlement"]
    assert bundle.records[0].frame_hex == "68a20001"
    assert bundle.records[0].said.receipt.bridge == "b1"
    assert bundle.hold is not None
    assert (bundle.hold.placed_fen, bundle.hold.released_fen) == (7_000, 433)
    assert canonical(bundle) == row.content


def test_a_correction_is_chained_to_what_it_corrects(books: Books) -> None:
    order = books.order(books.customer(recharged_fen=10_000), hold_fen=8_000)
    keep_mark(books.session, order, mark(order.serial, 60, "20.0"))
    assert settle_provisionally(books.session, order, at=BEGIN + timedelta(hours=2))
    settle_record(books.session, record(order.serial), at=LATER)
    first, second = evidence(books.session, order)
    assert (first.before_hash, second.before_hash) == ("", first.hash)
    assert second.hash == chained(first.hash, second.content)
    explained = explain_order(books.session, order)
    assert all(one.is_right for _, one in explained)
    assert any("此前已结算" in sentence.zh for sentence in words_of(explained[1][1]))


def test_evidence_cannot_be_changed_or_deleted(books: Books) -> None:
    settled(books)
    for deed in ("UPDATE order_evidence SET n = 2", "DELETE FROM order_evidence"):
        with pytest.raises(DBAPIError, match="append only"), books.session.begin_nested():
            books.session.execute(text(deed))


def without_triggers(session: Session, statement: str) -> None:
    """Change a row as somebody would who owns the database."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET session_replication_role = replica"))
        session.execute(text(statement))
        session.execute(text("SET session_replication_role = origin"))
    else:
        triggers = session.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")).all()
        for name, _ in triggers:
            session.execute(text(f"DROP TRIGGER {name}"))
        session.execute(text(statement))
        for _, made in triggers:
            session.execute(text(made))
    session.expire_all()


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE bill_line SET electricity_fen = electricity_fen + 1 WHERE band = 'peak'", "bill."),
        ("UPDATE charge_record SET frame_hex = '00'", "record."),
        ("UPDATE ledger_entry SET amount_fen = amount_fen + 1", "posting."),
        ("UPDATE tariff_price SET energy_price_e5 = 1 WHERE band = 'valley'", "tariff.v1"),
        ("UPDATE order_mark SET energy_kwh = 1", "mark."),
        ("UPDATE order_evidence SET content = replace(content, '\"6567\"', '\"6566\"'), hash = 'x'", "evidence.hash"),
    ],
)
def test_a_changed_row_is_found_and_named(
    books: Books, statement: str, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    order = books.order(books.customer(recharged_fen=10_000), hold_fen=8_000)
    keep_mark(books.session, order, mark(order.serial, 60, "20.0"))
    settle_record(books.session, record(order.serial), at=LATER)
    assert check_all(books.session) == 0
    without_triggers(books.session, statement)
    assert check_all(books.session) == 1
    assert explain_one(books.session, order.serial, "en") == 1
    said = capsys.readouterr().out
    assert named in said
    assert order.serial in said


def test_another_amount_than_follows_is_found_in_bill_and_ledger(books: Books) -> None:
    order = settled(books)
    [row] = evidence(books.session, order)
    bundle = read_bundle(row.content)
    wrong = msgspec.structs.replace(
        bundle, bill=msgspec.structs.replace(bundle.bill, electricity_fen=4000, total_fen=6283)
    )
    assert [one.what for one in explain(wrong).differences] == ["electricity_fen", "total_fen"]
    posting = bundle.postings[-1]
    entries = tuple(
        msgspec.structs.replace(one, amount_fen=one.amount_fen + 5) if one.account == "revenue:service" else one
        for one in posting.entries
    )
    moved = msgspec.structs.replace(posting, entries=entries)
    wrong = msgspec.structs.replace(bundle, postings=(*bundle.postings[:-1], moved))
    assert [one.what for one in explain(wrong).differences] == ["ledger.revenue:service"]


def test_a_dispute_says_that_the_lower_amount_counts_and_what_stays_held(books: Books) -> None:
    order = books.order(books.customer(recharged_fen=10_000), hold_fen=8_000)
    settle_record(books.session, record(order.serial, amount_e4=700_000), at=LATER)
    [(_, explained)] = explain_order(books.session, order)
    assert explained.is_right
    assert "有争议，暂留冻结 4.33 元。" in [sentence.zh for sentence in words_of(explained)]


@pytest.mark.parametrize("path", sorted(BUNDLES.glob("*.json")), ids=lambda path: path.stem)
def test_bundles_of_the_past_are_still_explained(path: Path) -> None:
    """A change of the code that would bill a past charge otherwise fails here; the files are never written anew."""
    content = path.read_text()
    explained = explain(read_bundle(content))
    assert explained.differences == ()
    assert canonical(explained.bundle) == content


def test_the_past_has_every_way_of_billing() -> None:
    routes = {read_bundle(path.read_bytes()).bill.route for path in BUNDLES.glob("*.json")}
    assert routes == {"record", "marks", "none"}
