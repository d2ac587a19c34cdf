"""What is heard at a gun's bay: the newest report of its lock, the last car and no mixture of two."""

from sqlalchemy.orm import Session

from evcs.contracts.gun import BatteryLimits, GroundLock, GunEvent, GunEventKind, Vehicle
from evcs.contracts.topics import Address
from tests.webapi.books import BEGIN, PILE, STATION, Books
from tests.webapi.said import AT_GUN, at, receipt
from webapi.guns.said_models import GroundLockLive, VehicleLive
from webapi.worker.handlers import gun_event


def say(session: Session, kind: GunEventKind, seconds: float = 0, **more: object) -> None:
    event = GunEvent(id=f"e{seconds}", receipt=receipt(), kind=kind, received_at=at(seconds), **more)  # type: ignore[arg-type]
    gun_event(session, AT_GUN, event, at(seconds))


def lock(session: Session, state: str, seconds: float) -> None:
    said = GroundLock(state=state, is_occupied=state == "lowered", battery_pct=87, alarm="arm_damaged")
    say(session, GunEventKind.GROUND_LOCK, seconds, ground_lock=said)


def test_the_newest_report_of_a_lock_is_kept(books: Books) -> None:
    session = books.session
    lock(session, "raised", 10)
    lock(session, "lowered", 20)
    lock(session, "between", 15)
    row = session.get_one(GroundLockLive, (PILE, 1), populate_existing=True)
    assert (row.state, row.is_occupied, row.battery_pct, row.alarm, row.seen_at) == (
        "lowered",
        True,
        87,
        "arm_damaged",
        at(20),
    )


def test_the_last_car_is_kept_and_never_mixed_with_the_one_before(books: Books) -> None:
    session = books.session
    first, second = "1" * 32, "2" * 32
    car = Vehicle(vin="LSVAA49J132047371", battery_type="LFP")
    say(session, GunEventKind.BMS_HANDSHAKE, 1, serial=first, vehicle=car)
    say(session, GunEventKind.BMS_LIMITS, 2, serial=first, limits=BatteryLimits(max_power_kw=90.0))
    row = session.get_one(VehicleLive, (PILE, 1), populate_existing=True)
    assert row.vehicle_json is not None
    assert row.limits_json is not None
    assert (row.serial, row.seen_at) == (first, at(2))
    say(session, GunEventKind.BMS_LIMITS, 500, serial=second, limits=BatteryLimits(max_power_kw=30.0))
    row = session.get_one(VehicleLive, (PILE, 1), populate_existing=True)
    assert (row.serial, row.vehicle_json) == (second, None)


def test_what_an_unknown_gun_says_is_left(books: Books) -> None:
    event = GunEvent(
        id="e",
        receipt=receipt(),
        kind=GunEventKind.GROUND_LOCK,
        received_at=BEGIN,
        ground_lock=GroundLock(state="raised"),
    )
    gun_event(books.session, Address(station=STATION, pile=PILE, gun=9), event, BEGIN)
    assert books.session.get(GroundLockLive, (PILE, 9)) is None
