"""Each change of an order's state, for integrators and live pages."""

from typing import Annotated

import msgspec

from evcs.contracts.envelope import Payload
from evcs.contracts.gun import Goal
from evcs.contracts.ids import Code, GunNumber, PileNumber, Serial
from evcs.contracts.power import Kwh
from evcs.contracts.reasons import Reason
from evcs.contracts.states import OrderState
from evcs.contracts.times import Instant


class OrderChange(Payload, frozen=True, kw_only=True):
    """`S/order/{serial}`."""

    id: str
    version: Annotated[int, msgspec.Meta(ge=0)]
    serial: Serial
    station: Code
    pile: PileNumber
    gun: GunNumber
    state: OrderState
    goal: Goal
    at: Instant
    reason: Reason | None = None
    energy_kwh: Kwh | None = None
    total_fen: int | None = None
    provisional: bool = False
