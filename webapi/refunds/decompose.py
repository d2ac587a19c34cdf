"""A balance withdrawal (余额退款) cut into refunds of the recharges it came from; nothing is moved here.

Only principal is paid out. Of the recharges the oldest that its channel still refunds goes first, because the others
can wait; what no channel takes back any more goes by hand, which two persons approve. A gift that came with a recharge
is taken back in the proportion in which that recharge is withdrawn.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class ChannelLimits:
    """What a channel still refunds: for so many days from the payment, in so many parts, so many seconds apart."""

    days: int
    parts: int
    apart_s: int


LIMITS: Mapping[str, ChannelLimits] = {"wechat": ChannelLimits(days=365, parts=50, apart_s=60)}
"""WeChat Pay v3, 申请退款: within a year of the payment, 50 partial refunds of one payment, a minute between them.

A channel that does not stand here refunds nothing by itself (manual): its money goes by hand.
"""


@dataclass(frozen=True, slots=True)
class Refundable:
    """A recharge with what was refunded of it, or is on its way, in fen. `parts`: how many refunds of it there are."""

    recharge_id: int
    channel: str
    paid_at: datetime
    amount_fen: int
    refunded_fen: int = 0
    parts: int = 0
    last_part_at: datetime | None = None
    gift_fen: int = 0
    gift_taken_back_fen: int = 0

    @property
    def rest_fen(self) -> int:
        """What of it can be refunded at most."""
        return self.amount_fen - self.refunded_fen


@dataclass(frozen=True, slots=True)
class Part:
    """A refund of one recharge, in fen; sent to the channel not before `not_before`, or paid by hand."""

    recharge_id: int
    channel: str
    amount_fen: int
    gift_back_fen: int
    by_hand: bool
    not_before: datetime


@dataclass(frozen=True, slots=True)
class NotRefundable:
    """So much cannot be paid out: it never came in by a recharge. In fen."""

    missing_fen: int


def decompose(
    amount_fen: int,
    recharges: Sequence[Refundable],
    *,
    at: datetime,
    limits: Mapping[str, ChannelLimits] = LIMITS,
) -> tuple[Part, ...] | NotRefundable:
    """Cut a withdrawal into parts, one recharge each: by channel first, then by hand, in both the oldest first.

    Amount in fen, above 0. What is asked for is within the principal of the wallet; the caller sees to that.
    """
    if amount_fen <= 0:
        raise ValueError(f"a withdrawal of {amount_fen} fen")
    oldest_first = sorted(recharges, key=lambda one: (one.paid_at, one.recharge_id))
    by_channel = [one for one in oldest_first if _channel_takes(one, at, limits)]
    by_hand = [one for one in oldest_first if not _channel_takes(one, at, limits)]
    parts: list[Part] = []
    left_fen = amount_fen
    for one in (*by_channel, *by_hand):
        take_fen = min(left_fen, one.rest_fen)
        if take_fen <= 0:
            continue
        limit = limits.get(one.channel) if _channel_takes(one, at, limits) else None
        parts.append(
            Part(
                recharge_id=one.recharge_id,
                channel=one.channel,
                amount_fen=take_fen,
                gift_back_fen=gift_back(one, take_fen),
                by_hand=limit is None,
                not_before=at if limit is None else _not_before(one, limit, at),
            )
        )
        left_fen -= take_fen
    return NotRefundable(left_fen) if left_fen else tuple(parts)


def gift_back(one: Refundable, take_fen: int) -> int:
    """What of a recharge's gift goes when so much of it is withdrawn, in fen, rounded down but for its last part.

    Reckoned from the whole that is withdrawn by then, so that many small withdrawals take back as much as one.
    """
    due_fen = one.gift_fen * (one.refunded_fen + take_fen) // one.amount_fen
    return max(0, due_fen - one.gift_taken_back_fen)


def refund_number(request_id: int, part: int) -> str:
    """The number of a refund at its channel: the same for the same part for ever, so that it is never paid twice.

    64 characters at most and only letters and digits (WeChat Pay v3, out_refund_no).
    """
    return "r" + hashlib.sha256(f"refund {request_id} {part}".encode()).hexdigest()[:31]


def _channel_takes(one: Refundable, at: datetime, limits: Mapping[str, ChannelLimits]) -> bool:
    limit = limits.get(one.channel)
    return limit is not None and one.parts < limit.parts and at < one.paid_at + timedelta(days=limit.days)


def _not_before(one: Refundable, limit: ChannelLimits, at: datetime) -> datetime:
    if one.last_part_at is None:
        return at
    return max(at, one.last_part_at + timedelta(seconds=limit.apart_s))
