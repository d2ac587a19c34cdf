"""What the tests of the runtime share: brokers of both kinds, peers of both kinds."""

from collections.abc import AsyncIterator

import pytest

from tests.evcs.runtime.peers import Peers
from tests.servers import broker, brokers

__all__ = ["broker", "brokers"]


@pytest.fixture(params=["async", "sync"])
async def peers(request: pytest.FixtureRequest) -> AsyncIterator[Peers]:
    """Makes sessions of one kind, once for each kind; what is still up after the test is stopped."""
    made = Peers(request.param)
    yield made
    await made.stop()


@pytest.fixture
async def async_peers() -> AsyncIterator[Peers]:
    """Only the asyncio kind, for what both kinds share by construction."""
    made = Peers("async")
    yield made
    await made.stop()
