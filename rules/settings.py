"""What rules can be told."""

from typing import Self

from pydantic import Field, model_validator

from evcs.contracts.ids import SHARDS
from evcs.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """`EVCS_…` variables of `python -m rules`."""

    shard_owner: int = Field(1, ge=1, le=SHARDS, description="n: this is owner n of m of the shards")
    shard_owners: int = Field(1, ge=1, le=SHARDS, description="m: how many owners share the shards")

    @model_validator(mode="after")
    def _owner_is_one_of_them(self) -> Self:
        if self.shard_owner > self.shard_owners:
            raise ValueError(f"EVCS_SHARD_OWNER is {self.shard_owner}, but there are {self.shard_owners} owners")
        return self

    @property
    def instance(self) -> str:
        return f"{self.shard_owner}-of-{self.shard_owners}"
