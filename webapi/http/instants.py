"""Which instants a request may name: those that every database keeps and every zone can show."""

from datetime import datetime

FIRST_YEAR, LAST_YEAR = 2000, 2200


def check_year(instant: datetime) -> None:
    """Raise ValueError for a year that no row can have."""
    if not FIRST_YEAR <= instant.year <= LAST_YEAR:
        raise ValueError(f"year {instant.year} is not in {FIRST_YEAR}…{LAST_YEAR}")
