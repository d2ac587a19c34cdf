"""What can be wrong with a message."""

from enum import StrEnum


class RejectReason(StrEnum):
    """Why a message was set aside."""

    NOT_THE_CONTRACT = "not_the_contract"
    """The payload is not what its topic promises."""
    TOPIC_MALFORMED = "topic_malformed"
    """It came under the filter, yet its levels are none of ours (a gun 0 or "x")."""
    NAMES_DIFFER = "names_differ"
    """The payload speaks of another pile, gun or transformer than its topic."""
    REFUSED_BY_STORE = "refused_by_store"


class IngestError(Exception):
    """Base of what this room raises."""


class Unreadable(IngestError):
    """A message that will never become a point, and why."""

    def __init__(self, reason: RejectReason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
