"""The evidence of a bill as one document: all inputs of the reckoning and of the payment, and the frames behind it."""

from datetime import date
from decimal import Decimal

import msgspec

from evcs.contracts.config import BandPrice
from evcs.contracts.gun import ChargeRecord
from evcs.contracts.states import TariffBand
from evcs.contracts.times import Instant


class OrderFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The order as it stood when the bill was written. Amounts in fen, energies in kWh, times in UTC."""

    serial: str
    station: str
    pile: str
    gun: int
    customer: int | None
    source: str
    goal: str
    goal_amount_fen: int | None
    goal_energy_kwh: Decimal | None
    goal_duration_s: int | None
    requested_at: Instant
    admitted_at: Instant | None
    started_at: Instant | None
    ended_at: Instant | None
    end_observed_at: Instant | None
    stop_asked_by: str | None
    stop_reason: str | None
    stop_code: int | None
    verdict: str | None
    """The gate's, as it came (JSON)."""


class TariffFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The version frozen at the start: bands of the 48 half hours, prices in 0.00001 yuan/kWh."""

    version: str
    model: str
    slots: tuple[TariffBand, ...]
    prices: tuple[BandPrice, ...]


class MeterFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Resolution of the pile's meter in kWh, rated power of the gun in kW."""

    step_kwh: Decimal
    rated_kw: Decimal


class MarkFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A register mark; the first may be the begin of the charge at 0, which no mark said (`why` is then begin)."""

    at: Instant
    energy_kwh: Decimal
    why: str


class RecordFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A charge record (YKC V1.6 0x3B): the frame as it came and what the bridge read in it."""

    id: int
    content_hash: str
    frame_hex: str
    verdict: str
    why: str | None
    said: ChargeRecord
    """Without its frame, which stands beside it; with its receipt."""


class LineFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One band of a bill."""

    band: TariffBand
    energy_kwh: Decimal
    metered_kwh: Decimal
    energy_price_e5: int
    service_price_e5: int
    electricity_fen: int
    service_fen: int


class BillFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A bill as it stands in the books."""

    id: int
    kind: str
    route: str
    record: int | None
    energy_kwh: Decimal
    electricity_fen: int
    service_fen: int
    discount_fen: int
    total_fen: int
    pile_total_fen: int | None
    made_at: Instant
    lines: tuple[LineFacts, ...]


class EntryFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Money that arrived on (+) or left (−) an account."""

    account: str
    amount_fen: int


class PostingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction of the ledger for this order: holds placed, lengthened and released, the settlement, …"""

    id: int
    key: str
    kind: str
    posting_date: date
    at: Instant
    by: str
    entries: tuple[EntryFacts, ...]


class HoldFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The hold after the bill, in fen."""

    state: str
    placed_fen: int
    captured_fen: int
    released_fen: int
    extensions: int
    placed_at: Instant
    closed_at: Instant | None


class WalletFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The payer's balances right after the bill, in fen."""

    available_fen: int
    held_fen: int
    gift_fen: int
    debt_fen: int


class FrameFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A message about the order, with its frame."""

    kind: str
    id: str
    at: Instant
    frame_hex: str
    said: str


class FaultFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A fault or warning of the gun, its pile or the transformer in the order's time."""

    id: str
    kind: str
    code: str
    severity: str
    raised_at: Instant


class Bundle(msgspec.Struct, frozen=True, kw_only=True):
    """All that a bill rests on."""

    format: int
    made_at: Instant
    order: OrderFacts
    tariff: TariffFacts | None
    meter: MeterFacts
    marks: tuple[MarkFacts, ...]
    records: tuple[RecordFacts, ...]
    bill: BillFacts
    before: BillFacts | None
    """The bill that this one corrects."""
    hold: HoldFacts | None
    wallet_after: WalletFacts | None
    postings: tuple[PostingFacts, ...]
    frames: tuple[FrameFacts, ...]
    faults: tuple[FaultFacts, ...]


FORMAT = 1


def canonical(bundle: Bundle) -> str:
    """The one spelling of a bundle: JSON, keys sorted, no blanks."""
    return msgspec.json.encode(bundle, order="sorted").decode()


def read_bundle(content: str | bytes) -> Bundle:
    """A bundle from its JSON. Raises msgspec.DecodeError where it is none."""
    return msgspec.json.decode(content, type=Bundle)
