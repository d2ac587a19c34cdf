"""What is asked of a payment channel: a refund under a number of ours, and what became of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """A refund to be made, amounts in fen. The same `out_refund_no` again is the same refund, never a second one."""

    out_refund_no: str
    channel: str
    channel_payment_no: str
    """The channel's own number of the payment that is refunded."""
    amount_fen: int
    total_fen: int
    """What was paid in that payment."""
    reason: str


class RefundAnswered(StrEnum):
    """`accepted`: on its way. `unknown`: it cannot be said whether the channel has it."""

    ACCEPTED = "accepted"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RefundAnswer:
    """What a channel says of a refund; `why` in its own words."""

    state: RefundAnswered
    channel_refund_no: str | None = None
    why: str | None = None


class Gateway(Protocol):
    """One channel. A call that ends in an exception says nothing: the refund counts as unknown and is asked for."""

    def refund(self, order: RefundOrder) -> RefundAnswer:
        """Ask the channel to pay back; may be repeated with the same number."""

    def query_refund(self, out_refund_no: str) -> RefundAnswer | None:
        """What became of a refund; None: the channel has never heard of it, and it is sent again under its number."""
