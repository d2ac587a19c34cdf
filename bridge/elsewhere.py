"""Pure: which piles other bridges hold, as far as they say so and live; and which of two holders of one pile stays.

Every bridge judges by what both have published, so two that hold one pile come to the same end whoever hears first.
"""

from dataclasses import dataclass

from evcs.contracts.bridge import BridgeStatus
from evcs.contracts.pile import PileStatus
from evcs.contracts.states import PROOF_RANK, Proof
from evcs.contracts.times import to_ms


@dataclass(frozen=True, slots=True)
class Hold:
    """A pile that is held by a login, here or elsewhere."""

    bridge: str
    login_ms: int
    proof: Proof
    link: str
    address: str

    def outranks(self, other: "Hold") -> bool:
        """Better proof holds; of equal proof the newer login; of logins in the same millisecond one by its name."""
        return self._rank > other._rank

    @property
    def _rank(self) -> tuple[int, int, str]:
        return PROOF_RANK[self.proof], self.login_ms, self.bridge


class Elsewhere:
    """What the other bridges hold."""

    def __init__(self) -> None:
        self._runs: dict[str, int | None] = {}
        """Bridge → start of its run, None: it says that it is offline."""
        self._holds: dict[str, tuple[Hold, int]] = {}
        """Pile → who holds it, and the start of that run."""
        self._newest_login: dict[str, int] = {}

    def bridge_said(self, status: BridgeStatus) -> None:
        """`B/status` of another bridge."""
        self._runs[status.bridge] = status.started_ms if status.online else None

    def pile_said(self, status: PileStatus) -> Hold | None:
        """`P/status` of another bridge, the newest on its topic. Returns the hold that it means, if it means one.

        One of a bridge that is known to be gone means none. Where nothing is known of the bridge it is believed: its
        own word is on the way, and at worst the pile logs in once more.
        """
        login_ms = to_ms(status.login_at) if status.login_at is not None else 0
        self._newest_login[status.pile] = max(login_ms, self._newest_login.get(status.pile, 0))
        hold = Hold(status.bridge, login_ms, status.proof, status.link, status.address)
        if not status.online or self._runs.get(status.bridge, status.bridge_started_ms) != status.bridge_started_ms:
            self._holds.pop(status.pile, None)
            return None
        self._holds[status.pile] = hold, status.bridge_started_ms
        return hold

    def holder(self, pile: str) -> Hold | None:
        """Who holds a pile at another bridge that is known to live; what a dead one left standing shuts nobody out."""
        known = self._holds.get(pile)
        if known is None:
            return None
        hold, started_ms = known
        return hold if self._runs.get(hold.bridge) == started_ms else None

    def taken(self, pile: str) -> None:
        """It is held here now."""
        self._holds.pop(pile, None)

    def newest_login(self, pile: str) -> int:
        """Wall ms of the newest login elsewhere, by that bridge's clock: one that follows it here is newer."""
        return self._newest_login.get(pile, 0)
