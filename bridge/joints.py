"""Pure: which guns of one pile are being started together on one car (并充); one refusal ends all of them."""

from collections.abc import Callable

from bridge.moment import Moment

Cancel = Callable[[str, Moment], None]
"""Ends the start of this serial, or the question of this id, because its companion was refused."""


class Joints:
    """What is under way under a joint number: questions at the pile, and starts written that do not charge yet.

    The pile starts only when all guns are confirmed.

    Source: YKC V1.6 0xA2 ("one refusal cancels all"), 0xA3 ("the same result for all").
    """

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[str, dict[str, Cancel]] = {}

    @property
    def under_way(self) -> int:
        """How many joint charges are under way."""
        return len(self._waiting)

    def joined(self, number: str, key: str, cancel: Cancel) -> None:
        """A question, or a start that was written, belongs to this joint charge."""
        self._waiting.setdefault(number, {})[key] = cancel

    def over(self, number: str, key: str) -> None:
        """The question was answered or is nobody's; the start charges, or came to nothing without a refusal."""
        waiting = self._waiting.get(number)
        if waiting is not None:
            waiting.pop(key, None)
            if not waiting:
                del self._waiting[number]

    def refused(self, number: str, now: Moment) -> None:
        """The pile knows that one gun of this joint charge may not start: it starts none."""
        for key, cancel in self._waiting.pop(number, {}).items():
            cancel(key, now)
