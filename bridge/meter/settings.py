"""What bridge.meter can be told."""

from pathlib import Path

from pydantic import Field, field_validator

from bridge.meter.config import load_meters
from evcs.contracts.ids import LEVEL
from evcs.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """`EVCS_…` variables of `python -m bridge.meter`. Its user at the broker is `evcs.meter`."""

    meter_config: Path = Field(description="TOML file that names the meters; its form: docs/meters.md")
    meter_instance: str = Field("1", pattern=LEVEL, description="instance: client id meter-{instance}")
    meter_timeout_s: float = Field(2.0, gt=0, le=15, description="wait for a meter's connection or answer, s")
    meter_backoff_s: float = Field(30.0, gt=0, le=600, description="longest wait between attempts at a meter, s")

    @field_validator("meter_config")
    @classmethod
    def _names_meters(cls, path: Path) -> Path:
        load_meters(path)  # its MeterConfigError is a ValueError, so it is told with all other mistakes
        return path
