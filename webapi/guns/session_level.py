"""What `rules` holds for a gun (`G/session`): its caps are kept, and the limit by hand that somebody set follows them.

These levels are frequent, since reservations move; what a person looks at changes seldom. So a level that says nothing
new about caps is dropped before it costs a transaction.
"""

from datetime import datetime
from decimal import Decimal

import msgspec
from sqlalchemy.orm import Session

from evcs.contracts import topics
from evcs.contracts.envelope import ContractError
from evcs.contracts.session import Held, SessionLevel
from evcs.contracts.states import CapState
from evcs.contracts.topics import Address
from evcs.runtime.log import get_logger
from webapi.database import ROW_LOCK
from webapi.guns.models import Gun
from webapi.guns.power_follow import follow
from webapi.guns.power_models import GunSessionLive
from webapi.orders.evidence_keep import keep_cap
from webapi.orders.models import Order
from webapi.worker.answers import NOTHING, Answers

log = get_logger()

Kept = tuple[object, ...]


def kept_of(level: SessionLevel) -> Kept:
    """What of a level is kept."""
    held = level.held
    return (
        None if held is None else held.serial,
        None if held is None else held.cap_kw,
        "" if held is None else held.bound_by,
        () if held is None else held.caps,
        CapState.NONE if held is None else held.cap_state,
        level.hand_limit_kw,
        level.allowance_sent_kw,
        level.allowance_confirmed_kw,
        level.allowance_refused,
    )


class Sieve:
    """Drops the levels that say what was said before; used by one thread."""

    def __init__(self) -> None:
        self._passed: dict[str, Kept] = {}

    def is_news(self, topic: str, payload: bytes) -> bool:
        """Whether a level has to be looked at; what cannot be read has, so that it is told."""
        if not payload:
            self._passed.pop(topic, None)
            return True
        try:
            kept = kept_of(topics.SESSION.decode(payload))
        except ContractError:
            return True
        if self._passed.get(topic) == kept:
            return False
        self._passed[topic] = kept
        return True


def session_level(session: Session, address: Address, level: SessionLevel, at: datetime) -> Answers:
    """Keep what changed of a gun's caps, by version, and let the newest limit by hand follow it."""
    row = session.get(GunSessionLive, (level.pile, level.gun), with_for_update=ROW_LOCK)
    if row is None:
        if session.get(Gun, (level.pile, level.gun)) is None:
            log.warning("session_of_unknown_gun", pile=level.pile, gun=level.gun)
            return NOTHING
        row = GunSessionLive(pile_number=level.pile, gun_no=level.gun)
        session.add(row)
    elif level.version <= row.version:
        return NOTHING
    held = level.held
    row.version = level.version
    row.serial = None if held is None else held.serial
    row.cap_kw = None if held is None else _watts(held.cap_kw)
    row.bound_by = "" if held is None else held.bound_by[:24]
    row.cap_state = CapState.NONE if held is None else held.cap_state
    row.caps_json = msgspec.json.encode(() if held is None else held.caps).decode()
    row.hand_limit_kw = _watts(level.hand_limit_kw)
    row.allowance_sent_kw = _watts(level.allowance_sent_kw)
    row.allowance_confirmed_kw = _watts(level.allowance_confirmed_kw)
    row.allowance_refused = None if level.allowance_refused is None else level.allowance_refused.value
    row.changed_at = at
    session.flush()
    if held is not None:
        _keep_with_order(session, level.pile, level.gun, held, level.version, at)
    follow(session, row, at=at)
    return NOTHING


def _keep_with_order(session: Session, pile: str, gun: int, held: Held, version: int, at: datetime) -> None:
    """A cap is evidence of the order that it holds."""
    order = session.get(Order, held.serial)
    if order is not None and (order.pile_number, order.gun_no) == (pile, gun):
        keep_cap(session, order, held, version=version, at=at)


def session_cleared(session: Session, address: Address, at: datetime) -> None:
    """Its topic stands empty: the engine does not have this gun any more."""
    row = session.get(GunSessionLive, (address.pile, address.gun), with_for_update=ROW_LOCK)
    if row is not None:
        session.delete(row)


def _watts(kw: float | None) -> Decimal | None:
    return None if kw is None else Decimal(str(kw)).quantize(Decimal("0.001"))
