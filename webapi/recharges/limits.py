"""What one person may put on wallets by hand: so much alone, so much in a day."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evcs.contracts.times import BEIJING
from webapi.database import ROW_LOCK
from webapi.recharges.models import Recharge, RechargeRequest, RequestState
from webapi.users.models import User


@dataclass(frozen=True, slots=True)
class RechargeLimits:
    """Amounts in fen. `alone_fen`: above it a second person approves, within `approval_h` hours.

    `day_fen`: what one person may recharge or ask for in a Beijing day, whoever approves it.
    """

    alone_fen: int = 500_000
    day_fen: int = 5_000_000
    approval_h: int = 24

    def needs_second(self, amount_fen: int) -> bool:
        """Whether one person alone may not do it."""
        return amount_fen > self.alone_fen


def left_today(session: Session, limits: RechargeLimits, user_id: int, by: str, *, at: datetime) -> int:
    """What the user may still recharge or ask for today, in fen.

    Locks the user's row until the commit, so that two recharges at once cannot both use the rest. What is rejected or
    has expired does not count.
    """
    session.get_one(User, user_id, with_for_update=ROW_LOCK)
    begin = at.astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    end = begin + timedelta(days=1)
    asked_for = select(RechargeRequest.recharge_id).where(
        RechargeRequest.asked_by == by, RechargeRequest.asked_at < begin, RechargeRequest.recharge_id.is_not(None)
    )
    done = session.scalar(
        select(func.coalesce(func.sum(Recharge.amount_fen), 0)).where(
            Recharge.created_by == by,
            Recharge.channel == "manual",
            Recharge.paid_at >= begin,
            Recharge.paid_at < end,
            Recharge.id.not_in(asked_for),
        )
    )
    waiting = session.scalar(
        select(func.coalesce(func.sum(RechargeRequest.amount_fen), 0)).where(
            RechargeRequest.asked_by == by,
            RechargeRequest.state == RequestState.WAITING,
            RechargeRequest.asked_at >= begin,
            RechargeRequest.asked_at < end,
            RechargeRequest.expires_at > at,
        )
    )
    return max(0, limits.day_fen - int(done or 0) - int(waiting or 0))
