"""What a pile is (status), what happens to it (events), and what it is told (power, commands) with the one reply."""

from enum import StrEnum
from typing import Annotated

import msgspec

from evcs.contracts.envelope import Payload, Receipt
from evcs.contracts.ids import CardUid, Code, MessageId, PileNumber, Serial
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
    """What can happen to a pile, and which fields say more."""

    TARIFF_CONFIRMED = "tariff_confirmed"
    """The pile holds `tariff_version`."""
    TARIFF_REFUSED = "tariff_refused"
    """0x57 result 0: the pile did not take the table."""
    CLOCK_WRONG = "clock_wrong"
    """Its clock differs by `clock_offset_s` (0x55)."""
    KEY_REFUSED = "key_refused"
    """A login with a wrong key; the text has the address."""
    LOGIN_REFUSED = "login_refused"
    """A login that was not let in: `reason`; the text has the address."""
    CONNECTION_REPLACED = "connection_replaced"
    """A newer connection took over; the text has the older link and its address."""
    RECEIPTS_CLOSED = "receipts_closed"
    """What was published in the closed `hour`: `counts`."""


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
    """What a pile can be told apart from starting, stopping and its power; frame types are YKC's."""

    REFUSE_CARD = "refuse_card"
    """0x32 / 0xA2 with a failure code, from `card_request` and `reason`."""
    TARIFF_PUSH = "tariff_push"
    """0x58: the table of `tariff_version`, which must be the pile's wanted one; refused while anything runs."""
    BALANCE = "balance"
    """0x42: `gun`, `serial`, `balance_fen`, and `card` where the charge was started by one."""
    POLL = "poll"
    """0x12 of `gun`, or of every gun."""
    CLOCK = "clock"
    """0x56."""
    RESTART = "restart"
    """0x92, `when`."""
    UPDATE = "update"
    """0x94, `update` and `when`."""
    QR_PREFIX = "qr_prefix"
    """0xF0, `qr`."""
    CARDS_STORE = "cards_store"
    """0x44: the pile keeps `cards` for offline charging (any number: the bridge cuts them into frames)."""
    CARDS_CLEAR = "cards_clear"
    """0x46: the pile forgets `cards`."""
    CARDS_QUERY = "cards_query"
    """0x48: which of `cards` does the pile hold?"""
    GROUND_LOCK = "ground_lock"
    """0x62 of `gun`, `lock`."""
    TRACE = "trace"
    """Publish each frame of this pile as `P/frame` until `trace_until`; none: stop it."""


class RunWhen(StrEnum):
    """When a restart or an update is carried out."""

    AT_ONCE = "at_once"
    WHEN_IDLE = "when_idle"


class LockAction(StrEnum):
    """地锁: what a ground lock is told."""

    RAISE = "raise"
    LOWER = "lower"


class QrKind(StrEnum):
    """What a pile draws into its QR code behind the prefix."""

    PILE = "pile"
    """Prefix and pile number."""
    GUN = "gun"
    """Prefix, pile number and gun number."""


class OfflineCard(msgspec.Struct, frozen=True, kw_only=True):
    """A card that a pile may accept without the platform."""

    uid: CardUid
    """物理卡号."""
    printed_no: Annotated[str, msgspec.Meta(pattern=r"^[0-9]{0,16}$")] = ""
    """逻辑卡号: what is printed on it, at most 16 digits. Empty where a command does not need it."""


class FirmwareUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """Where a pile fetches its program (FTP) and how long it may take. Lengths are those of 0x94."""

    server: Annotated[str, msgspec.Meta(min_length=1, max_length=16)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 21
    user: Annotated[str, msgspec.Meta(max_length=16)] = ""
    password: Annotated[str, msgspec.Meta(max_length=16)] = ""
    """Redacted wherever the command is shown or kept."""
    path: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    timeout_min: Annotated[int, msgspec.Meta(ge=1, le=255)] = 30


class QrPrefix(msgspec.Struct, frozen=True, kw_only=True):
    """二维码前缀: an ASCII text, as a rule the beginning of an address."""

    prefix: Annotated[str, msgspec.Meta(min_length=1, max_length=180)]
    kind: QrKind = QrKind.GUN


class PileCommand(Payload, frozen=True, kw_only=True):
    """`P/command`: what the worker tells a pile apart from starting and stopping. `kind` says which fields count."""

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
    card: CardUid | None = None
    cards: Annotated[tuple[OfflineCard, ...], msgspec.Meta(max_length=500)] = ()
    when: RunWhen = RunWhen.WHEN_IDLE
    update: FirmwareUpdate | None = None
    qr: QrPrefix | None = None
    lock: LockAction | None = None
    trace_until: Instant | None = None


class Outcome(StrEnum):
    """What became of a command; each id gets exactly one."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    EXPIRED = "expired"


class CardResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a pile said about one offline card: stored, cleared or present (`ok`), or not, and its code."""

    uid: CardUid
    ok: bool
    pile_code: int = 0


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
    pile_text_zh: str = ""
    """What `pile_code` means in the protocol's own words."""
    pile_text_en: str = ""
    cards: tuple[CardResult, ...] = ()
    """Of the offline card commands, in the order asked."""
    tariff_version: Code | None = None
    """Of a tariff push: what the pile has confirmed now."""
    frame_hex: str = ""


class FrameField(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a decoded frame as text for people."""

    name: str
    zh: str
    value: str
    """With its unit; a code with its meaning."""


class PileFrame(Payload, frozen=True, kw_only=True):
    """`P/frame`: one frame of a traced pile, either way; lost ones are not repeated (QoS 0)."""

    pile: PileNumber
    received_at: Instant
    """Or when it was sent."""
    from_pile: bool
    frame_type: str
    """`0x13`."""
    title_zh: str = ""
    title_en: str = ""
    fields: tuple[FrameField, ...] = ()
    problem: str = ""
    """Why it was dropped; empty for a frame that counted."""
    frame_hex: str
    """Secrets redacted."""
