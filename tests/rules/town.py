"""A small station for tests of the rules: messages of the contract, with what does not matter filled in."""

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from evcs.contracts.bridge import Answered, BridgeStatus, ServiceStatus
from evcs.contracts.config import (
    FaultCode,
    FaultCodes,
    GunConfig,
    Lockout,
    PileLimits,
    StationConfig,
    TransformerConfig,
)
from evcs.contracts.envelope import Payload, Receipt
from evcs.contracts.gun import (
    AskRequest,
    Finding,
    Goal,
    GunEvent,
    GunEventKind,
    GunLevel,
    GunReply,
    LeaveQueue,
    LongerHold,
    Resume,
    StartRequest,
    Telemetry,
)
from evcs.contracts.pile import Outcome, PileEvent, PileEventKind, PileReply, PileStatus
from evcs.contracts.power import PowerControl
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GoalKind, GunState, Scope, StartSource, StopClass
from evcs.contracts.topics import (
    BRIDGE_STATUS,
    CONFIG_FAULT_CODES,
    CONFIG_STATION,
    GUN_EVENT,
    GUN_REPLY,
    GUN_STATE,
    PILE_EVENT,
    PILE_REPLY,
    PILE_STATUS,
    READING,
    REQUEST,
    SERVICE,
    TELEMETRY,
    Topic,
)
from evcs.contracts.transformer import TransformerReading
from rules.messages import Heard

T0 = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
"""12:00 in Beijing, a Monday."""
STATION, TRANSFORMER, BRIDGE, TARIFF = "s1", "t1", "b1", "tv1"
YKC = PowerControl(scope=Scope.PILE, unit="pct", least=30, most=100)
CONTROLS = {"pile": YKC, "gun": PowerControl(scope=Scope.GUN, unit="kw", least=1, most=500), "none": None}
SINCE_MS = 1_000
BRIDGE_STARTED_MS = 500
FLAT = (100_000,) * 48
"""1 yuan per kWh at all hours."""


def after(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def seconds(at: datetime) -> float:
    return (at - T0).total_seconds()


def serial_of(request: str) -> str:
    """The serial of the order whose request has this id."""
    return str(int(hashlib.sha256(request.encode()).hexdigest(), 16))[:32]


def heard(topic: Topic[Any], payload: Payload, **levels: str | int) -> Heard:
    """A message as the worker hands it to the engine."""
    address = topic.parse(topic.at(**levels))
    assert address is not None
    return Heard(topic, address, payload)


class Town:
    """Says what bridge, worker and meter would say about one station; counts versions by itself."""

    def __init__(self, piles: list[dict[str, Any]], transformer: dict[str, Any] | None = None) -> None:
        self._version = 0
        self.transformer = TransformerConfig(
            transformer=TRANSFORMER, **{"rated_kva": 1000.0, "power_factor": 1.0, **(transformer or {})}
        )
        self.piles = {
            pile["pile"]: PileLimits(
                pile=pile["pile"],
                transformer=TRANSFORMER,
                rated_kw=pile.get("rated_kw", sum(pile["guns"])),
                efficiency=pile.get("efficiency", 1.0),
                guns=tuple(
                    GunConfig(gun=n, rated_kw=kw, hand_limit_kw=pile.get("hand_limit_kw"))
                    for n, kw in enumerate(pile["guns"], 1)
                ),
            )
            for pile in piles
        }
        self.station_lockouts: dict[str, Lockout] = {}

    @property
    def guns(self) -> list[tuple[str, int]]:
        return [(pile.pile, gun.gun) for pile in self.piles.values() for gun in pile.guns]

    def _next(self) -> int:
        self._version += 1
        return self._version

    def receipt(self) -> Receipt:
        return Receipt(bridge=BRIDGE, started_ms=BRIDGE_STARTED_MS, n=self._next())

    # --- worker

    def config(self) -> Heard:
        config = StationConfig(
            version=self._next(),
            station=STATION,
            shard="00",
            tenant="acme",
            transformers=(self.transformer,),
            piles=tuple(self.piles.values()),
            lockout=self.station_lockouts.get("lockout"),
            station_stop=self.station_lockouts.get("station_stop"),
        )
        return heard(CONFIG_STATION, config, station=STATION)

    def degraded(self, until: datetime) -> Heard:
        """Two people let the estimate count instead of a dead meter."""
        self.transformer = msgspec.structs.replace(self.transformer, degraded_until=until)
        return self.config()

    def hand_limit(self, pile: str, gun: int, *, kw: float | None) -> Heard:
        """A person limits a gun, or lifts the limit; the same again is a newer configuration too."""
        limits = self.piles[pile]
        guns = tuple(msgspec.structs.replace(one, hand_limit_kw=kw) if one.gun == gun else one for one in limits.guns)
        self.piles[pile] = msgspec.structs.replace(limits, guns=guns)
        return self.config()

    def answer(self, resumes: int = 0, since_ms: int = SINCE_MS) -> Heard:
        answered = (Answered(instance="1-of-1", since_ms=since_ms, resumes=resumes),)
        status = ServiceStatus(
            version=self._next(), name="worker", instance="1-of-1", ready=True, since_ms=1, answered=answered
        )
        return heard(SERVICE, status, name="worker", instance="1-of-1")

    def request(
        self,
        pile: str,
        gun: int,
        at: datetime,
        *,
        id: str,
        goal: Goal | None = None,
        covered_kwh: str = "1000",
        prices: tuple[int, ...] = FLAT,
        tariff: str = TARIFF,
        expires_s: float = 30.0,
        serial: str | None = None,
        may_queue: bool = False,
        queued_since: datetime | None = None,
        queue_until: datetime | None = None,
        rules_since_ms: int | None = None,
    ) -> Heard:
        request = StartRequest(
            id=id,
            serial=serial or serial_of(id),
            goal=goal or Goal(kind=GoalKind.FULL),
            source=StartSource.APP,
            tariff_version=tariff,
            balance_fen=10_000,
            covered_kwh=Decimal(covered_kwh),
            price_e5=prices,
            may_queue=may_queue,
            queued_since=queued_since,
            queue_until=queue_until,
            rules_since_ms=rules_since_ms,
            expires_at=at + timedelta(seconds=expires_s),
        )
        return heard(REQUEST, request, station=STATION, pile=pile, gun=gun)

    def leave_queue(self, pile: str, gun: int, at: datetime, *, of: str) -> Heard:
        request = LeaveQueue(id=f"leave-{of}", serial=serial_of(of), expires_at=at + timedelta(seconds=30))
        return heard(REQUEST, request, station=STATION, pile=pile, gun=gun)

    def ask(self, pile: str, gun: int, at: datetime, *, id: str) -> Heard:
        request = AskRequest(id=id, expires_at=at + timedelta(seconds=3))
        return heard(REQUEST, request, station=STATION, pile=pile, gun=gun)

    def longer_hold(self, pile: str, gun: int, at: datetime, *, of: str, covered_kwh: str) -> Heard:
        request = LongerHold(
            id=f"longer-{of}",
            serial=serial_of(of),
            covered_kwh=Decimal(covered_kwh),
            expires_at=at + timedelta(seconds=30),
        )
        return heard(REQUEST, request, station=STATION, pile=pile, gun=gun)

    def resume(
        self,
        pile: str,
        gun: int,
        at: datetime,
        *,
        of: str,
        since_ms: int = SINCE_MS,
        charging_since: datetime | None = None,
        cap_kw: float | None = None,
    ) -> Heard:
        request = Resume(
            id=f"resume-{of}-{since_ms}",
            rules_since_ms=since_ms,
            serial=serial_of(of),
            goal=Goal(kind=GoalKind.FULL),
            covered_kwh=Decimal(1000),
            price_e5=FLAT,
            charging_since=charging_since,
            cap_kw=cap_kw,
            expires_at=at + timedelta(seconds=60),
        )
        return heard(REQUEST, request, station=STATION, pile=pile, gun=gun)

    # --- bridge

    def bridge(self, *, online: bool = True) -> Heard:
        status = BridgeStatus(
            version=self._next(), bridge=BRIDGE, online=online, started_ms=BRIDGE_STARTED_MS, since=T0
        )
        return heard(BRIDGE_STATUS, status, bridge=BRIDGE)

    def pile(
        self,
        pile: str,
        *,
        online: bool = True,
        link: str = "l1",
        tariff: str | None = TARIFF,
        control: str = "pile",
        clock_offset_s: float | None = None,
    ) -> Heard:
        """`control`: what its power can be set for: the pile, each gun, or none."""
        status = PileStatus(
            receipt=self.receipt(),
            version=self._next(),
            pile=pile,
            online=online,
            since=T0,
            link=link if online else "",
            bridge=BRIDGE,
            bridge_started_ms=BRIDGE_STARTED_MS,
            tariff_version=tariff,
            power_control=CONTROLS[control],
            clock_offset_s=clock_offset_s,
        )
        return heard(PILE_STATUS, status, station=STATION, pile=pile)

    def level(
        self, pile: str, gun: int, state: str, at: datetime, *, of: str | None = None, fault_bits: int = 0
    ) -> Heard:
        level = GunLevel(
            receipt=self.receipt(),
            login_ms=1,
            version=self._next(),
            pile=pile,
            gun=gun,
            state=GunState(state),
            serial=None if of is None else serial_of(of),
            fault_bits=fault_bits,
            since=at,
        )
        return heard(GUN_STATE, level, station=STATION, pile=pile, gun=gun)

    def reading(
        self,
        pile: str,
        gun: int,
        at: datetime,
        *,
        of: str | None,
        kw: float | None,
        kwh: str | None = None,
        soc: float | None = None,
        max_kw: float | None = None,
        state: str = "charging",
        **values: Any,
    ) -> Heard:
        """`values`: further fields of the telemetry, in place of what would stand there."""
        telemetry = Telemetry(
            receipt=self.receipt(),
            received_at=at,
            pile=pile,
            gun=gun,
            state=GunState(state),
            serial=None if of is None else serial_of(of),
            power_kw=kw,
            energy_kwh=None if kwh is None else Decimal(kwh),
            soc_pct=soc,
            max_power_kw=max_kw,
            **{"voltage_v": 400.0, "current_a": None if kw is None else kw * 2.5, **values},
        )
        return heard(TELEMETRY, telemetry, station=STATION, pile=pile, gun=gun)

    def event(
        self,
        pile: str,
        gun: int,
        at: datetime,
        kind: str,
        *,
        of: str | None,
        findings: dict[str, int] | None = None,
        **values: Any,
    ) -> Heard:
        """`findings`: code → value; further fields of the event as `values`."""
        if "stop_class" in values:
            values["stop_class"] = StopClass(values["stop_class"])
        event = GunEvent(
            id=f"event-{self._next()}",
            receipt=self.receipt(),
            kind=GunEventKind(kind),
            received_at=at,
            serial=None if of is None else serial_of(of),
            findings=tuple(
                Finding(code=code, value=value, zh=f"{code} 异常", en=f"{code} is not normal")
                for code, value in (findings or {}).items()
            ),
            **values,
        )
        return heard(GUN_EVENT, event, station=STATION, pile=pile, gun=gun)

    def pile_event(self, pile: str, at: datetime, kind: str, **values: Any) -> Heard:
        event = PileEvent(
            id=f"event-{self._next()}", receipt=self.receipt(), kind=PileEventKind(kind), received_at=at, **values
        )
        return heard(PILE_EVENT, event, station=STATION, pile=pile)

    def codes(self, *entries: FaultCode, protocol: str = "ykc") -> Heard:
        table = FaultCodes(version=self._next(), protocol=protocol, codes=entries)
        return heard(CONFIG_FAULT_CODES, table, protocol=protocol)

    def reply(
        self,
        pile: str,
        gun: int,
        at: datetime,
        *,
        of: str,
        outcome: str = "accepted",
        reason: str | None = None,
        allowance_kw: float | None = None,
    ) -> Heard:
        reply = GunReply(
            id=f"start-{of}",
            receipt=self.receipt(),
            serial=serial_of(of),
            command="start",
            outcome=Outcome(outcome),
            reason=None if reason is None else Reason(reason),
            allowance_kw=allowance_kw,
            received_at=at,
        )
        return heard(GUN_REPLY, reply, station=STATION, pile=pile, gun=gun)

    def power_reply(
        self,
        pile: str,
        at: datetime,
        *,
        id: str,
        outcome: str,
        allowance_kw: float | None,
        reason: str | None = None,
    ) -> Heard:
        reply = PileReply(
            id=id,
            receipt=self.receipt(),
            outcome=Outcome(outcome),
            received_at=at,
            allowance_kw=allowance_kw,
            reason=None if reason is None else Reason(reason),
        )
        return heard(PILE_REPLY, reply, station=STATION, pile=pile)

    # --- meter

    def meter(
        self,
        at: datetime,
        *,
        kva: float | None = None,
        phases: list[float] | None = None,
        volts: list[float] | None = None,
    ) -> Heard:
        reading = TransformerReading(
            transformer=TRANSFORMER,
            received_at=at,
            apparent_kva=kva,
            phase_kva=None if phases is None else (phases[0], phases[1], phases[2]),
            phase_voltage_v=None if volts is None else (volts[0], volts[1], volts[2]),
        )
        return heard(READING, reading, station=STATION, transformer=TRANSFORMER)

    def picture(self, at: datetime) -> list[Heard]:
        """What stands retained: bridge online, piles logged in, guns plugged."""
        return [
            self.bridge(),
            self.config(),
            *(self.pile(pile) for pile in self.piles),
            *(self.level(pile, gun, "plugged", at) for pile, gun in self.guns),
        ]


def lockout(why: str = "检修", *, until: datetime | None = None) -> Lockout:
    return Lockout(who="li", why=why, since=T0, until=until)
