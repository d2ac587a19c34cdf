"""What the demo can be told; `--piles` and `--guns` set the variables that the simulator reads too."""

from pathlib import Path

from pydantic import Field

from evcs.runtime.settings import ServiceSettings
from webapi.database import DEFAULT_URL


class Settings(ServiceSettings):
    """`EVCS_…` variables of `python -m webapi.demo`."""

    database_url: str = Field(DEFAULT_URL, repr=False, description="relational database, for `seed`")
    http_host: str = Field("127.0.0.1", description="where the HTTP API is, for `drive`")
    http_port: int = Field(8090, ge=1, le=65535, description="its port")
    var: Path = Field(Path("var"), description="folder of demo-sign-in.txt")
    simulator_piles: int = Field(6, ge=1, le=10_000, description="piles to make: those that the simulator logs in")
    simulator_guns: int = Field(2, ge=1, le=99, description="guns of each pile")
    simulator_first: int = Field(1, ge=1, le=999_999, description="number of the first pile: 55031412 and six digits")
    simulator_seed: int = Field(1, ge=0, description="same seed, same fortune")

    @property
    def sign_in_file(self) -> Path:
        """Where the demo's password stands, for its owner alone."""
        return self.var / "demo-sign-in.txt"
