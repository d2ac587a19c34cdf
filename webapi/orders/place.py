"""Placing an order: checks, serial, hold, row and request in one transaction.

`place_order(session, PlaceOrder(...), at=clock.now()) -> Order | Refusal`: the caller commits; a refusal changed
nothing. The request leaves through the outbox after the commit, the rest is the worker's. Whether the gun is ready, the
pile online and the transformer free is the gate's decision alone, seen as the order's state `refused`.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts.gun import Goal, Joint
from evcs.contracts.reasons import Reason
from evcs.contracts.states import OPEN_ORDER, OrderState, StartSource
from webapi.customers.models import Customer
from webapi.guns.models import Gun
from webapi.guns.serials import next_serial
from webapi.ledger.holds import HoldRefusal, covered_kwh, place_hold, size_hold
from webapi.ledger.models import Wallet
from webapi.ledger.post import lock_wallet
from webapi.orders import life
from webapi.orders.advance import publish_change, publish_request
from webapi.orders.models import Order
from webapi.piles.models import Pile
from webapi.refusals import Figure, Refusal, yuan
from webapi.tariffs.models import TariffVersion
from webapi.tariffs.queries import price_table
from webapi.worker.enqueue import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOrder:
    """Who wants to charge where, and until when. `by`: user:7, customer:12 …"""

    customer_id: int
    pile: str
    gun: int
    goal: Goal
    by: str
    source: StartSource = StartSource.APP
    may_queue: bool = False
    at_pile: "AskedAtPile | None" = None
    joint: Joint | None = None
    hold_at_most_fen: int | None = None
    """How much of what is available this order may hold, where the other gun of a joint charge needs its part."""
    past: "Past | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The order was placed long ago: its serial stands, and the version that its pile had confirmed then.

    So the gun as it is now does not count: neither what charges there, nor what its pile has confirmed.
    """

    serial: str
    tariff_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedAtPile:
    """A driver asked at the pile and waits there: how, in which login, and until when."""

    request_id: str
    bridge: str
    bridge_started_ms: int
    link: str
    answer_by: datetime
    card: str | None = None
    printed_card: str = ""
    vin: str | None = None


def place_order(session: Session, wanted: PlaceOrder, *, at: datetime) -> Order | Refusal:
    """Place an order with its hold and request, or say why not.

    The gun's row is locked first, then the wallet: two starts at once can use neither the same gun nor the same fen.
    Raises NoResultFound for a customer or gun that does not exist, is archived, or belongs to another tenant.
    """
    gun = session.scalars(
        select(Gun)
        .where(Gun.pile_number == wanted.pile, Gun.no == wanted.gun, Gun.archived_at.is_(None))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    pile = session.get_one(Pile, wanted.pile, populate_existing=True)
    customer = session.scalars(
        select(Customer).where(
            Customer.id == wanted.customer_id,
            Customer.tenant_id == pile.station.tenant_id,
            Customer.archived_at.is_(None),
        )
    ).one()
    if customer.blocked_at is not None:
        return Refusal(Reason.CUSTOMER_BLOCKED)
    if wanted.past is None and _is_taken(session, gun):
        return Refusal(Reason.GUN_RESERVED_BY_ORDER)
    version_id = pile.confirmed_tariff_version_id if wanted.past is None else wanted.past.tariff_version
    if version_id is None:
        return Refusal(Reason.NO_TARIFF)
    version = session.get_one(TariffVersion, version_id)
    dearest_e5 = price_table(session, version.id).dearest_e5
    hold_fen = _size(lock_wallet(session, customer.id), wanted, gun, dearest_e5)
    if isinstance(hold_fen, Refusal):
        return hold_fen
    order = _row(wanted, customer, pile, gun, version, at)
    order.pile_balance_fen = hold_fen
    order.covered_energy_kwh = covered_kwh(hold_fen, dearest_e5)
    session.add(order)
    session.flush()
    place_hold(session, order, hold_fen, at=at, by=wanted.by)
    publish_request(session, order, at=at)
    publish_change(session, order, at=at)
    session.flush()
    return order


def _is_taken(session: Session, gun: Gun) -> bool:
    """Whether an order still has the gun; one whose end was seen waits only for its record."""
    return (
        session.scalar(
            select(Order.serial)
            .where(
                Order.pile_number == gun.pile_number,
                Order.gun_no == gun.no,
                Order.state.in_(OPEN_ORDER),
                Order.end_observed_at.is_(None),
            )
            .limit(1)
        )
        is not None
    )


def _size(wallet: Wallet, wanted: PlaceOrder, gun: Gun, dearest_e5: int) -> int | Refusal:
    most_fen = wallet.available_fen if wanted.hold_at_most_fen is None else wanted.hold_at_most_fen
    size = size_hold(
        goal_amount_fen=wanted.goal.amount_fen,
        available_fen=min(wallet.available_fen, most_fen),
        debt_fen=wallet.debt_fen,
        rated_kw=gun.rated_kw,
        dearest_e5=dearest_e5,
    )
    if isinstance(size, HoldRefusal):
        figures = (
            ("available_yuan", size.available_fen),
            ("minimum_yuan", size.minimum_fen),
            ("goal_yuan", size.goal_fen),
            ("debt_yuan", size.debt_fen),
        )
        return Refusal(size.reason, tuple(Figure(name, yuan(fen)) for name, fen in figures))
    return size


def _may_queue(wanted: PlaceOrder) -> bool:
    """Only from a wallet: a driver at the pile waits 10 s for its answer, and two guns of a car start together."""
    return wanted.may_queue and wanted.at_pile is None and wanted.joint is None and wanted.past is None


def _row(wanted: PlaceOrder, customer: Customer, pile: Pile, gun: Gun, version: TariffVersion, at: datetime) -> Order:
    asked = wanted.at_pile
    begun = life.begin(at, answer_by=None if asked is None else asked.answer_by)
    return Order(
        serial=next_serial(gun, at=at) if wanted.past is None else wanted.past.serial,
        tenant_id=customer.tenant_id,
        station_code=pile.station_code,
        pile_number=pile.number,
        gun_no=gun.no,
        customer_id=customer.id,
        source=wanted.source,
        created_by=wanted.by,
        goal_kind=wanted.goal.kind,
        goal_duration_s=wanted.goal.duration_s,
        goal_amount_fen=wanted.goal.amount_fen,
        goal_energy_kwh=wanted.goal.energy_kwh,
        may_queue=_may_queue(wanted),
        state=OrderState.HOLDING,
        state_since=at,
        deadline_at=begun.deadline,
        tariff_version=version,
        card_number=None if asked is None else asked.card,
        printed_card=None if asked is None else asked.printed_card,
        card_request_id=None if asked is None else asked.request_id,
        request_expires_at=None if asked is None else asked.answer_by,
        vin=None if asked is None else asked.vin,
        bridge=None if asked is None else asked.bridge,
        bridge_started_ms=None if asked is None else asked.bridge_started_ms,
        link=None if asked is None else asked.link,
        joint_number=None if wanted.joint is None else wanted.joint.number,
        joint_role=None if wanted.joint is None else wanted.joint.role.value,
        requested_at=at,
        request_id=new_id(),
        electricity_fen=0,
        service_fen=0,
        occupancy_fen=0,
        discount_fen=0,
        total_fen=0,
        provisional=False,
    )
