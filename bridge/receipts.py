"""Pure: receipt numbers per leaf of one pile, and ids of what is published but once."""

from hashlib import blake2b

from evcs.contracts.envelope import Receipt
from evcs.contracts.pile import LeafCount

HOUR_MS = 3_600_000


class Receipts:
    """Counts what one run of a bridge publishes for one pile, leaf by leaf, so that every gap has a name (P7)."""

    __slots__ = ("_bridge", "_closed", "_counts", "_pile", "_started_ms")

    def __init__(self, bridge: str, started_ms: int, pile: str) -> None:
        self._bridge = bridge
        self._started_ms = started_ms
        self._pile = pile
        self._counts: dict[str, int] = {}
        self._closed: dict[str, int] = {}

    def next(self, leaf: str) -> Receipt:
        """The next number of a leaf, from 1."""
        n = self._counts.get(leaf, 0) + 1
        self._counts[leaf] = n
        return Receipt(bridge=self._bridge, started_ms=self._started_ms, n=n)

    def message_id(self, receipt: Receipt, leaf: str) -> str:
        """An id that no other message bears, the same for each repetition of this one."""
        text = f"{receipt.bridge}|{receipt.started_ms}|{self._pile}|{leaf}|{receipt.n}"
        return f"{leaf}-{blake2b(text.encode(), digest_size=12).hexdigest()}"

    def close_hour(self) -> tuple[LeafCount, ...]:
        """What was given out since the last call, by leaf; leaves without anything are left out."""
        counts = tuple(
            LeafCount(leaf=leaf, first=self._closed.get(leaf, 0) + 1, last=last)
            for leaf, last in sorted(self._counts.items())
            if last > self._closed.get(leaf, 0)
        )
        self._closed = dict(self._counts)
        return counts


def hour_of(wall_ms: int) -> int:
    """Beginning of the hour of a wall time, ms."""
    return wall_ms - wall_ms % HOUR_MS
