"""What a fleet has said and heard, in figures."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counts:
    """Since the process began, over all its piles."""

    sent: int = 0
    received: int = 0
    logins: int = 0
    connections: int = 0
