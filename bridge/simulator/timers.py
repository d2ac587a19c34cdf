"""Deadlines of a simulated pile by name: set, cancelled, and fired in order when time is told."""

from collections.abc import Callable, Hashable

Work = Callable[[int], None]


class Timers:
    """At most one deadline per key; setting a key again replaces it. Time is milliseconds of the caller's clock."""

    def __init__(self) -> None:
        self._due: dict[Hashable, tuple[int, int, Work]] = {}
        self._made = 0

    def set(self, key: Hashable, due_ms: int, work: Work) -> None:
        """Do `work` once at `due_ms`."""
        self._made += 1
        self._due[key] = (due_ms, self._made, work)

    def cancel(self, key: Hashable) -> None:
        """Forget a deadline; one that does not exist is fine."""
        self._due.pop(key, None)

    def holds(self, key: Hashable) -> bool:
        """Whether a deadline under this key stands."""
        return key in self._due

    def next_ms(self) -> int | None:
        """When the next deadline is; None when there is none."""
        return min((due for due, _, _ in self._due.values()), default=None)

    def fire(self, now_ms: int) -> None:
        """Do what is due, earliest first; what this sets anew for the past waits for the next call."""
        for _, made, key in sorted(
            ((due, made, key) for key, (due, made, _) in self._due.items() if due <= now_ms), key=lambda item: item[:2]
        ):
            standing = self._due.get(key)
            if standing is not None and standing[1] == made:
                del self._due[key]
                standing[2](now_ms)
