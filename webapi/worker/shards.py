"""Which stations this worker serves: owner n of m."""

from dataclasses import dataclass

from evcs.contracts.ids import SHARDS, owner_of


@dataclass(frozen=True, slots=True)
class Shards:
    """Owner `owner` of `owners`. Owner 1 also serves what belongs to no shard."""

    owner: int = 1
    owners: int = 1

    @property
    def instance(self) -> str:
        """`n-of-m`, as it stands in client ids and service levels."""
        return f"{self.owner}-of-{self.owners}"

    @property
    def owned(self) -> tuple[str, ...]:
        """The shards of this owner."""
        every = (f"{number:02x}" for number in range(SHARDS))
        return tuple(shard for shard in every if owner_of(shard, self.owners) == self.owner)

    def owns(self, shard: str) -> bool:
        """Whether a shard is this owner's."""
        return owner_of(shard, self.owners) == self.owner


def of_instance(instance: str) -> Shards | None:
    """The shards of another service's `n-of-m`; None where it is not spelt so."""
    owner, _, owners = instance.partition("-of-")
    if not (owner.isdigit() and owners.isdigit() and 1 <= int(owner) <= int(owners)):
        return None
    return Shards(int(owner), int(owners))
