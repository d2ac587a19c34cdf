"""Limits by hand (功率设置): what the configuration asks for a running session, heeded downwards at once.

What a gun without a session is limited to stands in its configuration alone and is weighed with its next start. The
rule's cap and the hand's live side by side: to take one away does not take the other away (domain A14).
"""

from datetime import datetime

from evcs.contracts.states import CapState
from rules.bands import lasted
from rules.known import Known, Place
from rules.levels import publish_pile
from rules.power import catch_up, lift, plan
from rules.session_caps import CapSource, set_cap
from rules.station import Pile, Station

LIFT_AGAIN_S = 5.0
"""How often a rise for which there was no room is weighed again."""


def follow_hands(known: Known, station: Station, pile: Pile, now: datetime) -> None:
    """Heed the limits of a pile's guns as they are configured: a lower one at once, a higher one when there is room.

    Called at every new configuration and, for what there was no room for, with the time that passes.
    """
    lowered = False
    for gun in pile.configured:
        if gun.config is None or gun.session is None:
            continue
        wanted_kw, heeded_kw = gun.config.hand_limit_kw, gun.session.caps.get(CapSource.HAND)
        if wanted_kw == heeded_kw:
            continue
        if wanted_kw is not None and (heeded_kw is None or wanted_kw < heeded_kw):
            before_kw = gun.cap_kw()
            lowered |= set_cap(gun.session, CapSource.HAND, wanted_kw)
            if gun.cap_kw() != before_kw:
                # What was confirmed and seen was the cap before: where nothing can be sent yet, this one is neither.
                gun.session.cap_state = CapState.NONE
        else:
            lift(known, Place(station, pile, gun), CapSource.HAND, wanted_kw, now)
    if lowered:
        plan(known, station, pile, now)
        publish_pile(known, station, pile, now)


def tick_hands(known: Known, station: Station, pile: Pile, now: datetime) -> None:
    """Every few seconds: is there room now for what a person, or anybody else, has allowed again."""
    if pile.lifted_at is not None and not lasted(pile.lifted_at, LIFT_AGAIN_S, now):
        return
    pile.lifted_at = now
    follow_hands(known, station, pile, now)
    catch_up(known, station, pile, now)


def ask_again(pile: Pile) -> None:
    """A person has set something: what the pile refused is asked of it at once, not only after its minute."""
    if pile.power.refused_at is not None:
        pile.power.ask_again()
