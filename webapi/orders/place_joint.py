"""Placing a joint charge (并充): two guns of a pile on one car, two orders in one transaction, together or not at all.

The goal is the car's, not a gun's: an amount or an energy is halved between the two orders, so that together they
never pass what was asked for; a time and "full" count for each gun. Each order has its own hold and bill.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_UP, Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts.gun import Goal, Joint, JointRole
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GoalKind
from evcs.contracts.times import beijing_digits
from webapi.guns.models import Gun
from webapi.ledger.holds import DEFAULT_TERMS
from webapi.ledger.post import lock_wallet
from webapi.orders.models import Order
from webapi.orders.place import PlaceOrder, place_order
from webapi.refusals import Figure, Refusal, yuan

STEP_KWH = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class JointOrders:
    """The orders of the two guns."""

    main: Order
    auxiliary: Order


def place_joint(session: Session, wanted: PlaceOrder, joint_gun: int, *, at: datetime) -> JointOrders | Refusal:
    """Place the orders of a pile's guns `wanted.gun` (main) and `joint_gun`, or say why not; a refusal changed nothing.

    Both guns are locked before anything else, in their order, so that it waits for nobody who waits for it. Raises
    NoResultFound as `place_order` does.
    """
    session.scalars(
        select(Gun)
        .where(Gun.pile_number == wanted.pile, Gun.no.in_((wanted.gun, joint_gun)))
        .order_by(Gun.no)
        .with_for_update(key_share=True)
    ).all()
    share = share_of_wallet(session, wanted.customer_id, wanted.goal)
    if isinstance(share, Refusal):
        return share
    first, second = split(wanted.goal)
    number = _free_number(session, wanted.pile, at)
    with session.begin_nested() as both:
        main = place_order(
            session,
            replace(wanted, goal=first, joint=Joint(number=number), hold_at_most_fen=share),
            at=at,
        )
        if isinstance(main, Refusal):
            return main
        auxiliary = place_order(
            session,
            replace(wanted, gun=joint_gun, goal=second, joint=Joint(number=number, role=JointRole.AUXILIARY)),
            at=at,
        )
        if isinstance(auxiliary, Refusal):
            both.rollback()
            return auxiliary
    return JointOrders(main, auxiliary)


def share_of_wallet(session: Session, customer_id: int, goal: Goal) -> int | Refusal | None:
    """How much the first gun of a joint charge may hold, so that as much is left for the other; locks the wallet.

    Each gun needs the minimum of a start. None: no limit but its goal. What else speaks against it `place_order` says.
    """
    wallet = lock_wallet(session, customer_id)
    if wallet.debt_fen:
        return None
    seen = Figure("available_yuan", yuan(wallet.available_fen))
    if goal.amount_fen is not None and goal.amount_fen > wallet.available_fen:
        return Refusal(Reason.GOAL_OVER_BALANCE, (seen, Figure("goal_yuan", yuan(goal.amount_fen))))
    minimum_fen = 2 * DEFAULT_TERMS.minimum_fen
    if wallet.available_fen < minimum_fen:
        return Refusal(Reason.BALANCE_TOO_LOW, (seen, Figure("minimum_yuan", yuan(minimum_fen))))
    return None if goal.amount_fen is not None else wallet.available_fen // 2


def split(goal: Goal) -> tuple[Goal, Goal]:
    """The goals of main and auxiliary gun; what cannot be halved goes to the main one."""
    if goal.amount_fen is not None:
        rest = goal.amount_fen // 2
        return _amount(goal.amount_fen - rest), _amount(max(rest, 1))
    if goal.energy_kwh is not None:
        first = (goal.energy_kwh / 2).quantize(STEP_KWH, rounding=ROUND_UP)
        return _energy(first), _energy(max(goal.energy_kwh - first, STEP_KWH))
    return goal, goal


def _amount(fen: int) -> Goal:
    return Goal(kind=GoalKind.AMOUNT, amount_fen=fen)


def _energy(kwh: Decimal) -> Goal:
    return Goal(kind=GoalKind.ENERGY, energy_kwh=kwh)


def _free_number(session: Session, pile: str, at: datetime) -> str:
    """并充序号 (yymmddHHMMSS, YKC V1.6 0xA4 field 7): the second of the order, or the next that this pile has not."""
    number = beijing_digits(at)
    while session.scalar(select(Order.serial).where(Order.pile_number == pile, Order.joint_number == number).limit(1)):
        at += timedelta(seconds=1)
        number = beijing_digits(at)
    return number
