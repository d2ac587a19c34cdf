"""How long a child that died has to wait before it is started again."""

LONGEST_S = 30.0
# A child that ran this long has shown that it can: its next death counts as the first.
SETTLED_S = 60.0


def delay_s(deaths: int) -> float:
    """Seconds to wait after the n-th death in a row (from 1): 1, 2, 4, 8, 16, then 30."""
    return float(min(2 ** (min(deaths, 6) - 1), LONGEST_S))


def deaths_in_a_row(before: int, lived_s: float) -> int:
    """Count one more death of a child that had died `before` times in a row and has now lived `lived_s` seconds."""
    return 1 if lived_s >= SETTLED_S else before + 1
