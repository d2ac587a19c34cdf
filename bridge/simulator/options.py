"""How a simulated pile behaves: its nature (options) and its misbehaviour (troubles)."""

from dataclasses import dataclass


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
    protocol_version: int = 0x10


@dataclass(slots=True)
class Troubles:
    """Misbehaviour that a test switches on and off while the pile runs."""

    ignore_confirmation: bool = False
    """0x40 is not understood: records go on being repeated."""
    record_twice: bool = False
    """Each sending of a record is two frames at once."""
    lose_record: bool = False
    """No 0x3B is made at all."""
    refuse_caps: bool = False
    """0x52 is answered 0x51 result 0 and not obeyed."""
    silent_caps: bool = False
    """0x52 is neither answered nor obeyed."""
    disobey_caps: bool = False
    """0x52 is confirmed and not obeyed."""
    silent_starts: bool = False
    """0x34 is read and nothing follows."""
    fail_start_reason: int | None = None
    """A stop reason 0x4A … 0x69: the start sequence ends in it, with 0x33 result 0 and a record without energy."""
    silent_stops: bool = False
    """0x36 is neither answered nor obeyed."""
    mute: bool = False
    """Nothing is sent at all while the connection stands (a half-open link)."""
    answer_delay_s: float = 0.0
    """Every answer to a command comes this much later."""
