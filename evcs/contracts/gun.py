"""A gun's level, live values, register marks, events, charge record, and the start and stop that it is told."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import msgspec

from evcs.contracts.envelope import Payload, Receipt
from evcs.contracts.ids import CardUid, Code, GunNumber, JointNumber, MessageId, PileNumber, Serial
from evcs.contracts.pile import Outcome
from evcs.contracts.power import Kw, Kwh
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GoalKind, GunState, StartSource, StopClass, TariffBand
from evcs.contracts.times import Instant


class GunLevel(Payload, frozen=True, kw_only=True):
    """`G/state`: retained. Readers follow this level and never need the edge that led to it."""

    receipt: Receipt
    login_ms: int
    """The pile's login, wall ms; levels are ordered by (login_ms, version)."""
    version: Annotated[int, msgspec.Meta(ge=0)]
    pile: PileNumber
    gun: GunNumber
    state: GunState
    serial: Serial | None = None
    """Of the running charge; after its end still the ended one while the gun is `finished`."""
    plugged: bool | None = None
    fault_bits: int = 0
    """As the pile sends them (0x13); which of them is Bit1 says its `fault_bit_base`."""
    since: Instant
    """When this state began."""


class Telemetry(Payload, frozen=True, kw_only=True):
    """`G/telemetry`: one reading of a gun. Values a pile does not have are absent, never 0."""

    receipt: Receipt
    received_at: Instant
    """The bridge's receive time, unique per gun: a redelivery overwrites itself in the store."""
    pile: PileNumber
    gun: GunNumber
    state: GunState
    serial: Serial | None = None
    voltage_v: float | None = None
    current_a: float | None = None
    power_kw: float | None = None
    """DC: V × I (derived; the frame has no power)."""
    energy_kwh: Kwh | None = None
    """Of this session."""
    soc_pct: float | None = None
    cable_temp_c: int | None = None
    battery_temp_max_c: int | None = None
    battery_temp_min_c: int | None = None
    cell_voltage_max_v: float | None = None
    demand_voltage_v: float | None = None
    """What the car asks for (0x23). All of BMS frames is at most 45 s old, except limits: said once a charge."""
    demand_current_a: float | None = None
    limit_voltage_v: float | None = None
    """What the car may take at most (0x17)."""
    limit_current_a: float | None = None
    max_power_kw: float | None = None
    """The car's stated maximum, once seen (0x17)."""
    elapsed_min: int | None = None
    remaining_min: int | None = None
    cost_fen: Decimal | None = None
    """What the pile shows so far, fen with two decimals (the frame has 0.0001 yuan)."""


class MarkReason(StrEnum):
    """Why a register mark was taken."""

    BEGIN = "begin"
    HALF_HOUR = "half_hour"
    PERIODIC = "periodic"
    END = "end"
    LINK_LOST = "link_lost"


class MeterMark(Payload, frozen=True, kw_only=True):
    """`G/meter`: energy of a running session at a time, from which a charge without record is billed."""

    receipt: Receipt
    serial: Serial
    why: MarkReason
    received_at: Instant
    energy_kwh: Kwh
    register_kwh: Kwh | None = None


class GunEventKind(StrEnum):
    """What can happen to a gun, and which fields say more."""

    START_FAILED = "start_failed"
    """A start was written to the pile and no charge came of it: `serial`, `reason`, `pile_code`."""
    STOPPED = "stopped"
    """A charge is over: `stop_class`, and from its record `pile_code` and `vin`. Once with the record; before that once
    without where none has come 30 s after the observed end."""
    CARD_REQUEST = "card_request"
    """0x31, 0xA1: `card_request`."""
    BMS_HANDSHAKE = "bms_handshake"
    """0x15: `vehicle`."""
    BMS_LIMITS = "bms_limits"
    """0x17: `limits`."""
    BMS_ERROR = "bms_error"
    """0x1B: `findings`."""
    BMS_WARNING = "bms_warning"
    """0x25: status bits that are not normal changed: `findings`, empty when all is well again."""
    BMS_STOPPED = "bms_stopped"
    """0x1D: the car ended the charge: `findings`."""
    CHARGER_STOPPED = "charger_stopped"
    """0x21: the charger ended it: `findings`."""
    CHARGE_ENDED = "charge_ended"
    """0x19: `ending`."""
    GROUND_LOCK = "ground_lock"
    """0x61: `ground_lock`."""
    FAULT_RAISED = "fault_raised"
    """Fault bits appeared: `fault_bits`."""
    FAULT_CLEARED = "fault_cleared"
    """Fault bits went away: `fault_bits`."""
    CONFIRM_SENT = "confirm_sent"
    """0x40 is written to the pile: `serial`; the id is the confirmation's."""


class CardMode(StrEnum):
    """How a driver asked at the pile."""

    CARD = "card"
    ACCOUNT = "account"
    VIN = "vin"


class JointRole(StrEnum):
    """Which of two guns on one car (并充)."""

    MAIN = "main"
    AUXILIARY = "auxiliary"


class Joint(msgspec.Struct, frozen=True, kw_only=True):
    """Two guns on one car: each has its order, both bear this number; one refusal ends both."""

    number: JointNumber
    role: JointRole = JointRole.MAIN


class CardRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A driver asks at the pile to start (0x31, 0xA1). Its id is the event's."""

    mode: CardMode | int
    """A mode that we do not know stays a number."""
    card: CardUid = "0000000000000000"
    vin: str = ""
    """In reading order; empty unless `mode` is VIN."""
    password: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{16})?$")] = ""
    """Middle half of the MD5 hex digest of what was typed; empty where none was asked. Never logged or shown."""
    joint: Joint | None = None
    expires_at: Instant


class Vehicle(msgspec.Struct, frozen=True, kw_only=True):
    """What the car says about itself when it shakes hands (0x15, GB/T 27930 BRM)."""

    vin: str = ""
    battery_type: str = ""
    """LFP, NMC … or the code in hex."""
    rated_capacity_ah: float | None = None
    rated_voltage_v: float | None = None
    battery_maker: str = ""
    bms_version: str = ""
    charge_count: int | None = None


class BatteryLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What car and pile can take and give (0x17, BCP and CML). Currents are magnitudes."""

    max_cell_voltage_v: float | None = None
    max_voltage_v: float | None = None
    max_current_a: float | None = None
    max_temperature_c: int | None = None
    nominal_energy_kwh: float | None = None
    soc_pct: float | None = None
    battery_voltage_v: float | None = None
    pile_max_voltage_v: float | None = None
    pile_min_voltage_v: float | None = None
    pile_max_current_a: float | None = None
    pile_min_current_a: float | None = None
    max_power_kw: float | None = None
    """The car's stated maximum: highest voltage × highest current that both sides allow."""


class ChargeEnding(msgspec.Struct, frozen=True, kw_only=True):
    """Statistics of a finished charge (0x19, BSD and CSD)."""

    soc_pct: float | None = None
    min_cell_voltage_v: float | None = None
    max_cell_voltage_v: float | None = None
    min_temperature_c: int | None = None
    max_temperature_c: int | None = None
    elapsed_min: int | None = None
    energy_kwh: float | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One two-bit flag of a BMS or charger frame that is not normal."""

    code: str
    """`err1.spn2560_00_timeout` …: stable, the place in the frame and what it means."""
    value: int
    """As on the wire: 1 … 3, up to 63 for "other"; 0 only where that is what is not normal (charging forbidden)."""
    zh: str
    en: str


class GroundLock(msgspec.Struct, frozen=True, kw_only=True):
    """A parking lock as it reports itself (0x61)."""

    state: str
    """raised, lowered, between, or the code in hex."""
    is_occupied: bool | None = None
    """Whether a car stands in the bay."""
    battery_pct: int | None = None
    alarm: str = ""
    """arm_damaged, not_in_position, the code in hex; empty: none."""


class GunEvent(Payload, frozen=True, kw_only=True):
    """`G/event`: what is not a state. `kind` says which fields count."""

    id: MessageId
    receipt: Receipt
    kind: GunEventKind
    received_at: Instant
    link: str = ""
    serial: Serial | None = None
    reason: Reason | None = None
    pile_code: int | None = None
    stop_class: StopClass | None = None
    """What the record says, else what car or charger gave as the reason of the end (0x1D, 0x21)."""
    fault_bits: int | None = None
    """Those raised or cleared, as the pile sends them."""
    card: str | None = None
    vin: str | None = None
    card_request: CardRequest | None = None
    vehicle: Vehicle | None = None
    limits: BatteryLimits | None = None
    ending: ChargeEnding | None = None
    findings: tuple[Finding, ...] = ()
    ground_lock: GroundLock | None = None
    frame_hex: str = ""


class BandEnergy(msgspec.Struct, frozen=True, kw_only=True):
    """One class of a charge record as the pile wrote it."""

    band: TariffBand
    price_e5: int
    """Electricity and service price together, 0.00001 yuan/kWh."""
    energy_kwh: Kwh
    loss_energy_kwh: Kwh
    """计损: energy including line loss; 0 where the loss ratio is 0 for some makers."""
    amount_e4: int
    """0.0001 yuan."""


class ChargeRecord(Payload, frozen=True, kw_only=True):
    """`G/record`: the pile's bill (0x3B), raw and decoded."""

    id: MessageId
    receipt: Receipt
    serial: Serial
    pile: PileNumber
    gun: GunNumber
    received_at: Instant
    started_at: Instant
    """Pile time, put into UTC."""
    ended_at: Instant
    traded_at: Instant
    bands: tuple[BandEnergy, ...]
    register_start_kwh: Kwh
    register_end_kwh: Kwh
    energy_kwh: Kwh
    loss_energy_kwh: Kwh
    amount_e4: int
    vin: str = ""
    card: str = ""
    source: StartSource | int
    """A code that we do not know stays a number."""
    stop_code: int
    stop_class: StopClass
    clock_offset_s: float | None = None
    """The pile's clock error at its last 0x55: over 60 s the order is billed by its marks."""
    is_timed: bool = True
    """False: the pile left out a time (it has no clock); the receive time stands there instead."""
    frame_hex: str


class RecordConfirm(Payload, frozen=True, kw_only=True):
    """`G/confirm`: the record is stored with its verdict; the bridge writes 0x40."""

    id: MessageId
    serial: Serial
    result: Annotated[int, msgspec.Meta(ge=0, le=1)] = 0
    """0 stored, 1 illegal (not used by default)."""


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """When a charge shall end; exactly the value of its kind is given."""

    kind: GoalKind
    duration_s: Annotated[int, msgspec.Meta(gt=0)] | None = None
    """From the first charging frame."""
    amount_fen: Annotated[int, msgspec.Meta(gt=0)] | None = None
    energy_kwh: Kwh | None = None


class StartRequest(Payload, frozen=True, kw_only=True, tag_field="kind", tag="start"):
    """`G/request`: may this order start, and do start it."""

    id: MessageId
    serial: Serial
    goal: Goal
    source: StartSource
    tariff_version: Code
    balance_fen: Annotated[int, msgspec.Meta(ge=0)]
    """For the pile (0x34): min(goal, hold)."""
    covered_kwh: Kwh
    """What the hold covers at the dearest price."""
    price_e5: tuple[int, ...]
    """48 prices (energy + service) of the version by slot, for the amount goal."""
    may_queue: bool = False
    card: str | None = None
    """物理卡号, 16 hex digits."""
    printed_card: str = ""
    """逻辑卡号, at most 16 digits: what the pile shows."""
    card_request: str | None = None
    """Id of the event that asked at the pile: the start then answers it (0x32, 0xA2)."""
    joint: Joint | None = None
    queued_since: Instant | None = None
    """Of an order that waits already (repeated to a `rules` that just started): its place; then `queue_until` too."""
    queue_until: Instant | None = None
    rules_since_ms: int | None = None
    """The start of `rules` that this repetition answers: counted among its resumes; None: no answer to a start."""
    expires_at: Instant


class AskRequest(Payload, frozen=True, kw_only=True, tag_field="kind", tag="ask"):
    """`G/request`: would a start be admitted now; reserves nothing."""

    id: MessageId
    expires_at: Instant


class LongerHold(Payload, frozen=True, kw_only=True, tag_field="kind", tag="longer_hold"):
    """`G/request`: the hold of a running order now covers more."""

    id: MessageId
    serial: Serial
    covered_kwh: Kwh
    expires_at: Instant


class LeaveQueue(Payload, frozen=True, kw_only=True, tag_field="kind", tag="leave_queue"):
    """`G/request`: the driver does not wait any more."""

    id: MessageId
    serial: Serial
    expires_at: Instant


class Resume(Payload, frozen=True, kw_only=True, tag_field="kind", tag="resume"):
    """`G/request`: an open order, told to a `rules` that just started."""

    id: MessageId
    rules_since_ms: int
    """The start of `rules` that this answers."""
    serial: Serial
    goal: Goal
    covered_kwh: Kwh
    price_e5: tuple[int, ...]
    charging_since: Instant | None = None
    cap_kw: Kw | None = None
    expires_at: Instant


Request = StartRequest | AskRequest | LongerHold | LeaveQueue | Resume


class VerdictKind(StrEnum):
    """What a verdict is about."""

    ADMITTED = "admitted"
    QUEUED = "queued"
    REFUSED = "refused"
    ASK_ANSWER = "ask_answer"
    HOLD_LOW = "hold_low"
    GOAL_REACHED = "goal_reached"


class Figures(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The numbers on which a verdict rests; % of the transformer's rated apparent power."""

    transformer: str | None = None
    band: str | None = None
    load_pct: float | None = None
    planned_pct: float | None = None
    share_pct: float | None = None
    limited_pct: float | None = None
    blocked_pct: float | None = None
    release_pct: float | None = None
    """Below this for a while the limit (or the refusal) ends."""
    source: str | None = None
    """meter or estimate."""
    retry_after_s: int | None = None
    feeder: str | None = None
    """The feeder that has no room, where it is not the transformer."""
    feeder_kw: float | None = None
    """What is planned behind it, input power, kW."""
    feeder_limit_kw: float | None = None
    """What may be drawn behind it, kW."""


class Verdict(Payload, frozen=True, kw_only=True):
    """`G/verdict`: what `rules` decided about a request or found out about a running order."""

    id: MessageId
    """Own id; deterministic per request, so that a repetition is the same verdict."""
    request: str | None = None
    """Id of the request that it answers."""
    serial: Serial | None = None
    kind: VerdictKind
    would_admit: bool | None = None
    reason: Reason | None = None
    figures: Figures = Figures()
    cap_kw: Kw | None = None
    """Of an admitted start: the gun's cap; None: no cap."""
    covered_kwh: Kwh | None = None
    goal: GoalKind | None = None
    position: int | None = None
    """Of a start that waits: its place, from 1."""
    queue_until: Instant | None = None
    zh: str = ""
    en: str = ""
    decided_at: Instant


class Start(Payload, frozen=True, kw_only=True):
    """`G/start`: the admitted start. Where a power is given the bridge sets it, awaits 0x51 = 1, then writes 0x34."""

    id: MessageId
    bridge: Code
    link: str
    serial: Serial
    balance_fen: Annotated[int, msgspec.Meta(ge=0)]
    allowance_kw: Kw | None = None
    """For the whole power scope; None: no cap and none was set before, so no 0x52 is sent."""
    tariff_version: Code
    card: str | None = None
    printed_card: str = ""
    card_request: str | None = None
    joint: Joint | None = None
    expires_at: Instant


class Stop(Payload, frozen=True, kw_only=True):
    """`G/stop`: end a charge; needs no admission."""

    id: MessageId
    bridge: Code
    link: str
    serial: Serial | None
    """None: whatever runs (only for a station stop)."""
    why: Reason
    expires_at: Instant


class GunReply(Payload, frozen=True, kw_only=True):
    """`G/reply`: the one reply to a start or stop id."""

    id: MessageId
    receipt: Receipt
    serial: Serial | None = None
    command: str
    """start or stop."""
    outcome: Outcome
    reason: Reason | None = None
    pile_code: int | None = None
    pile_text_zh: str = ""
    pile_text_en: str = ""
    allowance_kw: Kw | None = None
    """Of a start that set the power: what the pile confirmed, after rounding to its units."""
    received_at: Instant
    frame_hex: str = ""
