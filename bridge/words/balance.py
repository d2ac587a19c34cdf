"""The balance that a pile holds for the charge that runs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BalanceAnswered:
    """A refusal comes with its code and words."""

    pile: str
    ok: bool
    code: int
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class BalanceTold:
    """`card`: 物理卡号 that the pile compares with the one that charges; None: it compares nothing."""

    pile: str
    gun: int
    card: str | None
    balance_fen: int


Said = BalanceAnswered
Told = BalanceTold
