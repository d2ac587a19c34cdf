"""One meter over Modbus TCP: connect, read its blocks, close. The only place that knows pymodbus."""

import logging
from collections.abc import Mapping, Sequence

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from bridge.errors import BridgeError
from bridge.meter.config import Meter
from bridge.meter.registers import Block

# Every timeout is an error line of its own there; here it is told once.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)


class MeterAway(BridgeError):
    """No connection, no answer in time, or one that is not understood: connect anew."""


class MeterRefuses(BridgeError):
    """The meter answers with a Modbus exception: the connection is good, map or unit is not."""


class Line:
    """A connection to one meter. One request at a time, each answered within `timeout_s`."""

    def __init__(self, meter: Meter, timeout_s: float) -> None:
        self._meter = meter
        self._timeout_s = timeout_s
        self._client: AsyncModbusTcpClient | None = None

    async def read(self, blocks: Sequence[Block]) -> Mapping[Block, Sequence[int]]:
        """All blocks, connecting first where needed. Raises MeterAway (then it is closed) or MeterRefuses."""
        try:
            client = await self._connected()
            return {block: await self._block(client, block) for block in blocks}
        except (ModbusException, OSError) as error:
            # A late answer must not be taken for that of the next request.
            self.close()
            raise MeterAway(str(error)) from error
        except MeterAway:
            self.close()
            raise

    def close(self) -> None:
        """Give the connection back; the next read makes a new one."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    async def _connected(self) -> AsyncModbusTcpClient:
        if self._client is not None and self._client.connected:
            return self._client
        self.close()
        client = AsyncModbusTcpClient(
            self._meter.host, port=self._meter.port, timeout=self._timeout_s, retries=0, reconnect_delay=0
        )
        self._client = client
        if not await client.connect():
            raise MeterAway(f"no connection to {self._meter.host}:{self._meter.port}")
        return client

    async def _block(self, client: AsyncModbusTcpClient, block: Block) -> Sequence[int]:
        ask = client.read_holding_registers if block.function == 3 else client.read_input_registers
        answer = await ask(block.address, count=block.count, device_id=self._meter.unit)
        if answer.isError():
            raise MeterRefuses(f"registers {block.address}+{block.count}, function {block.function}: {answer}")
        if len(answer.registers) != block.count:
            raise MeterAway(f"{len(answer.registers)} registers instead of {block.count}")
        return answer.registers
