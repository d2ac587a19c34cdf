"""What a gun shows: its level joined with its pile's and its bridge's, in one place."""

from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts.states import GunState, shown_state
from webapi.guns.models import Gun, GunLive
from webapi.piles.models import BridgeLive, Pile, PileLive


def is_online(pile: PileLive | None, bridge: BridgeLive | None) -> bool:
    """Whether a pile's level counts: the bridge that holds it is online with the same start."""
    return (
        pile is not None
        and bridge is not None
        and pile.online
        and bridge.online
        and pile.bridge_started_ms == bridge.started_ms
    )


def state_shown(gun: GunLive | None, pile: PileLive | None, bridge: BridgeLive | None) -> GunState:
    """The state to show; a gun that never said anything is offline."""
    if gun is None:
        return GunState.OFFLINE
    online = is_online(pile, bridge)
    return shown_state(gun.state, pile_online=online, bridge_online=online)


def shown_states(session: Session, stations: Sequence[str]) -> Iterator[tuple[str, GunState]]:
    """(station, state) of each gun in use."""
    rows = session.execute(
        select(Pile.station_code, GunLive, PileLive, BridgeLive)
        .select_from(Gun)
        .join(Pile, Pile.number == Gun.pile_number)
        .outerjoin(GunLive, (GunLive.pile_number == Gun.pile_number) & (GunLive.gun_no == Gun.no))
        .outerjoin(PileLive, PileLive.pile_number == Pile.number)
        .outerjoin(BridgeLive, BridgeLive.bridge == PileLive.bridge)
        .where(Pile.station_code.in_(stations), Pile.archived_at.is_(None), Gun.archived_at.is_(None))
    )
    for station, gun, pile, bridge in rows:
        yield station, state_shown(gun, pile, bridge)
