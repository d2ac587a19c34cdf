"""Settings of the simulator: EVCS_SIMULATOR_… variables; each has a command-line option of the same name."""

from pathlib import Path

from pydantic import Field, field_validator

from evcs.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Which piles, where to, and how they behave. Ranges are written as "low:high"."""

    simulator_host: str | None = Field(None, description="bridge's host; default EVCS_BRIDGE_HOST")
    simulator_port: int | None = Field(None, ge=1, le=65535, description="bridge's port; default EVCS_BRIDGE_PORT")
    bridge_host: str = Field("127.0.0.1", description="address on which the bridge takes piles")
    bridge_port: int = Field(8767, ge=1, le=65535, description="port on which the bridge takes piles")
    var: Path | None = Field(None, description="folder of all data of a one-command run")
    simulator_piles: int = Field(2, ge=1, le=10_000, description="how many piles")
    simulator_guns: int = Field(2, ge=1, le=99, description="guns of each pile")
    simulator_first: int = Field(1, ge=1, le=999_999, description="number of the first pile: 55031412 and six digits")
    simulator_seed: int = Field(1, ge=0, description="same seed, same fortune")
    simulator_speed: float = Field(1.0, gt=0, le=10_000, description="shortens waits between arrivals and reports")
    simulator_energy_factor: int = Field(1, ge=1, le=10_000, description="multiplies the kWh that flow (demos, tests)")
    simulator_pile_kw: int = Field(120, ge=1, le=2000, description="rated power of a pile, kW")
    simulator_gun_kw: int = Field(120, ge=1, le=2000, description="most that one gun carries, kW")
    simulator_arrivals: float = Field(4.0, ge=0, le=3600, description="cars per hour and gun; 0: none come")
    simulator_need_kwh: str = Field("15:55", description="what an arriving car lacks, kWh")
    simulator_patience_s: str = Field("300:900", description="how long a car waits for its start, s")
    simulator_linger_s: str = Field("30:240", description="how long a charged car stays, s")
    simulator_start_delay_s: str = Field("2:5", description="from the start command to current, s")
    simulator_cold_share: float = Field(0.1, ge=0, le=1, description="share of cars with a cold battery")
    simulator_manual_stop_share: float = Field(0.05, ge=0, le=1, description="share of drivers who stop early")
    simulator_state_dir: Path | None = Field(
        None, description="where piles keep registers and records; default EVCS_VAR/simulator, else nowhere"
    )

    @property
    def host(self) -> str:
        """Where to connect to; an address that means "every interface" is reached by the loopback."""
        host = self.simulator_host or self.bridge_host
        return "127.0.0.1" if host in ("0.0.0.0", "::") else host

    @property
    def port(self) -> int:
        """The bridge's port for piles."""
        return self.simulator_port or self.bridge_port

    @property
    def state_folder(self) -> Path | None:
        """Where memories lie; None: a pile begins anew with each start of the process."""
        if self.simulator_state_dir is None and self.var is not None:
            return self.var / "simulator"
        return self.simulator_state_dir

    @field_validator("simulator_need_kwh", "simulator_patience_s", "simulator_linger_s", "simulator_start_delay_s")
    @classmethod
    def _is_range(cls, text: str) -> str:
        span(text)
        return text


def span(text: str) -> tuple[float, float]:
    """ "low:high" (or one number) → both ends. ValueError for anything else, and for a range that runs backwards."""
    low, _, high = text.partition(":")
    try:
        ends = float(low), float(high or low)
    except ValueError:
        raise ValueError(f'"{text}" is not a number or "low:high"') from None
    if not 0 <= ends[0] <= ends[1]:
        raise ValueError(f'"{text}" runs backwards or below 0')
    return ends
