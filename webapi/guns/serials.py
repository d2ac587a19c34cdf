"""Serials (交易流水号): made in one place, from the gun's own counter."""

from datetime import datetime

from evcs.contracts.ids import serial_number
from evcs.contracts.times import beijing_digits
from webapi.guns.models import Gun


def next_serial(gun: Gun, *, at: datetime) -> str:
    """A serial nobody has: pile 14, gun 2, Beijing time 12, counter 4 (YKC V1.6 §3.4).

    The caller has locked the gun's row. The counter turns over after 10,000 and then stands beside another second.
    """
    gun.serial_counter = (gun.serial_counter + 1) % 10_000
    return serial_number(gun.pile_number, gun.no, beijing_digits(at), gun.serial_counter)
