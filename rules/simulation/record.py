"""A simulated day as the lines that a live station would have left: for the replay and the what-if."""

from datetime import datetime
from pathlib import Path
from random import Random

from evcs.contracts.config import TransformerConfig
from evcs.runtime.progress import progress
from rules.codec import write_message, write_published
from rules.engine import Engine
from rules.messages import Action, Message, Publish, Tick
from rules.simulation.days import GUN_KW, GUNS, PAUSE_SHARE, RATED_KVA, STEP_S
from rules.simulation.drive import Drive
from rules.simulation.plant import Plant
from rules.simulation.site import DAY_S, TRANSFORMER, Site, Troubles, building, pile
from rules.simulation.visits import arrivals


def site_of_guns(guns: int, seed: int) -> Site:
    """The reference site, grown in proportion: its transformer and its building with its guns."""
    scale = guns / GUNS
    config = TransformerConfig(transformer=TRANSFORMER, rated_kva=round(RATED_KVA * scale), has_meter=True)
    return Site(
        transformer=config,
        piles=tuple(pile(f"{n:014d}", (GUN_KW,)) for n in range(1, guns + 1)),
        base=building(60.0 * scale, 50.0 * scale, 70.0 * scale, 12.0 * scale, phase=float(seed)),
        troubles=Troubles(lost_readings=0.02, handshakes_s=(15.0, 30.0, 60.0)),
    )


def record_day(path: Path, seed: int, guns: int, per_hour: float, hours: float = DAY_S / 3600) -> int:
    """Write what was heard and what the rules published, in the order of its time; how many lines."""
    site = site_of_guns(guns, seed)
    visits = arrivals(
        Random(f"visits {seed}"), per_hour * guns / GUNS, cold_share=0.3, pause_share=PAUSE_SHARE, until_s=hours * 3600
    )
    count = hour = 0
    with path.open("wb") as file, progress(f"recording {path.name}", round(hours), "hours") as moved:

        def heed(message: Message, actions: list[Action], at: datetime) -> None:
            nonlocal count
            heard = [] if isinstance(message, Tick) else [write_message(at, message)]
            told = [write_published(at, action) for action in actions if isinstance(action, Publish)]
            for line in heard + told:
                file.write(line + b"\n")
                count += 1

        drive = Drive(Plant(site, Random(f"troubles {seed}"), visits, step_s=STEP_S), Engine(), heed=heed)
        drive.begin()
        while drive.plant.now_s < hours * 3600:
            drive.advance()
            if drive.plant.now_s // 3600 > hour:
                hour += 1
                moved(1, "")
    return count
