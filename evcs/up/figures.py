"""Pure: messages of the run → the few figures that its status line shows."""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from evcs.contracts import topics
from evcs.contracts.bridge import BridgeStatus
from evcs.contracts.gun import GunLevel, Telemetry
from evcs.contracts.order import OrderChange
from evcs.contracts.pile import PileStatus
from evcs.contracts.states import OPEN_ORDER, GunState, OrderState, shown_state
from evcs.contracts.transformer import TransformerPolicy

# What the status line reads; each of these topics is also what `messages/s` counts.
READ = (
    topics.BRIDGE_STATUS,
    topics.PILE_STATUS,
    topics.GUN_STATE,
    topics.TELEMETRY,
    topics.METER,
    topics.GUN_EVENT,
    topics.RECORD,
    topics.CONFIRM,
    topics.REQUEST,
    topics.VERDICT,
    topics.START,
    topics.STOP,
    topics.GUN_REPLY,
    topics.SESSION,
    topics.POLICY,
    topics.ORDER,
)

# Closed orders remembered, so that a repeated message of one is not counted again; orders of hours, even at full load.
REMEMBERED_ORDERS = 10_000


@dataclass(frozen=True, slots=True)
class Transformer:
    """One transformer's line. Load in % of its rated apparent power; None while there is no figure."""

    name: str
    guns_kw: float
    band: str
    load_pct: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What a person can follow; orders, energy and messages are counted since the run began."""

    guns: tuple[tuple[GunState, int], ...]
    transformers: tuple[Transformer, ...]
    energy_kwh: Decimal
    open_orders: int
    settled_orders: int
    settled_fen: int
    refused_orders: int
    messages_per_s: float


class Fold:
    """Takes messages one by one and tells the figures at any time."""

    def __init__(self) -> None:
        self._bridges: dict[str, BridgeStatus] = {}
        self._piles: dict[str, PileStatus] = {}
        self._guns: dict[tuple[str, int], GunLevel] = {}
        self._transformers: dict[str, TransformerPolicy] = {}
        self._energy: OrderedDict[str, Decimal] = OrderedDict()
        self._folded_kwh = Decimal(0)
        self._orders: dict[str, OrderState] = {}
        self._closed: OrderedDict[str, OrderState] = OrderedDict()
        self._settled_fen = 0
        self._counts: Counter[OrderState] = Counter()
        self._messages = 0
        self._told_messages = 0
        self._told_at: float | None = None

    def take(self, payload: Any) -> None:
        """One decoded message of any topic in READ."""
        self._messages += 1
        match payload:
            case BridgeStatus():
                self._bridges[payload.bridge] = payload
            case PileStatus():
                self._piles[payload.pile] = payload
            case GunLevel():
                self._guns[payload.pile, payload.gun] = payload
            case TransformerPolicy():
                self._transformers[payload.transformer] = payload
            case Telemetry(serial=str() as serial, energy_kwh=Decimal() as energy):
                self._measure(serial, energy)
            case OrderChange():
                self._order(payload)

    def figures(self, at_s: float) -> Figures:
        """The figures at a monotonic time in seconds; the rate is that since the call before."""
        span = at_s - self._told_at if self._told_at is not None else 0.0
        rate = (self._messages - self._told_messages) / span if span > 0 else 0.0
        self._told_at, self._told_messages = at_s, self._messages
        shown = Counter(self._shown(level) for level in self._guns.values())
        return Figures(
            guns=tuple((state, shown[state]) for state in GunState if shown[state]),
            transformers=tuple(
                Transformer(policy.transformer, policy.guns_kw, policy.band.value, policy.load_pct)
                for _, policy in sorted(self._transformers.items())
            ),
            energy_kwh=self._folded_kwh + sum(self._energy.values(), Decimal(0)),
            open_orders=sum(state in OPEN_ORDER for state in self._orders.values()),
            settled_orders=self._counts[OrderState.SETTLED],
            settled_fen=self._settled_fen,
            refused_orders=self._counts[OrderState.REFUSED],
            messages_per_s=rate,
        )

    def _shown(self, level: GunLevel) -> GunState:
        pile = self._piles.get(level.pile)
        bridge = self._bridges.get(pile.bridge) if pile else None
        return shown_state(
            level.state,
            pile_online=pile is not None and pile.online,
            bridge_online=bridge is not None
            and pile is not None
            and bridge.online
            and bridge.started_ms == pile.bridge_started_ms,
        )

    def _measure(self, serial: str, energy_kwh: Decimal) -> None:
        self._energy[serial] = max(energy_kwh, self._energy.get(serial, Decimal(0)))
        if len(self._energy) > REMEMBERED_ORDERS:
            # The sessions first seen are long over: only their sum is still of interest.
            self._folded_kwh += self._energy.popitem(last=False)[1]

    def _order(self, change: OrderChange) -> None:
        if change.serial in self._closed:
            # settled → refunded and review → settled are the only ways on from here; neither is a new order.
            if change.state is OrderState.SETTLED and self._closed[change.serial] is OrderState.REVIEW:
                self._close(change)
            return
        if change.state in OPEN_ORDER:
            self._orders[change.serial] = change.state
            return
        self._orders.pop(change.serial, None)
        self._close(change)

    def _close(self, change: OrderChange) -> None:
        self._closed[change.serial] = change.state
        self._counts[change.state] += 1
        if change.state is OrderState.SETTLED:
            self._settled_fen += change.total_fen or 0
        if len(self._closed) > REMEMBERED_ORDERS:
            self._closed.popitem(last=False)
