"""What ingest can be told."""

from pathlib import Path

from pydantic import Field, field_validator

from evcs.contracts.ids import LEVEL
from evcs.runtime.settings import ServiceSettings
from evcs.store.open import ABOUT, SECRET, open_store


class Settings(ServiceSettings):
    """`EVCS_…` variables of `python -m ingest`."""

    store_url: str = Field(description=ABOUT)
    store_secret: str | None = Field(None, repr=False, description=SECRET)
    var: Path = Field(Path("var"), description="folder for files; rejected messages go to its `rejects/`")
    ingest_instance: str = Field("1", pattern=LEVEL, description="instance: client id ingest-{instance}")
    batch_points: int = Field(5_000, ge=1, le=100_000, description="points after which a batch is written")
    batch_wait_s: float = Field(1.0, gt=0, le=60, description="seconds after which a batch is written")
    held_messages: int = Field(50_000, ge=1, description="messages in hand at most, then ingest leaves the broker")
    store_patience_s: float = Field(15.0, ge=0, description="store away for longer: leave the broker meanwhile, s")
    store_backoff_s: float = Field(10.0, gt=0, le=300, description="longest wait between attempts at the store, s")

    @field_validator("store_url")
    @classmethod
    def _names_a_store(cls, url: str) -> str:
        open_store(url)  # opens nothing; its StoreAddressError is a ValueError, so it is told with all other mistakes
        return url
