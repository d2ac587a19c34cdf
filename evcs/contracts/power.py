"""Power quantities that several payloads share."""

from decimal import Decimal
from typing import Annotated

import msgspec

from evcs.contracts.states import Scope

Kw = Annotated[float, msgspec.Meta(ge=0, description="kW")]
Kwh = Annotated[Decimal, msgspec.Meta(description="kWh, exact to 0.0001")]
Pct = Annotated[float, msgspec.Meta(description="% of rated")]


class PowerControl(msgspec.Struct, frozen=True, kw_only=True):
    """How a pile's protocol can cap power: for what, in which unit, within which limits.

    YKC 0x52: scope pile, whole percent of the pile's rated power, 30–100.
    """

    scope: Scope
    unit: str
    least: int
    most: int
