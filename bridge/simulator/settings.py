"""Settings of the simulator: EVCS_SIMULATOR_… variables; each has a command-line option of the same name."""

from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from bridge.simulator.transformer_meter import MeterSpec, meter_specs
from bridge.simulator.troubles import Trouble, chances
from evcs.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Which piles, where to, and how they behave. Ranges are written as "low:high", shares as 0 … 1."""

    simulator_host: str | None = Field(None, description="bridge's host; default EVCS_BRIDGE_HOST")
    simulator_port: int | None = Field(None, ge=1, le=65535, description="bridge's port; default EVCS_BRIDGE_PORT")
    bridge_host: str = Field("127.0.0.1", description="address on which the bridge takes piles")
    bridge_port: int = Field(8767, ge=1, le=65535, description="port on which the bridge takes piles")
    var: Path | None = Field(None, description="folder of all data of a one-command run")
    simulator_state_dir: Path | None = Field(
        None, description="where piles keep registers and records; default EVCS_VAR/simulator, else nowhere"
    )

    simulator_piles: int = Field(2, ge=1, le=10_000, description="how many piles")
    simulator_guns: int = Field(2, ge=1, le=99, description="guns of each pile")
    simulator_first: int = Field(1, ge=1, le=999_999, description="number of the first pile: 55031412 and six digits")
    simulator_seed: int = Field(1, ge=0, description="same seed, same fortune")
    simulator_speed: float = Field(1.0, gt=0, le=10_000, description="shortens waits between arrivals and reports")
    simulator_energy_factor: int = Field(1, ge=1, le=10_000, description="multiplies the kWh that flow (demos, tests)")
    simulator_connect_per_s: float = Field(50.0, gt=0, le=10_000, description="piles that connect in a second at first")
    simulator_step_s: float = Field(
        0, ge=0, le=60, description="span in which power counts as constant, s; 0: 0.25, and 2 beyond 200 piles"
    )

    simulator_pile_kw: int = Field(120, ge=1, le=2000, description="rated power of a pile, kW")
    simulator_gun_kw: int = Field(120, ge=1, le=2000, description="most that one gun carries, kW")
    simulator_v15_share: float = Field(0.25, ge=0, le=1, description="piles of V1.5; the others are of V1.6")
    simulator_high_crc_share: float = Field(0.2, ge=0, le=1, description="piles that send the CRC high byte first")
    simulator_own_echo_share: float = Field(
        0.1, ge=0, le=1, description="piles that answer with sequence numbers of their own"
    )
    simulator_swapped_echo_share: float = Field(
        0.1, ge=0, le=1, description="piles that answer with the two sequence bytes swapped"
    )
    simulator_fault_base_1_share: float = Field(0, ge=0, le=1, description="piles whose fault bits count from 1")
    simulator_five_bands_share: float = Field(0, ge=0, le=1, description="piles whose records have five tariff bands")
    simulator_ac_share: float = Field(0, ge=0, le=1, description="AC piles: 7 kW a gun, no BMS")
    simulator_lock_share: float = Field(0, ge=0, le=1, description="piles with ground locks")
    simulator_clock_error_s: float = Field(0, ge=0, description="clocks are at most so wrong at power-on, s")
    simulator_clock_drift_ppm: float = Field(0, ge=0, le=100_000, description="clocks drift at most so much, ppm")

    simulator_arrivals: float = Field(4.0, ge=0, le=3600, description="cars per hour and gun; 0: none come")
    simulator_need_kwh: str = Field("15:55", description="what an arriving car lacks, kWh")
    simulator_patience_s: str = Field("300:900", description="how long a car waits for its start, s")
    simulator_linger_s: str = Field("30:240", description="how long a charged car stays, s")
    simulator_start_delay_s: str = Field("2:5", description="from the start command to current, s")
    simulator_cold_share: float = Field(0.1, ge=0, le=1, description="cars with a cold battery")
    simulator_manual_stop_share: float = Field(0.05, ge=0, le=1, description="drivers who stop early at the pile")
    simulator_customers: str | None = Field(
        None,
        description='demo customers "first:last" whose cards (00000000D14B0000 + id) and VINs (LSVEVCS00000 + id) come',
    )
    simulator_card_share: float = Field(0.2, ge=0, le=1, description="visits that start by a customer's card")
    simulator_vin_share: float = Field(0.1, ge=0, le=1, description="visits that start by a customer's VIN")
    simulator_joint_share: float = Field(0, ge=0, le=1, description="card visits for which one car takes two guns")

    simulator_troubles: str = Field(
        "",
        description="what goes wrong and how often, kind=chance with commas; all=chance is every kind that the "
        "platform gets over by itself. Kinds: " + ", ".join(Trouble),
    )

    simulator_meters: str = Field(
        "", description="simulated meters, STATION/TRANSFORMER:first-last:kVA:base kW with commas; piles by six digits"
    )
    simulator_meter_username: str | None = Field(
        None, description="user of the meters at the broker, {transformer} is filled in; default EVCS_MQTT_USERNAME"
    )
    simulator_meter_password: str | None = Field(None, repr=False, description="their password")
    simulator_meter_every_s: float = Field(3.0, gt=0, le=3600, description="from reading to reading, s")
    simulator_meter_lag_s: float = Field(0, ge=0, le=600, description="how old a reading is when it is published, s")
    simulator_meter_loss: float = Field(0, ge=0, le=1, description="readings that are never published")

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

    @property
    def chances(self) -> dict[Trouble, float]:
        """Of each trouble."""
        return chances(self.simulator_troubles)

    @property
    def meters(self) -> tuple[MeterSpec, ...]:
        """The transformers that have one."""
        return meter_specs(self.simulator_meters)

    @property
    def customers(self) -> tuple[int, int] | None:
        """First and last id of the customers whose cards and cars come."""
        if self.simulator_customers is None:
            return None
        first, last = span(self.simulator_customers)
        return int(first), int(last)

    @field_validator("simulator_need_kwh", "simulator_patience_s", "simulator_linger_s", "simulator_start_delay_s")
    @classmethod
    def _is_range(cls, text: str) -> str:
        span(text)
        return text

    @field_validator("simulator_customers")
    @classmethod
    def _are_customers(cls, text: str | None) -> str | None:
        if text is not None and (span(text)[0] < 1 or any(end != int(end) for end in span(text))):
            raise ValueError(f'"{text}" are no customers')
        return text

    @field_validator("simulator_troubles")
    @classmethod
    def _are_chances(cls, text: str) -> str:
        chances(text)
        return text

    @field_validator("simulator_meters")
    @classmethod
    def _are_meters(cls, text: str) -> str:
        meter_specs(text)
        return text

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        if self.simulator_card_share + self.simulator_vin_share > 1:
            raise ValueError("more visits by card and VIN than there are")
        if self.simulator_own_echo_share + self.simulator_swapped_echo_share > 1:
            raise ValueError("more piles with own and swapped sequence numbers than there are")
        return self


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
