"""A past in the books: posted once, at its own times, silently, so that the books are right; bad lines stop it."""

import hashlib
import shutil
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine, func, select

from evcs.contracts.envelope import encode
from evcs.contracts.history import MANIFEST, ORDERS, Manifest, Past, PastDriver, PastOrder, PastRecharge
from evcs.contracts.states import OrderState, StartSource
from evcs.contracts.times import civil_day
from evcs.runtime.clock import SystemClock
from tests.bridge.simulator.test_history import charged, orders, said
from tests.pasts import FLEET, past
from webapi.audit.models import AuditEntry
from webapi.database import sessions
from webapi.demo.load import load
from webapi.demo.past_lines import BadHistory
from webapi.demo.seed import seed
from webapi.demo.sign_in_file import SignIn
from webapi.ledger.invariants import check
from webapi.ledger.models import Hold, HoldState, Transaction, Wallet
from webapi.models import metadata
from webapi.orders.models import ChargeRecord, Order
from webapi.orders.place import PlaceOrder, place_order
from webapi.piles.models import Pile
from webapi.recharges.models import Recharge
from webapi.recharges.place import RechargeOrder, place_recharge
from webapi.worker.enqueue import silence
from webapi.worker.models import OutboxRow

__all__ = ["past"]

CLOCK = SystemClock(None)


@pytest.fixture
def town(engine: Engine) -> Engine:
    """The books of a seeded town."""
    with sessions(engine)() as session:
        seed(session, FLEET, SignIn("demo", "a-random-password"), at=datetime(2026, 11, 1, tzinfo=UTC))
        session.commit()
    return engine


@pytest.fixture
def copy(past: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(past, tmp_path / "copy"))


def rewrite(history: Path, lines: list[bytes]) -> None:
    """Other lines, of which the manifest knows."""
    manifest = msgspec.json.decode((history / MANIFEST).read_bytes(), type=Manifest)
    data = b"".join(line + b"\n" for line in lines)
    (history / ORDERS).write_bytes(data)
    forged = msgspec.structs.replace(manifest, orders=len(lines), orders_sha256=hashlib.sha256(data).hexdigest())
    (history / MANIFEST).write_bytes(msgspec.json.encode(forged))


def counts(engine: Engine) -> dict[str, int]:
    with sessions(engine)() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0 for table in metadata.sorted_tables
        }


def test_a_past_stands_in_the_books_as_it_happened(town: Engine, past: Path) -> None:
    loaded = load(town, past, CLOCK)
    told = {one.serial: one for one in orders(past)}
    kinds = Counter(type(one) for one in said(past))
    assert (loaded.orders, loaded.recharges) == (kinds[PastOrder], kinds[PastRecharge])
    assert (loaded.drivers, loaded.known) == (kinds[PastDriver], 0)
    with sessions(town)() as session:
        assert check(session) == []
        found = {order.serial: order for order in session.scalars(select(Order))}
        assert found.keys() == told.keys()
        for serial, order in found.items():
            _is_as_told(order, told[serial])
        billed = int(session.scalar(select(func.sum(Order.total_fen))) or 0)
        written = sum(one.record.amount_e4 for one in charged(past) if one.record is not None)
        assert abs(billed - written / 100) <= len(told), "a fen of rounding each, at most"
        assert session.scalar(select(func.count()).select_from(Hold).where(Hold.state == HoldState.OPEN)) == 0
        assert (session.scalar(select(func.min(Wallet.available_fen))) or 0) >= 0


def _is_as_told(order: Order, told: PastOrder) -> None:
    assert (order.pile_number, order.gun_no, order.source) == (told.pile, told.gun, told.source)
    assert order.requested_at == told.requested_at
    assert order.goal_kind is told.goal.kind
    if told.verdict.reason is not None:
        assert (order.state, order.refusal_code) == (OrderState.REFUSED, told.verdict.reason.value)
    elif told.charging_since is None:
        assert order.state is OrderState.START_FAILED
    else:
        assert told.record is not None
        assert order.state is OrderState.SETTLED
        assert not order.provisional
        assert order.energy_kwh == told.record.energy_kwh
        assert order.started_at == told.charging_since
        assert order.settled_at == told.record.received_at
        assert order.ended_at is not None
        assert abs(order.ended_at - told.record.ended_at) < timedelta(seconds=1)
        assert order.business_date == civil_day(order.ended_at)
        assert order.discount_fen <= 50
    assert order.card_number == told.card
    assert (order.card_number is not None) == (told.source is StartSource.CARD)


def test_loading_it_again_changes_nothing(town: Engine, past: Path) -> None:
    load(town, past, CLOCK)
    before = counts(town)
    again = load(town, past, CLOCK)
    assert (again.orders, again.recharges, again.drivers) == (0, 0, 0)
    assert again.known == len(said(past))
    assert counts(town) == before


def test_nobody_is_told_of_the_past(town: Engine, past: Path) -> None:
    """Neither requests nor orders' changes, and no confirmation waits to be sent to a pile."""
    before = counts(town)["outbox"]
    load(town, past, CLOCK)
    assert counts(town)["outbox"] == before == 0
    with sessions(town)() as session:
        unsent = select(func.count()).select_from(ChargeRecord).where(ChargeRecord.confirm_sent_at.is_(None))
        assert session.scalar(unsent) == 0


def test_silence_ends_with_its_block(town: Engine, past: Path) -> None:
    load(town, past, CLOCK)
    told = orders(past)[0]
    with sessions(town)() as session:
        session.get_one(Pile, told.pile).confirmed_tariff_version_id = told.tariff_version
        customer = session.scalars(select(Order.customer_id).where(Order.serial == told.serial)).one()
        assert customer is not None
        with pytest.raises(RuntimeError), silence(session):
            raise RuntimeError
        wish = PlaceOrder(customer_id=customer, pile=told.pile, gun=told.gun, goal=told.goal, by="test")
        assert isinstance(place_order(session, wish, at=CLOCK.now()), Order)
        session.flush()
        assert session.scalar(select(func.count()).select_from(OutboxRow)) == 2


def test_the_books_tell_the_times_of_the_past(town: Engine, past: Path) -> None:
    load(town, past, CLOCK)
    last = max(one.record.received_at for one in charged(past) if one.record is not None)
    with sessions(town)() as session:
        for moment in (Transaction.created_at, AuditEntry.at, Recharge.paid_at):
            assert session.scalars(select(func.max(moment))).one() <= last + timedelta(seconds=1)
        days = session.scalars(select(Transaction.posting_date).distinct()).all()
        assert len(days) in (2, 3)
        created = select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "order_create")
        assert session.scalar(created) == len(orders(past))


def test_an_open_order_at_the_gun_does_not_stand_in_the_way(town: Engine, past: Path) -> None:
    told = orders(past)[-1]
    with sessions(town)() as session:
        first = session.scalars(select(Wallet.customer_id).order_by(Wallet.customer_id)).first()
        assert first is not None
        session.get_one(Pile, told.pile).confirmed_tariff_version_id = told.tariff_version
        place_recharge(session, RechargeOrder(first, 50_000, "1", "test"), at=CLOCK.now(), by="test")
        wish = PlaceOrder(customer_id=first, pile=told.pile, gun=told.gun, goal=told.goal, by="test")
        live = place_order(session, wish, at=CLOCK.now())
        assert isinstance(live, Order)
        serial = live.serial
        session.commit()
    load(town, past, CLOCK)
    with sessions(town)() as session:
        assert session.get_one(Order, serial).state is OrderState.HOLDING
        assert session.get_one(Order, told.serial).state is not OrderState.HOLDING


def order_line(history: Path) -> tuple[int, PastOrder, list[bytes]]:
    """The first charged order behind the 20th line: its place, itself, and all lines."""
    lines = (history / ORDERS).read_bytes().splitlines()
    for at, line in enumerate(lines):
        one = msgspec.json.decode(line, type=Past)
        if at >= 20 and isinstance(one, PastOrder) and one.record is not None and one.charging_since is not None:
            return at, one, lines
    raise AssertionError("no such line")


RECHARGE = b'{"kind":"recharge","at":"2026-10-01T00:00:00Z","phone":"13800000001","number":"1","amount_fen":%s}'


def forged(told: PastOrder, what: str) -> bytes:
    replace = msgspec.structs.replace
    record = told.record
    assert record is not None
    match what:
        case "not json":
            return b'{"kind": "order"'
        case "no kind":
            return b"{}"
        case "another kind":
            return b'{"kind":"sql","at":"2026-10-01T00:00:00Z"}'
        case "not utf-8":
            return b"\xff" * 50
        case "deep":
            return b'{"kind":"order","goal":' + b"[" * 100_000
        case "nobody":
            return encode(replace(told, phone="13711112222"))
        case "no pile":
            pile = replace(record, pile="55031412999999")
            return encode(replace(told, pile="55031412999999", record=pile))
        case "other station":
            return encode(replace(told, station="DEMO-A" if told.station == "DEMO-B" else "DEMO-B"))
        case "no tariff":
            return encode(replace(told, tariff_version="dear-1"))
        case "backwards":
            return encode(replace(told, ended_at=told.requested_at))
        case "serials":
            return encode(replace(told, record=replace(record, serial="1" * 32)))
        case "other gun":
            return encode(replace(told, record=replace(record, gun=99)))
        case "to come":
            far = datetime(2100, 1, 1, tzinfo=UTC)
            return encode(replace(told, ended_at=far, record=replace(record, received_at=far)))
        case "no end":
            return encode(replace(told, ended_at=None, record=None))
        case "negative money":
            return RECHARGE % b"-5"
        case "huge money":
            return RECHARGE % b"99999999"
    raise AssertionError(what)


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("not json", "truncated"),
        ("no kind", "kind"),
        ("another kind", "sql"),
        ("not utf-8", "malformed"),
        ("deep", ""),
        ("nobody", "137\\*\\*\\*\\*2222"),
        ("no pile", "No row"),
        ("other station", "stands at"),
        ("no tariff", "No row"),
        ("backwards", "backwards"),
        ("serials", "several serials"),
        ("other gun", "another gun"),
        ("to come", "is not past"),
        ("no end", "never ended"),
        ("negative money", ">= 1"),
        ("huge money", "<= 10000000"),
    ],
)
def test_a_bad_line_stops_it_by_its_number(town: Engine, copy: Path, what: str, why: str) -> None:
    at, told, lines = order_line(copy)
    before = [msgspec.json.decode(line, type=Past) for line in lines[:at]]
    rewrite(copy, [*lines[:at], forged(told, what), *lines[at + 1 :]])
    with pytest.raises(BadHistory, match=rf"orders\.jsonl line {at + 1}: .*{why}"):
        load(town, copy, CLOCK)
    with sessions(town)() as session:
        posted = set(session.scalars(select(Order.serial)))
        # What stands before the line is posted, except where it could not even be read with its batch.
        serials = [one.serial for one in before if isinstance(one, PastOrder)]
        assert posted <= set(serials)
        assert len(posted) >= len(serials) - 10
        assert check(session) == []


def test_a_load_goes_on_behind_a_line_that_was_bad(town: Engine, copy: Path) -> None:
    at, told, lines = order_line(copy)
    rewrite(copy, [*lines[:at], forged(told, "nobody"), *lines[at + 1 :]])
    with pytest.raises(BadHistory):
        load(town, copy, CLOCK)
    rewrite(copy, lines)
    loaded = load(town, copy, CLOCK)
    assert loaded.known == at
    with sessions(town)() as session:
        assert session.scalar(select(func.count()).select_from(Order)) == len(orders(copy))


def test_a_record_that_bills_too_much_is_for_a_person(town: Engine, copy: Path) -> None:
    """The lower figure is taken, the difference stays held: as with a live record."""
    at, told, lines = order_line(copy)
    assert told.record is not None
    dear = msgspec.structs.replace(told.record, amount_e4=told.record.amount_e4 + 50_000)
    rewrite(copy, [*lines[:at], encode(msgspec.structs.replace(told, record=dear)), *lines[at + 1 :]])
    load(town, copy, CLOCK)
    with sessions(town)() as session:
        order = session.get_one(Order, told.serial)
        assert order.state is OrderState.REVIEW
        assert Decimal(order.total_fen) < Decimal(dear.amount_e4) / 100
        assert check(session) == []


@pytest.mark.parametrize(("kept", "put"), [(-1, b""), (-300, b""), (None, b"{}\n"), (0, b"")])
def test_a_file_that_was_cut_or_changed_is_not_read(town: Engine, copy: Path, kept: int | None, put: bytes) -> None:
    (copy / ORDERS).write_bytes((copy / ORDERS).read_bytes()[:kept] + put)
    before = counts(town)
    with pytest.raises(BadHistory, match="cut off, or changed"):
        load(town, copy, CLOCK)
    assert counts(town) == before


def test_an_endless_line_stops_it(town: Engine, copy: Path) -> None:
    data = b"{" * 3_000_000
    rewrite(copy, [data])
    with pytest.raises(BadHistory, match="line 1: no line end"):
        load(town, copy, CLOCK)


def test_an_unfinished_past_and_an_unseeded_town_are_told(engine: Engine, copy: Path) -> None:
    with pytest.raises(BadHistory, match=r"line 1: .*webapi\.demo seed"):
        load(engine, copy, CLOCK)
    (copy / MANIFEST).unlink()
    with pytest.raises(BadHistory, match="not written to its end"):
        load(engine, copy, CLOCK)
