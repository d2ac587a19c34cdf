"""What `rules` holds for each configured gun, also when idle."""

from typing import Annotated

import msgspec

from evcs.contracts.envelope import Payload
from evcs.contracts.gun import Goal
from evcs.contracts.ids import GunNumber, PileNumber, Serial
from evcs.contracts.power import Kw, Kwh
from evcs.contracts.reasons import Reason
from evcs.contracts.states import CapState
from evcs.contracts.times import Instant


class HeldCap(msgspec.Struct, frozen=True, kw_only=True):
    """One cap of a session."""

    source: str
    """Who set it: transformer, hand, overload, sharing, feeder, protection."""
    cap_kw: Kw


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """An admitted session and the power that is planned for it."""

    serial: Serial
    goal: Goal
    covered_kwh: Kwh
    price_e5: tuple[int, ...] = ()
    reserved_kw: Kw
    """What it is expected to draw beyond what it draws (output side of the gun, before efficiency)."""
    cap_kw: Kw | None = None
    bound_by: str = ""
    """Who binds the cap: transformer, hand, pile_floor, overload, sharing, feeder, protection."""
    caps: tuple[HeldCap, ...] = ()
    """Every cap of the session, the lowest first; an older edition says only the lowest."""
    cap_state: CapState = CapState.NONE
    admitted_at: Instant
    start_id: str = ""
    request_id: str = ""


class SessionLevel(Payload, frozen=True, kw_only=True):
    """`G/session`: retained, for every configured gun."""

    version: Annotated[int, msgspec.Meta(ge=0)]
    pile: PileNumber
    gun: GunNumber
    held: Held | None = None
    """None: no session."""
    allowance_sent_kw: Kw | None = None
    """Of the power scope (the pile), last sent; None: never capped."""
    allowance_confirmed_kw: Kw | None = None
    allowance_refused: Reason | None = None
    """Why the pile did not take what was last sent; None: it did, or the answer is still awaited."""
    hand_limit_kw: Kw | None = None
    """The limit by hand that is heeded for the gun; None: none."""
    stop_latency_s: Annotated[float, msgspec.Meta(ge=0)] | None = None
    """Seconds from a stop to current zero that this pile has shown, median; None: not seen yet."""
