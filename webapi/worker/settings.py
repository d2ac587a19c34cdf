"""What the worker can be told."""

from pathlib import Path

from pydantic import Field, model_validator

from evcs.runtime.settings import ServiceSettings
from webapi.database import DEFAULT_URL


class Settings(ServiceSettings):
    """`EVCS_…` variables of `python -m webapi.worker`."""

    database_url: str = Field(
        DEFAULT_URL, repr=False, description="relational database: sqlite:///path or postgresql://…"
    )
    var: Path = Field(Path("var"), description="folder for files; rejected messages go to its `rejects/`")
    shard_owner: int = Field(1, ge=1, description="n: which owner of shards this process is")
    shard_owners: int = Field(1, ge=1, le=64, description="m: how many owners there are")
    batch_messages: int = Field(200, ge=1, le=5000, description="messages in one transaction at most")
    database_backoff_s: float = Field(1.0, gt=0, le=60, description="first wait while the database is away, s")

    @model_validator(mode="after")
    def _is_one_of_them(self) -> "Settings":
        if self.shard_owner > self.shard_owners:
            raise ValueError(f"EVCS_SHARD_OWNER={self.shard_owner} is not one of {self.shard_owners}")
        return self

    @property
    def instance(self) -> str:
        """`n-of-m`."""
        return f"{self.shard_owner}-of-{self.shard_owners}"
