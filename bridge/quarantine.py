"""Unknown piles: their number, address and first frames, bounded per address and in total, told at a bounded rate."""

from collections import OrderedDict, deque

from bridge.moment import Moment
from evcs.contracts.bridge import UnknownPile

PER_ADDRESS = 8
"""Numbers that one address may bring in; further ones are counted only."""
IN_TOTAL = 1000
AGAIN_S = 60.0
"""A number is told again at the earliest after this."""
PER_MINUTE = 60
"""Messages of all addresses together."""
FRAME_BYTES = 259


class Quarantine:
    """Decides which unknown pile is worth a message; whoever floods it is only counted."""

    def __init__(self) -> None:
        self.untold = 0
        self._told: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._by_address: dict[str, int] = {}
        self._minute: deque[float] = deque()

    def __len__(self) -> int:
        return len(self._told)

    def take(
        self, number: str, address: str, reason: str, frames: tuple[bytes, ...], now: Moment
    ) -> UnknownPile | None:
        """The message about an unknown pile, or None where it was told lately or too much is told already."""
        key = (address, number)
        last = self._told.get(key)
        while self._minute and self._minute[0] <= now.mono - 60.0:
            self._minute.popleft()
        if (
            (last is not None and now.mono - last < AGAIN_S)
            or len(self._minute) >= PER_MINUTE
            or (last is None and self._by_address.get(address, 0) >= PER_ADDRESS)
        ):
            self.untold += 1
            return None
        if last is None:
            self._by_address[address] = self._by_address.get(address, 0) + 1
        self._told[key] = now.mono
        self._told.move_to_end(key)
        self._minute.append(now.mono)
        while len(self._told) > IN_TOTAL:
            self._forget_oldest()
        return UnknownPile(
            number=number,
            address=address,
            reason=reason,
            frames_hex=tuple(frame[:FRAME_BYTES].hex() for frame in frames),
            received_at=now.at,
        )

    def _forget_oldest(self) -> None:
        (address, _), _ = self._told.popitem(last=False)
        left = self._by_address[address] - 1
        if left:
            self._by_address[address] = left
        else:
            del self._by_address[address]
