"""Energy between two moments: the pile's power shared out among its guns, by half-hour slots of its tariff. Pure."""

from collections.abc import Callable

from bridge.simulator.biller import slot_end_ms
from bridge.simulator.core import Core
from bridge.simulator.gun import Gun

Ended = Callable[[Gun, int, int], None]
"""Gun, stop reason, when."""


def share_out(limit_w: int, wanted_w: list[int]) -> list[int]:
    """Fair split of the pile's power: nobody gets more than it wants, what one leaves the others may draw. W."""
    given = [0] * len(wanted_w)
    left = limit_w
    for rank, index in enumerate(sorted(range(len(wanted_w)), key=lambda place: wanted_w[place])):
        given[index] = min(wanted_w[index], left // (len(wanted_w) - rank))
        left -= given[index]
    return given


class Flow:
    """Lets current flow up to the time that is told."""

    def __init__(self, core: Core, ended: Ended) -> None:
        self._core = core
        self._ended = ended
        self._flowed_ms = 0
        self._step_ms = max(1, round(core.options.step_s * 1000))

    def begin(self, now_ms: int) -> None:
        """Nothing flowed before this."""
        self._flowed_ms = now_ms

    def advance(self, now_ms: int) -> None:
        """Let it flow until `now_ms`; what ends on the way ends at its own moment."""
        core = self._core
        at = self._flowed_ms
        while at < now_ms:
            drawing = [gun for gun in core.guns.values() if gun.is_drawing]
            if not drawing:
                break
            pile_ms = core.pile_ms(at)
            to = min(now_ms, at + self._step_ms, at + slot_end_ms(pile_ms) - pile_ms)
            # A car that takes two guns draws half from each.
            on_car = [1 if len(drawing) == 1 else sum(other.car is gun.car for other in drawing) for gun in drawing]
            wanted = [gun.wanted_w(at, core.options.stop_s, n) for gun, n in zip(drawing, on_car, strict=True)]
            shares = share_out(core.limit_w, wanted)
            for gun, watts, guns_on_car in zip(drawing, shares, on_car, strict=True):
                session = gun.session
                if session is None:
                    continue
                band = session.tally.tariff.band_at(pile_ms)
                ended = gun.flow(watts, to - at, band, core.options.energy_factor, guns_on_car)
                if ended is not None:
                    self._ended(gun, session.stop_reason or ended, to)
            at = to
        self._flowed_ms = max(now_ms, self._flowed_ms)
