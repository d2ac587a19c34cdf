"""Many sleepers, one timer."""

import asyncio

from bridge.simulator.wheel import Wheel


class Sleeper:
    """Notes when it was woken."""

    def __init__(self) -> None:
        self.woken: list[float] = []
        self.once = asyncio.Event()
        self.wake = self._wake

    def _wake(self) -> None:
        self.woken.append(asyncio.get_running_loop().time())
        self.once.set()


async def test_each_is_woken_once_at_its_last_time_and_not_before() -> None:
    wheel, sleepers, began = Wheel(), [Sleeper() for _ in range(50)], asyncio.get_running_loop().time()
    for index, sleeper in enumerate(sleepers):
        wheel.set(sleeper.wake, 5)
        wheel.set(sleeper.wake, 0.02 + index / 1000)
    wheel.cancel(sleepers[0].wake)
    wheel.set(sleepers[1].wake, 0.1)  # later than before
    for sleeper in sleepers[1:]:
        await asyncio.wait_for(sleeper.once.wait(), 5)
    assert sleepers[0].woken == []
    for index, sleeper in enumerate(sleepers[2:], 2):
        assert len(sleeper.woken) == 1
        assert sleeper.woken[0] - began >= 0.02 + index / 1000
    assert sleepers[1].woken[0] - began >= 0.1


async def test_who_is_woken_may_sleep_again() -> None:
    wheel, done, left = Wheel(), asyncio.Event(), [5]

    def wake() -> None:
        left[0] -= 1
        if left[0]:
            wheel.set(wake, 0.01)
        else:
            done.set()

    wheel.set(wake, 0)
    await asyncio.wait_for(done.wait(), 5)
    assert left == [0]
