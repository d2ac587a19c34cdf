"""What a pile is (status), what happens to it (events), and what it is told (power, commands) with the one reply."""

from enum import StrEnum
from typing import Annotated

import msgspec

from evcs.contracts.envelope import Payload, Receipt
from evcs.contracts.ids import Code, MessageId, PileNumber, Serial
from evcs.contracts.power import Kw, PowerControl
from evcs.contracts.reasons import Reason
from evcs.contracts.states import Proof
from evcs.contracts.times import Instant


class PileStatus(Payload, frozen=True, kw_only=True):
    """`P/status`: retained. Counts only while `B/status` of `bridge` is online with `bridge_started_ms`."""

    receipt: Receipt
    version: Annotated[int, msgspec.Meta(ge=0)]
    """The bridge's wall ms kept above the highest seen on the topic."""
    pile: PileNumber
    online: bool
    since: Instant
    login_at: Instant | None = None
    link: str = ""
    """Names the login: commands are for one link and no other. Empty while offline."""
    bridge: Code
    bridge_started_ms: int
    proof: Proof = Proof.NUMBER
    protocol: str = ""
    """`ykc1.5`, `ykc1.6` …"""
    firmware: str = ""
    address: str = ""
    gun_count: int = 0
    tariff_version: Code | None = None
    """The version that the pile last confirmed (0x05 same, 0x0A after 0x09, 0x57 ok); None: none, no start."""
    power_control: PowerControl | None = None
    clock_offset_s: float | None = None
    """Pile clock minus receive time at the last 0x55, seconds."""


class PileEventKind(StrEnum):
    TARIFF_CONFIRMED = "tariff_confirmed"
    CLOCK_WRONG = "clock_wrong"
    KEY_REFUSED = "key_refused"
    LOGIN_REFUSED = "login_refused"
    CONNECTION_REPLACED = "connection_replaced"
    RECEIPTS_CLOSED = "receipts_closed"


class LeafCount(msgspec.Struct, frozen=True, kw_only=True):
    """Receipts of one leaf in a closed hour: numbers `first`…`last`, none missing at the bridge."""

    leaf: str
    first: int
    last: int


class PileEvent(Payload, frozen=True, kw_only=True):
    """`P/event`: what is not a state."""

    id: MessageId
    receipt: Receipt
    kind: PileEventKind
    received_at: Instant
    link: str = ""
    tariff_version: Code | None = None
    clock_offset_s: float | None = None
    reason: Reason | None = None
    text: str = ""
    hour: Instant | None = None
    counts: tuple[LeafCount, ...] = ()
    frame_hex: str = ""


class PowerAllowance(Payload, frozen=True, kw_only=True):
    """`P/power`: a new allowance for the whole power scope; only `rules` publishes it."""

    id: MessageId
    bridge: Code
    link: str
    allowance_kw: Kw
    """For the whole scope (YKC: the pile). The bridge writes floor(allowance ÷ pile rating) %, 30–100."""
    expires_at: Instant


class PileCommandKind(StrEnum):
    REFUSE_CARD = "refuse_card"
    TARIFF_PUSH = "tariff_push"
    BALANCE = "balance"
    POLL = "poll"
    CLOCK = "clock"


class PileCommand(Payload, frozen=True, kw_only=True):
    """`P/command`: what the worker tells a pile apart from starting and stopping."""

    id: MessageId
    bridge: Code
    link: str
    kind: PileCommandKind
    expires_at: Instant
    gun: int | None = None
    serial: Serial | None = None
    balance_fen: int | None = None
    tariff_version: Code | None = None
    card_request: str | None = None
    reason: Reason | None = None


class Outcome(StrEnum):
    """What became of a command; each id gets exactly one."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    EXPIRED = "expired"


class PileReply(Payload, frozen=True, kw_only=True):
    """`P/reply`: the one reply to a power or pile command id."""

    id: MessageId
    receipt: Receipt
    outcome: Outcome
    received_at: Instant
    reason: Reason | None = None
    pile_code: int | None = None
    allowance_kw: Kw | None = None
    """Of a power command: what the pile now allows (after rounding to its units)."""
    frame_hex: str = ""
