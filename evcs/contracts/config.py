"""Retained configuration from the worker: what bridge, rules and ingest need to run without a database.

A level's `version` is the revision of its row; it only grows.
"""

from typing import Annotated

import msgspec

from evcs.contracts.alarm import AlarmAction, Severity
from evcs.contracts.envelope import Payload
from evcs.contracts.ids import Code, GunNumber, PileNumber
from evcs.contracts.power import Kw, Pct
from evcs.contracts.states import TariffBand
from evcs.contracts.times import Instant

Version = Annotated[int, msgspec.Meta(ge=0)]
PriceE5 = Annotated[int, msgspec.Meta(ge=0, le=4_294_967_295, description="0.00001 yuan/kWh")]
ModelNumber = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Fa-f]{4}$", description="计费模型编号, 2 BCD bytes")]


class Lockout(msgspec.Struct, frozen=True, kw_only=True):
    """停用 by a person; holds before every other check."""

    who: str
    why: str
    since: Instant
    until: Instant | None = None

    def in_force(self, now: Instant) -> bool:
        """Whether it holds at `now`; only the worker ends a lockout without an `until`."""
        return self.until is None or now < self.until


class GunConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A gun: its rating, a limit by hand, its lockout."""

    gun: GunNumber
    rated_kw: Kw
    hand_limit_kw: Kw | None = None
    lockout: Lockout | None = None


class TariffRef(msgspec.Struct, frozen=True, kw_only=True):
    """A tariff version and the 4-digit number under which piles know it."""

    version: Code
    model_no: ModelNumber


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """How a model's firmware departs from its protocol; all are seen in the field (YKC reference §10)."""

    qr_ok_code: int = 0
    """Result of 0xF1 that means done; one maker's is 1."""
    answers_in_peers_crc_order: bool = False
    """Send CRC bytes in the order in which the pile sends them, instead of low byte first."""
    update_answer_is_final: bool = True
    """0x93 comes after the attempt; else result 0 only says that the order was taken."""


class PileConfig(Payload, frozen=True, kw_only=True):
    """`evcs/v1/config/pile/{pile}` for the bridge."""

    version: Version
    pile: PileNumber
    station: Code
    shard: str
    protocol: str = "ykc"
    kind: str = "dc"
    """dc or ac."""
    rated_kw: Kw
    guns: tuple[GunConfig, ...]
    model: str = ""
    fault_bit_base: int = 0
    dialect: Dialect = Dialect()
    wanted_tariff: TariffRef | None = None
    confirmed_tariff: TariffRef | None = None
    """What the pile last confirmed: a restarted bridge answers 0x05 from it."""
    delivered_models: tuple[TariffRef, ...] = ()
    """Numbers that we delivered to this pile; only for these 0x06 may say "same"."""
    number_only_networks: tuple[str, ...] = ()
    """Source networks (CIDR) from which the pile's number alone is accepted."""
    lockout: Lockout | None = None
    wrapped_credentials: str | None = None


class PileLimits(msgspec.Struct, frozen=True, kw_only=True):
    """A pile as the gate sees it."""

    pile: PileNumber
    transformer: Code
    rated_kw: Kw
    efficiency: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.94
    """Output ÷ what the transformer carries; AC piles 1."""
    guns: tuple[GunConfig, ...]
    fault_bit_base: int = 0
    protocol: str = "ykc"
    lockout: Lockout | None = None
    feeder: Code | None = None
    """None: directly at the transformer."""
    maker: str = ""
    """Chooses, with the model, the entries of the fault-code dictionary."""
    model: str = ""
    """As on its nameplate; "": not known."""


class FeederConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A feeder (馈线) of a transformer: what all piles behind it may draw together."""

    feeder: Code
    limit_kw: Annotated[float, msgspec.Meta(gt=0)]
    """Input power, kW."""
    parent: Code | None = None
    """The feeder above; None: the transformer itself."""


class TransformerConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A transformer and the figures of its rule (requirement 3(1): 50 % and 80 %)."""

    transformer: Code
    rated_kva: Annotated[float, msgspec.Meta(gt=0)]
    has_meter: bool = False
    base_load_kw: Kw = 0.0
    """Building load behind the same transformer; the whole load where there is no meter."""
    max_base_load_kw: Kw | None = None
    power_factor: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.95
    limited_pct: Pct = 50.0
    limited_release_pct: Pct = 45.0
    limited_release_s: float = 300.0
    blocked_pct: Pct = 80.0
    blocked_release_pct: Pct = 75.0
    blocked_release_s: float = 60.0
    overload_pct: Pct = 100.0
    overload_s: float = 60.0
    cap_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.5
    """What a limited start gets of the gun's rated power."""
    release_apart_s: float = 60.0
    shown_after_s: float = 900.0
    """A session has shown itself at the latest after this (domain 4.8)."""
    degraded_until: Instant | None = None
    """Until then a dead meter is replaced by the estimate and the largest base load (two people, domain A11)."""
    degraded_blocked_pct: Pct = 60.0
    releases_caps: bool = True
    """False: a cap holds until its session ends (domain A8)."""
    overload_stop_after_s: float = 300.0
    """Above the overload threshold for so long with all sessions at the floor: the newest are stopped."""
    overload_stop_apart_s: float = 15.0
    is_shared: bool = False
    """Load sharing among running sessions, instead of first come, first served (F130)."""
    share_target_pct: Pct = 75.0
    """What sharing divides, % of the rated apparent power."""
    queue_most: Annotated[int, msgspec.Meta(ge=0)] = 20
    """How many starts may wait; 0: no queue."""
    queue_s: float = 1800.0
    feeders: tuple[FeederConfig, ...] = ()


class StationConfig(Payload, frozen=True, kw_only=True):
    """`evcs/v1/config/station/{station}` for rules and ingest."""

    version: Version
    station: Code
    shard: str
    tenant: str
    bucket: str = "evcs"
    """Not heeded: one store, named by EVCS_STORE_URL, has the telemetry of all stations."""
    transformers: tuple[TransformerConfig, ...]
    piles: tuple[PileLimits, ...]
    lockout: Lockout | None = None
    station_stop: Lockout | None = None


class BandPrice(msgspec.Struct, frozen=True, kw_only=True):
    """Prices of one time band."""

    band: TariffBand
    energy_price_e5: PriceE5
    service_price_e5: PriceE5


class TariffTable(Payload, frozen=True, kw_only=True):
    """`evcs/v1/config/tariff/{version}`: an immutable version of a tariff."""

    version: Version
    tariff_version: Code
    model_no: ModelNumber
    prices: tuple[BandPrice, ...]
    slots: Annotated[tuple[TariffBand, ...], msgspec.Meta(min_length=48, max_length=48)]
    """Half hours from 00:00 Beijing time."""


class FaultCode(msgspec.Struct, frozen=True, kw_only=True):
    """What a fault code of a protocol means (故障码)."""

    code: str
    """`bit1` … hardware fault bits (0x13), `stop_4a` … stop reasons (0x3B), `err1.spn2560_00_timeout` … findings."""
    zh: str
    en: str
    severity: str = Severity.WARNING
    """A Severity, and below an AlarmAction; text in the contract since its first release."""
    action: str = AlarmAction.ALARM
    """What follows besides the alarm."""
    maker: str = ""
    """Of the pile; "": any. The most exact entry counts: maker and model, maker, any."""
    model: str = ""
    """Of the pile; "": any."""
    advice_zh: str = ""
    """What to do about it."""
    advice_en: str = ""
    """The same in English."""


class FaultCodes(Payload, frozen=True, kw_only=True):
    """`evcs/v1/config/fault_codes/{protocol}`."""

    version: Version
    protocol: str
    codes: tuple[FaultCode, ...]
