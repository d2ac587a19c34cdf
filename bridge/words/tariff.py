"""Which tariff a pile holds, asks for and is given."""

from dataclasses import dataclass

from evcs.contracts.config import TariffTable


@dataclass(frozen=True, slots=True)
class TariffChecked:
    """The pile names the tariff model that it has and asks whether it is the right one."""

    pile: str
    model_no: str


@dataclass(frozen=True, slots=True)
class TariffAsked:
    pile: str


@dataclass(frozen=True, slots=True)
class TariffAnswer:
    pile: str
    model_no: str
    same: bool


@dataclass(frozen=True, slots=True)
class TariffTold:
    pile: str
    table: TariffTable


Said = TariffChecked | TariffAsked
Told = TariffAnswer | TariffTold
