"""What the bridge can be told."""

from pydantic import Field

from evcs.contracts.ids import LEVEL
from evcs.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """`EVCS_…` variables of `python -m bridge`."""

    bridge_id: str = Field("b1", pattern=LEVEL, description="this bridge's code; client id bridge-{id}")
    bridge_host: str = Field("127.0.0.1", description="address on which piles are taken")
    bridge_port: int = Field(8767, ge=0, le=65535, description="port on which piles are taken; 0 = any free one")
    bridge_connections: int = Field(12_000, ge=1, description="connections at most, logged in or not")
    bridge_unlogged_per_address: int = Field(
        1_000, ge=1, description="connections of one address that have not logged in yet, at most"
    )
    bridge_window: int = Field(2_000, ge=1, le=50_000, description="messages in flight to the broker at most")
    bridge_held_telemetry: int = Field(
        20_000, ge=1, description="messages waiting for the broker; beyond it the oldest telemetry is dropped"
    )
    bridge_held_messages: int = Field(
        20_000,
        ge=1,
        description="messages other than telemetry waiting for the broker; then piles are read from no more",
    )
    bridge_services_wait_s: float = Field(
        60.0, ge=0, le=600, description="wait for ingest, rules and worker before piles are taken, s"
    )
