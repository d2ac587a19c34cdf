"""Which tariff a pile holds, asks for, is given and is pushed."""

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
class TariffPushAnswered:
    pile: str
    ok: bool
    code: int


@dataclass(frozen=True, slots=True)
class TariffAnswer:
    pile: str
    model_no: str
    same: bool


@dataclass(frozen=True, slots=True)
class TariffTold:
    """The table in answer to the pile's question."""

    pile: str
    table: TariffTable


@dataclass(frozen=True, slots=True)
class TariffPushed:
    """The table unasked."""

    pile: str
    table: TariffTable


Said = TariffChecked | TariffAsked | TariffPushAnswered
Told = TariffAnswer | TariffTold | TariffPushed
