"""What the one-command run can be told, by the same EVCS_… variables that its services read."""

from pathlib import Path

from pydantic import Field

from evcs.runtime.settings import ServiceSettings, variable

ROOT = Path(__file__).resolve().parents[2]

PORT_FIELDS = (
    "mqtt_port",
    "bridge_port",
    "http_port",
    "bridge_health_port",
    "ingest_health_port",
    "rules_health_port",
    "worker_health_port",
    "meter_health_port",
)


class UpSettings(ServiceSettings):
    """Settings of `evcs up`. The ports are uncommon ones, so that a broker or web server at home is not in the way."""

    var: Path = Field(Path("var"), description="folder of all data and logs; a relative one counts from the project")
    mqtt_port: int = Field(18830, ge=1, le=65535, description="port of the broker that the run starts")
    bridge_port: int = Field(18767, ge=1, le=65535, description="port to which piles connect")
    http_port: int = Field(18090, ge=1, le=65535, description="port of the HTTP API")
    bridge_health_port: int = Field(18801, ge=1, le=65535, description="health port of the bridge")
    ingest_health_port: int = Field(18802, ge=1, le=65535, description="health port of ingest")
    rules_health_port: int = Field(18803, ge=1, le=65535, description="health port of rules")
    worker_health_port: int = Field(18804, ge=1, le=65535, description="health port of webapi.worker")
    meter_health_port: int = Field(18805, ge=1, le=65535, description="health port of bridge.meter")
    meter_config: Path | None = Field(
        None, description="file that names real meters of transformers (docs/meters.md); set: bridge.meter runs too"
    )
    database_url: str | None = Field(None, repr=False, description="database; default: SQLite under EVCS_VAR")
    store_url: str | None = Field(None, repr=False, description="telemetry store; default: SQLite under EVCS_VAR")
    simulator_piles: int = Field(6, ge=1, le=200, description="simulated piles")
    simulator_guns: int = Field(2, ge=1, le=4, description="guns of each simulated pile")
    simulator_seed: int = Field(1, ge=0, description="seed of the simulated fleet: same seed, same cars")
    simulator_speed: float = Field(10.0, gt=0, le=100, description="shortens waits between arrivals and reports")
    simulator_energy_factor: int = Field(
        20, ge=1, le=1000, description="multiplies the kWh that flow, so that a demo's charge takes seconds; 1 is true"
    )
    simulator_need_kwh: str = Field("4:15", description="what an arriving car of the demo lacks, kWh")
    simulator_first: int = Field(1, ge=1, le=999_799, description="number of the first pile: 55031412 and six digits")
    simulator_customers: str = Field("1:6", description="the demo's customers whose cards and cars come")
    simulator_card_share: float = Field(0.2, ge=0, le=1, description="visits that start by a customer's card")
    simulator_vin_share: float = Field(0.1, ge=0, le=1, description="visits that start by a customer's VIN")
    simulator_joint_share: float = Field(0.2, ge=0, le=1, description="card visits for which one car takes two guns")
    simulator_lock_share: float = Field(0.3, ge=0, le=1, description="piles with ground locks")
    simulator_troubles: str = Field(
        "split=0.02,merge=0.02,bad_crc=0.001,noise=0.002,record_twice=0.05,drop=0.02,start_fails=0.01,bms_error=0.01,fault=0.01",
        description="what goes wrong at the demo's piles, and how often; all=0: nothing",
    )
    simulator_has_meter: bool = Field(True, description="the second transformer of the demo has a simulated meter")

    def folder(self) -> Path:
        """`var` as an absolute path."""
        return ROOT / self.var.expanduser()

    def ports(self) -> dict[str, int]:
        """Every port of the run by the variable that sets it."""
        return {variable(name): getattr(self, name) for name in PORT_FIELDS}
