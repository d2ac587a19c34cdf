"""The energy that a hold covers runs low: lengthen it from what is available, and tell gate and pile.

`rules` says `hold_low` at nine tenths or a minute before, again every 30 s, and stops by itself when the covered energy
is drawn; the pile stops by its own balance. So where nothing can be added nothing is done: what is held is the driver's
to use up, and a recharge before its end still counts. A repetition that names less than the hold covers means that the
gate did not hear of it.
"""

from datetime import datetime
from decimal import ROUND_UP, Decimal

from sqlalchemy.orm import Session

from evcs.contracts.gun import Verdict
from evcs.contracts.states import GoalKind, OrderState
from evcs.runtime.log import get_logger
from webapi.guns.models import Gun
from webapi.ledger.holds import covered_kwh, lengthen_hold, lock_hold, size_extension
from webapi.ledger.models import HoldState
from webapi.ledger.post import lock_wallet
from webapi.orders.advance import publish_longer_hold
from webapi.orders.models import Order
from webapi.orders.reckon import FREE_OVERSHOOT_KWH
from webapi.tariffs.queries import price_table

log = get_logger()

WORKER = "worker"


def hold_low(session: Session, order: Order, said: Verdict, *, at: datetime) -> None:
    """Answer `hold_low` of an order that the caller has locked; one that does not charge or shall end is left alone."""
    if order.state is not OrderState.CHARGING or order.covered_energy_kwh is None or order.tariff_version_id is None:
        return
    if said.covered_kwh is not None and said.covered_kwh < order.covered_energy_kwh:
        log.info("longer_hold_repeated", serial=order.serial, covered_kwh=order.covered_energy_kwh)
        publish_longer_hold(session, order, at=at)
        return
    if _needs_no_more(order):
        log.info("hold_low_at_goal", serial=order.serial, covered_kwh=order.covered_energy_kwh)
        return
    dearest_e5 = price_table(session, order.tariff_version_id).dearest_e5
    extra_fen = _extra(session, order, dearest_e5)
    if extra_fen == 0:
        log.info("hold_cannot_grow", serial=order.serial, covered_kwh=order.covered_energy_kwh)
        return
    hold = lengthen_hold(session, order, extra_fen, at=at, by=WORKER)
    order.covered_energy_kwh = covered_kwh(hold.placed_fen, dearest_e5)
    order.pile_balance_fen = hold.placed_fen
    log.info("hold_lengthened", serial=order.serial, extra_fen=extra_fen, hold_fen=hold.placed_fen)
    publish_longer_hold(session, order, at=at)


def _needs_no_more(order: Order) -> bool:
    """Whether the goal ends the charge within what is held: an amount is held whole, an energy may be covered."""
    if order.goal_kind is GoalKind.AMOUNT:
        return True
    goal_kwh = order.goal_energy_kwh
    return goal_kwh is not None and (order.covered_energy_kwh or Decimal(0)) >= goal_kwh + FREE_OVERSHOOT_KWH


def _extra(session: Session, order: Order, dearest_e5: int) -> int:
    """How much can be added; the wallet stays locked, so that two charges of a customer cannot add the same fen."""
    if order.customer_id is None or order.customer is None or order.customer.blocked_at is not None:
        return 0
    wallet = lock_wallet(session, order.customer_id)
    hold = lock_hold(session, order.serial)
    if hold is None or hold.state is not HoldState.OPEN:
        return 0
    needed_fen = None
    if order.goal_energy_kwh is not None:
        whole_e5 = (order.goal_energy_kwh + FREE_OVERSHOOT_KWH) * dearest_e5
        whole_fen = int((whole_e5 / 1000).to_integral_value(rounding=ROUND_UP))
        needed_fen = max(0, whole_fen - hold.placed_fen)
    return size_extension(
        available_fen=wallet.available_fen,
        rated_kw=session.get_one(Gun, (order.pile_number, order.gun_no)).rated_kw,
        dearest_e5=dearest_e5,
        most_needed_fen=needed_fen,
    )
