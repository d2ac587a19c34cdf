"""Maintenance from afar: restart, program update, QR prefix."""

from dataclasses import dataclass

from evcs.contracts.pile import FirmwareUpdate, QrPrefix, RunWhen


@dataclass(frozen=True, slots=True)
class RestartAnswered:
    pile: str
    ok: bool
    code: int


@dataclass(frozen=True, slots=True)
class UpdateAnswered:
    """After the attempt, or at once where a maker answers the order: then `ok` only says that it was taken."""

    pile: str
    ok: bool
    code: int
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class QrAnswered:
    """Which code means done varies by maker."""

    pile: str
    code: int


@dataclass(frozen=True, slots=True)
class RestartTold:
    pile: str
    when: RunWhen


@dataclass(frozen=True, slots=True)
class UpdateTold:
    """`kind`: dc or ac; `rated_kw`: the pile's."""

    pile: str
    kind: str
    rated_kw: float
    update: FirmwareUpdate
    when: RunWhen


@dataclass(frozen=True, slots=True)
class QrTold:
    pile: str
    qr: QrPrefix


Said = RestartAnswered | UpdateAnswered | QrAnswered
Told = RestartTold | UpdateTold | QrTold
