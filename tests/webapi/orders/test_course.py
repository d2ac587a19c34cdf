"""What car and charger say in the course of a charge stands with its order."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import object_session

from evcs.contracts.gun import BatteryLimits, CardMode, ChargeEnding, Finding, GunEvent, GunEventKind, Vehicle
from evcs.contracts.states import OrderState
from evcs.contracts.topics import Address
from tests.webapi.books import PILE, STATION, Books, changed, record
from tests.webapi.orders.at_pile import VIN, AtPile
from tests.webapi.said import AT_GUN, at, receipt
from webapi.audit.models import AuditEntry
from webapi.orders import events
from webapi.orders.course import MOST_FINDINGS, ending_of, findings_of, limits_of, vehicle_of
from webapi.orders.models import Order

OTHER_VIN = "LBVCU3107KSV12345"
CAR = Vehicle(vin=VIN, battery_type="LFP", rated_capacity_ah=180.0, battery_maker="CATL")
LIMITS = BatteryLimits(max_voltage_v=750.0, max_current_a=250.0, max_power_kw=150.0)
ENDING = ChargeEnding(soc_pct=92.0, energy_kwh=41.2)
TIMEOUT = Finding(code="err1.spn2560_00_timeout", value=1, zh="接收超时", en="timed out")


def say(order: Order, kind: GunEventKind, id: str = "b-1", seconds: float = 10, **facts: object) -> None:
    address = Address(station=STATION, pile=PILE, gun=order.gun_no)
    session = object_session(order)
    assert session is not None
    event = GunEvent(id=id, receipt=receipt(), kind=kind, received_at=at(seconds), serial=order.serial, **facts)  # type: ignore[arg-type]
    events.gun_event(session, address, event, at(seconds))
    session.flush()


@pytest.fixture
def order(books: Books) -> Order:
    return books.order(books.customer(recharged_fen=10_000), hold_fen=8_000)


def test_car_limits_and_ending_are_kept(order: Order) -> None:
    say(order, GunEventKind.BMS_HANDSHAKE, "b-1", vehicle=CAR)
    say(order, GunEventKind.BMS_LIMITS, "b-2", limits=LIMITS)
    say(order, GunEventKind.CHARGE_ENDED, "b-3", ending=ENDING)
    assert (vehicle_of(order), limits_of(order), ending_of(order)) == (CAR, LIMITS, ENDING)
    assert (order.vin, order.other_vin) == (VIN, None)


def test_findings_are_kept_once_in_their_order(order: Order) -> None:
    say(order, GunEventKind.BMS_ERROR, "b-1", 10, findings=(TIMEOUT,))
    say(order, GunEventKind.CHARGER_STOPPED, "b-2", 20, findings=(TIMEOUT,))
    say(order, GunEventKind.BMS_ERROR, "b-1", 30, findings=(TIMEOUT,))
    kept = findings_of(order)
    assert [(one.kind, one.at, one.findings) for one in kept.items] == [
        ("bms_error", at(10), (TIMEOUT,)),
        ("charger_stopped", at(20), (TIMEOUT,)),
    ]


def test_a_flag_that_flickers_fills_no_row(order: Order) -> None:
    for n in range(100):
        say(order, GunEventKind.BMS_WARNING, f"b-{n}", n, findings=(TIMEOUT,) if n % 2 else ())
    kept = findings_of(order)
    assert (len(kept.items), kept.left_out) == (MOST_FINDINGS, 100 - MOST_FINDINGS)
    assert (kept.items[0].id, kept.items[-1].id) == ("b-0", "b-99")


def test_what_comes_behind_the_settlement_is_kept_too(order: Order) -> None:
    session = object_session(order)
    assert session is not None
    events.record(session, AT_GUN, record(order.serial), at(8_500))
    say(order, GunEventKind.CHARGE_ENDED, seconds=8_501, ending=ENDING)
    assert (order.state, ending_of(order)) == (OrderState.SETTLED, ENDING)


def test_another_gun_speaks_for_no_order_but_its_own(books: Books, order: Order) -> None:
    event = GunEvent(
        id="b-1",
        receipt=receipt(),
        kind=GunEventKind.BMS_HANDSHAKE,
        received_at=at(10),
        serial=order.serial,
        vehicle=CAR,
    )
    events.gun_event(books.session, Address(station=STATION, pile=PILE, gun=2), event, at(10))
    assert (order.vehicle_json, order.vin) == (None, None)


def _noted(books: Books) -> int:
    return len(books.session.scalars(select(AuditEntry).where(AuditEntry.action == "vin_differs")).all())


def test_a_record_of_another_car_is_noted_once_and_settles(books: Books, order: Order) -> None:
    say(order, GunEventKind.BMS_HANDSHAKE, vehicle=CAR)
    said = changed(record(order.serial), vin=OTHER_VIN)
    for n in (1, 2):
        events.record(books.session, AT_GUN, changed(said, id=f"r-{n}"), at(8_500 + n))
    assert (order.vin, order.other_vin, order.state) == (VIN, OTHER_VIN, OrderState.SETTLED)
    assert _noted(books) == 1


@pytest.mark.parametrize("vin", [VIN, "", "0" * 17, "LFV\x00\x01\xff"])
def test_the_same_car_or_none_is_no_difference(books: Books, order: Order, vin: str) -> None:
    say(order, GunEventKind.BMS_HANDSHAKE, vehicle=CAR)
    events.record(books.session, AT_GUN, changed(record(order.serial), vin=vin), at(8_500))
    assert (order.vin, order.other_vin, _noted(books)) == (VIN, None, 0)


def test_a_car_that_is_not_the_one_that_asked_is_noted(books: Books) -> None:
    scene = AtPile(books)
    scene.vehicle()
    order = scene.order(scene.ask(mode=CardMode.VIN, vin=VIN))
    say(order, GunEventKind.BMS_HANDSHAKE, vehicle=Vehicle(vin=OTHER_VIN))
    assert (order.vin, order.other_vin, _noted(books)) == (VIN, OTHER_VIN, 1)
