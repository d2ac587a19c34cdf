"""What the platform says about an order: its request to the gate, its resume, its stop, its changes. Pure."""

from datetime import datetime, timedelta
from decimal import Decimal

from evcs.contracts import waits
from evcs.contracts.gun import Goal, Joint, JointRole, LeaveQueue, LongerHold, Resume, StartRequest, Stop
from evcs.contracts.order import OrderChange
from evcs.contracts.pile import PileCommand, PileCommandKind
from evcs.contracts.reasons import Reason
from evcs.contracts.states import OrderState
from webapi.orders.models import Order
from webapi.orders.queued import line_of
from webapi.piles.link import Link
from webapi.tariffs.models import TariffVersion

SAYS_WHY = frozenset({OrderState.REFUSED, OrderState.START_FAILED, OrderState.CANCELLED})


def goal_of(order: Order) -> Goal:
    """The order's goal as the contract spells it."""
    return Goal(
        kind=order.goal_kind,
        duration_s=order.goal_duration_s,
        amount_fen=order.goal_amount_fen,
        energy_kwh=order.goal_energy_kwh,
    )


def prices_by_slot(version: TariffVersion) -> tuple[int, ...]:
    """The 48 prices (energy + service) of a version, 0.00001 yuan/kWh."""
    price = {one.band: one.energy_price_e5 + one.service_price_e5 for one in version.prices}
    return tuple(price[band] for band in version.slots)


def _version(order: Order) -> TariffVersion:
    if order.tariff_version is None:
        raise ValueError(f"{order.serial}: an order that asks to start has a tariff version")
    return order.tariff_version


def start_request(order: Order, *, rules_since_ms: int | None = None) -> StartRequest:
    """The request to the gate; the same again for a repetition: it rests on the order's row alone.

    One that waits already brings its place. `rules_since_ms`: the start of `rules` that it answers.
    """
    line = line_of(order)
    version = _version(order)
    if order.request_id is None or order.covered_energy_kwh is None or order.pile_balance_fen is None:
        raise ValueError(f"{order.serial}: an order that asks to start has a request and a hold")
    return StartRequest(
        id=order.request_id,
        serial=order.serial,
        goal=goal_of(order),
        source=order.source,
        tariff_version=version.id,
        balance_fen=order.pile_balance_fen,
        covered_kwh=order.covered_energy_kwh,
        price_e5=prices_by_slot(version),
        may_queue=order.may_queue,
        card=order.card_number,
        printed_card=order.printed_card or "",
        card_request=order.card_request_id,
        joint=joint_of(order),
        queued_since=None if line is None else line.since,
        queue_until=None if line is None else line.until,
        rules_since_ms=rules_since_ms,
        expires_at=request_expiry(order) if line is None else line.until,
    )


def joint_of(order: Order) -> Joint | None:
    """Which gun of a joint charge it is; none: a charge of its own."""
    if order.joint_number is None or order.joint_role is None:
        return None
    return Joint(number=order.joint_number, role=JointRole(order.joint_role))


def request_expiry(order: Order) -> datetime:
    """Until when the gate may still act on the request: no longer than a driver at the pile waits for its answer."""
    return order.request_expires_at or order.requested_at + timedelta(seconds=waits.REQUEST_S)


def longer_hold(order: Order, *, id: str, at: datetime) -> LongerHold:
    """What the order's hold covers now."""
    return LongerHold(
        id=id,
        serial=order.serial,
        covered_kwh=order.covered_energy_kwh or Decimal(0),
        expires_at=at + timedelta(seconds=waits.REQUEST_S),
    )


def refuse_card(
    request_id: str, gun: int, why: Reason, *, id: str, bridge: str, link: str, expires_at: datetime
) -> PileCommand:
    """Nothing will start: the pile's driver is told why (0x32, 0xA2)."""
    return PileCommand(
        id=id,
        bridge=bridge,
        link=link,
        kind=PileCommandKind.REFUSE_CARD,
        expires_at=expires_at,
        gun=gun,
        card_request=request_id,
        reason=why,
    )


def resume(order: Order, *, id: str, rules_since_ms: int, at: datetime) -> Resume:
    """An open order as a `rules` that just started needs it."""
    return Resume(
        id=id,
        rules_since_ms=rules_since_ms,
        serial=order.serial,
        goal=goal_of(order),
        covered_kwh=order.covered_energy_kwh or Decimal(0),
        price_e5=prices_by_slot(_version(order)),
        charging_since=order.started_at,
        cap_kw=None if order.cap_kw is None else float(order.cap_kw),
        expires_at=at + timedelta(seconds=waits.UNSTARTED_SESSION_S),
    )


def leave_queue(order: Order, *, id: str, at: datetime) -> LeaveQueue:
    """Nobody waits any more."""
    return LeaveQueue(id=id, serial=order.serial, expires_at=at + timedelta(seconds=waits.REQUEST_S))


def stop(serial: str, *, id: str, link: Link, why: Reason, at: datetime) -> Stop:
    """End a charge; it may arrive until the next one is due."""
    return Stop(
        id=id,
        bridge=link.bridge,
        link=link.link,
        serial=serial,
        why=why,
        expires_at=at + timedelta(seconds=waits.STOP_ANSWER_S),
    )


def order_change(order: Order, *, at: datetime) -> OrderChange:
    """The order's state with its figures; its id and version come from the row, so that a repetition is the same."""
    billed = order.settled_at is not None
    return OrderChange(
        id=f"{order.serial}-{order.version}",
        version=order.version,
        serial=order.serial,
        station=order.station_code,
        pile=order.pile_number,
        gun=order.gun_no,
        state=order.state,
        goal=goal_of(order),
        at=at,
        reason=Reason(order.refusal_code) if order.refusal_code and order.state in SAYS_WHY else None,
        energy_kwh=order.energy_kwh if billed else order.last_mark_energy_kwh,
        total_fen=order.total_fen if billed else None,
        provisional=order.provisional,
    )
