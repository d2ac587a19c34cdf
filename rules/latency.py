"""How far ahead of its goal a pile has to be stopped: what it has shown, else what others of its kind have."""

from statistics import median

from rules.goals import FIRST_LATENCY_S
from rules.station import Pile, Station


def stop_lead_s(station: Station, pile: Pile) -> float:
    """Seconds from a stop to no current; of a pile never stopped yet the median of those like it at its station.

    At least the usual: quick neighbours are no reason to lead a pile by less that nobody knows.
    """
    if pile.latency.known_s is not None or pile.limits is None:
        return pile.latency.expected_s
    kind = (pile.limits.maker, pile.limits.model, pile.limits.rated_kw)
    alike = [
        other.latency.expected_s
        for other in station.piles.values()
        if other.latency.known_s is not None
        and other.limits is not None
        and (other.limits.maker, other.limits.model, other.limits.rated_kw) == kind
    ]
    return max(FIRST_LATENCY_S, median(alike)) if alike else FIRST_LATENCY_S
