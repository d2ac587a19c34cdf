"""The nature of a simulated pile: what it is, how quick it is, which dialect it speaks, which cars come."""

from dataclasses import dataclass
from enum import StrEnum

from bridge.protocols.base import CrcOrder

V15, V16 = 0x0F, 0x10
"""Version byte of the login; V1.6 is V1.5 with the joint charge (0xA1 to 0xA4)."""


class Echo(StrEnum):
    """What stands in the sequence field of an answer; the field has all three (YKC reference §2)."""

    FAITHFUL = "faithful"
    SWAPPED = "swapped"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Card:
    """A driver's card: the 16 hex digits of its chip, and what must be typed with it."""

    uid: str
    password: str | None = None


@dataclass(frozen=True, slots=True)
class PileOptions:
    """Nature of a pile. Powers in W, times in seconds of wall time unless `speed` is said to shorten them."""

    pile_w: int = 120_000
    """Rated power of the pile, shared by its guns; 0x52 limits a percentage of it."""
    gun_w: int = 120_000
    """What one gun can carry; it may draw what its neighbours leave."""
    speed: float = 1.0
    """Divides the waits between arrivals and the report periods, nothing else."""
    energy_factor: int = 1
    """Multiplies the kWh that flow (tests and demos only); volts, amperes and times stay."""
    report_s: float = 15.0
    """0x13 while charging; divided by `speed`, at least 0.5 s."""
    idle_report_s: float = 300.0
    """0x13 at rest; divided by `speed`, at least 5 s."""
    heartbeat_s: float = 10.0
    login_delay_s: float = 0.0
    """From TCP connect to 0x01 (a known pile takes 10 s)."""
    answer_wait_s: float = 10.0
    """0x01, 0x05 and 0x09 are repeated after this without a usable answer."""
    refused_wait_s: float = 30.0
    """0x01 again after a refusal, if the connection still stands."""
    start_delay_s: tuple[float, float] = (2.0, 5.0)
    """From 0x34 to current: lock, insulation test, handshake with the car."""
    ramp_s: float = 8.0
    stop_s: float = 1.5
    """From a stop command to no current."""
    record_delay_s: float = 1.0
    """From the end to 0x3B (30 s are allowed)."""
    resend_s: tuple[float, ...] = (0, 30, 60, 90, 300)
    """0x3B without 0x40 goes out at these times after the first, then not before the next login."""
    plug_window_s: float = 60.0
    """A start that found no plug runs if one comes within this."""
    reconnect_s: tuple[float, float] = (1.0, 30.0)
    """First and longest wait before connecting again; doubled in between, with a little chance."""
    need_kwh: tuple[float, float] = (15.0, 55.0)
    """What an arriving car lacks."""
    cold_share: float = 0.1
    """Share of cars whose battery has to be heated before it takes a charge."""
    arrivals_per_hour: float = 0.0
    """Cars that come to each gun by themselves; 0: none, somebody plugs by hand."""
    patience_s: tuple[float, float] = (300.0, 900.0)
    """A car that nobody starts leaves after this; divided by `speed`."""
    linger_s: tuple[float, float] = (30.0, 240.0)
    """A charged car stays plugged for this; divided by `speed`."""
    manual_stop_share: float = 0.05
    """Share of the visits in which the driver stops at the pile (0x45) before the car is full."""
    software_version: str = "EVSIM1.0"
    protocol_version: int = V16
    is_ac: bool = False
    """An AC pile: 220 V, no talk with the car's BMS."""
    has_five_bands: bool = False
    """Its records have a fifth tariff band, deep valley (length byte 0xB2)."""
    crc_order: CrcOrder = CrcOrder.LOW_FIRST
    is_strict_on_crc: bool = False
    """It drops frames whose CRC bytes stand in the other order than its own."""
    echo: Echo = Echo.FAITHFUL
    fault_bit_base: int = 0
    """0: the text's Bit1 is mask 0x0001; 1: it is mask 0x0002."""
    is_demand_negative: bool = True
    """Currents of 0x23 as on the CAN bus, 400 - I; else 400 + I."""
    sends_raw_digest: bool = False
    """Passwords of 0x31 as the 16 bytes of the MD5, else as 16 hex characters of its middle half."""
    qr_ok_code: int = 0
    """Result of 0xF1 that means done."""
    answers_update_at_once: bool = False
    """0x93 says only that the order was taken."""
    clock_offset_s: float = 0.0
    """How wrong the clock is at power-on."""
    clock_drift_ppm: float = 0.0
    """How much too fast it runs."""
    step_s: float = 0.25
    """Longest span in which power counts as constant; a charging pile looks at its cars twice as seldom."""
    has_ground_locks: bool = False
    lock_report_s: float = 300.0
    lock_move_s: float = 3.0
    cards: tuple[Card, ...] = ()
    """Cards of the drivers that come by themselves."""
    vins: tuple[str, ...] = ()
    """VINs of cars that the platform knows; other cars have one of their own."""
    card_share: float = 0.0
    """Share of the visits in which the driver starts with one of the cards."""
    vin_share: float = 0.0
    """Share of the visits in which a known car asks by itself."""
    joint_share: float = 0.0
    """Share of the card visits for which one car takes two guns (V1.6)."""
    swipe_delay_s: tuple[float, float] = (0.0, 0.0)
    """From the plug to the card at the reader."""
    start_answer_s: float = 15.0
    """How long a driver waits for 0x32; then the card is held up again, twice at most."""
    joint_wait_s: float = 30.0
    """How long the first gun of a joint charge waits for the second."""
    offline_balance_yuan: int = 100
    """What a card may draw while the platform is away."""
    offline_cards: int = 500
    """Cards that the pile can keep for such a time."""
    late_s: tuple[float, float] = (3600.0, 6 * 3600.0)
    """How late a late record is; divided by `speed`."""
    mishap_s: tuple[float, float] = (5.0, 120.0)
    """From the current to what goes wrong; divided by `speed`."""
    away_s: tuple[float, float] = (120.0, 900.0)
    """How long a pile that vanished or lost power stays away; divided by `speed`."""
    repair_s: tuple[float, float] = (60.0, 600.0)
    """How long a hardware fault stands; divided by `speed`."""
    restart_s: tuple[float, float] = (3.0, 8.0)
    """How long a restart takes; divided by `speed`."""
    update_s: tuple[float, float] = (10.0, 30.0)
    """How long a download takes; divided by `speed`."""
