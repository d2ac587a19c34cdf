"""What the proof of the books finds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Broken:
    """A row that breaks a rule; amounts in fen, energies in 0.0001 kWh."""

    rule: str
    where: str
    expected: int
    found: int
