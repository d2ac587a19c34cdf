"""What bridge, worker and meter say about a simulated site: messages of the contract, versions counted by itself."""

import hashlib
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from evcs.contracts.bridge import Answered, BridgeStatus, ServiceStatus
from evcs.contracts.config import StationConfig
from evcs.contracts.envelope import Payload, Receipt
from evcs.contracts.gun import Goal, GunLevel, GunReply, StartRequest, Telemetry
from evcs.contracts.pile import Outcome, PileReply, PileStatus
from evcs.contracts.power import PowerControl
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GoalKind, GunState, Scope, StartSource
from evcs.contracts.times import to_ms
from evcs.contracts.topics import (
    BRIDGE_STATUS,
    CONFIG_STATION,
    GUN_REPLY,
    GUN_STATE,
    PILE_REPLY,
    PILE_STATUS,
    READING,
    REQUEST,
    SERVICE,
    TELEMETRY,
    Address,
    Topic,
)
from evcs.contracts.transformer import TransformerReading
from rules.messages import Heard
from rules.simulation.site import Site

BRIDGE, TARIFF = "b1", "tv1"
YKC_POWER = PowerControl(scope=Scope.PILE, unit="pct", least=30, most=100)
"""0x52 (YKC V1.6 §9.11): whole percent of the pile's rating."""
FLAT = (100_000,) * 48
REQUEST_S = 30.0


def serial_of(request: str) -> str:
    """The serial of the order whose request has this id."""
    return str(int(hashlib.sha256(request.encode()).hexdigest(), 16))[:32]


class Voice:
    """Speaks for everybody at the site but the rules."""

    def __init__(self, site: Site, since_ms: int) -> None:
        self._site = site
        self._since_ms = since_ms
        self._version = 0
        self._started_ms = to_ms(site.begin)
        self._addresses: dict[tuple[str, str, int], Address] = {}

    def _next(self) -> int:
        self._version += 1
        return self._version

    def _receipt(self) -> Receipt:
        return Receipt(bridge=BRIDGE, started_ms=self._started_ms, n=self._next())

    def _heard(self, topic: Topic[Any], payload: Payload, pile: str = "", gun: int = 0) -> Heard:
        key = (topic.leaf, pile, gun)
        address = self._addresses.get(key)
        if address is None:
            levels: dict[str, str | int] = {"station": self._site.station, "pile": pile, "gun": gun}
            levels |= {"transformer": self._site.transformer.transformer, "bridge": BRIDGE}
            levels |= {"name": "worker", "instance": "1-of-1"}
            address = topic.parse(topic.at(**{name: levels[name] for name in topic.levels if name in levels}))
            assert address is not None
            self._addresses[key] = address
        return Heard(topic, address, payload)

    # --- worker

    def config(self) -> Heard:
        site = self._site
        config = StationConfig(
            version=self._next(),
            station=site.station,
            shard="00",
            tenant="simulated",
            transformers=(site.transformer,),
            piles=site.piles,
        )
        return self._heard(CONFIG_STATION, config)

    def answer(self, since_ms: int | None = None) -> Heard:
        """The worker has no open orders; without `since_ms` it answers the start that this voice was made for."""
        since_ms = self._since_ms if since_ms is None else since_ms
        answered = (Answered(instance="1-of-1", since_ms=since_ms, resumes=0),)
        status = ServiceStatus(
            version=self._next(), name="worker", instance="1-of-1", ready=True, since_ms=1, answered=answered
        )
        return self._heard(SERVICE, status)

    def request(self, pile: str, gun: int, at: datetime, request: str, *, may_queue: bool = False) -> Heard:
        start = StartRequest(
            id=request,
            serial=serial_of(request),
            goal=Goal(kind=GoalKind.FULL),
            source=StartSource.APP,
            tariff_version=TARIFF,
            balance_fen=100_000,
            covered_kwh=Decimal(1000),
            price_e5=FLAT,
            may_queue=may_queue,
            expires_at=at + timedelta(seconds=REQUEST_S),
        )
        return self._heard(REQUEST, start, pile, gun)

    # --- bridge

    def bridge(self) -> Heard:
        status = BridgeStatus(
            version=self._next(), bridge=BRIDGE, online=True, started_ms=self._started_ms, since=self._site.begin
        )
        return self._heard(BRIDGE_STATUS, status)

    def pile(self, pile: str, at: datetime, *, online: bool = True, link: str = "l1") -> Heard:
        status = PileStatus(
            receipt=self._receipt(),
            version=self._next(),
            pile=pile,
            online=online,
            since=at,
            link=link if online else "",
            bridge=BRIDGE,
            bridge_started_ms=self._started_ms,
            tariff_version=TARIFF,
            power_control=YKC_POWER,
        )
        return self._heard(PILE_STATUS, status, pile)

    def level(self, pile: str, gun: int, state: GunState, at: datetime, serial: str | None = None) -> Heard:
        level = GunLevel(
            receipt=self._receipt(),
            login_ms=1,
            version=self._next(),
            pile=pile,
            gun=gun,
            state=state,
            serial=serial,
            plugged=state is not GunState.IDLE,
            since=at,
        )
        return self._heard(GUN_STATE, level, pile, gun)

    def reading(
        self,
        pile: str,
        gun: int,
        at: datetime,
        *,
        serial: str | None,
        kw: float,
        kwh: float = 0.0,
        soc_pct: float | None = None,
        max_kw: float | None = None,
    ) -> Heard:
        telemetry = Telemetry(
            receipt=self._receipt(),
            received_at=at,
            pile=pile,
            gun=gun,
            state=GunState.PLUGGED if serial is None else GunState.CHARGING,
            serial=serial,
            voltage_v=400.0,
            current_a=kw * 2.5,
            power_kw=kw,
            energy_kwh=Decimal(round(kwh * 10_000)).scaleb(-4),
            soc_pct=soc_pct,
            max_power_kw=max_kw,
        )
        return self._heard(TELEMETRY, telemetry, pile, gun)

    def reply(
        self,
        pile: str,
        gun: int,
        at: datetime,
        *,
        id: str,
        serial: str | None,
        outcome: Outcome,
        command: str = "start",
        reason: Reason | None = None,
        allowance_kw: float | None = None,
    ) -> Heard:
        reply = GunReply(
            id=id,
            receipt=self._receipt(),
            serial=serial,
            command=command,
            outcome=outcome,
            reason=reason,
            allowance_kw=allowance_kw,
            received_at=at,
        )
        return self._heard(GUN_REPLY, reply, pile, gun)

    def power_reply(self, pile: str, at: datetime, *, id: str, outcome: Outcome, allowance_kw: float | None) -> Heard:
        reply = PileReply(id=id, receipt=self._receipt(), outcome=outcome, received_at=at, allowance_kw=allowance_kw)
        return self._heard(PILE_REPLY, reply, pile)

    # --- meter

    def meter(self, at: datetime, kva: float) -> Heard:
        code = self._site.transformer.transformer
        return self._heard(READING, TransformerReading(transformer=code, received_at=at, apparent_kva=kva))
