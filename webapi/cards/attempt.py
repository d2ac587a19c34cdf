"""What is kept of a driver's request at a pile."""

from datetime import datetime

import msgspec

from evcs.contracts.gun import CardMode, CardRequest, GunEvent
from evcs.contracts.topics import Address
from webapi.cards.models import CardAttempt
from webapi.cards.numbers import NO_CARD, is_vin
from webapi.piles.models import Pile
from webapi.refusals import Refusal


class KeptFigure(msgspec.Struct, frozen=True):
    """A figure of a refusal's sentence, as it is kept."""

    name: str
    value: str


def attempt_row(
    pile: Pile,
    address: Address,
    event: GunEvent,
    asked: CardRequest,
    at: datetime,
    *,
    customer_id: int | None,
    serial: str | None = None,
    refusal: Refusal | None = None,
) -> CardAttempt:
    """The row of a request: an order was made of it, or why none; never its password."""
    figures = () if refusal is None else tuple(KeptFigure(one.name, one.value) for one in refusal.figures)
    return CardAttempt(
        request_id=event.id,
        tenant_id=pile.station.tenant_id,
        station_code=pile.station_code,
        pile_number=pile.number,
        gun_no=address.gun,
        at=at,
        mode=mode_of(asked),
        card=None if asked.card == NO_CARD else asked.card,
        vin=asked.vin if is_vin(asked.vin) else None,
        joint_number=None if asked.joint is None else asked.joint.number,
        customer_id=customer_id,
        order_serial=serial,
        reason=None if refusal is None else refusal.reason.value,
        figures_json=msgspec.json.encode(figures).decode() if figures else None,
    )


def mode_of(asked: CardRequest) -> str:
    """How it was asked, as it is kept: a mode that we do not know stays its number."""
    return asked.mode.value if isinstance(asked.mode, CardMode) else str(asked.mode)
