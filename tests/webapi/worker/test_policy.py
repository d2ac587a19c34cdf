"""Band and load of a transformer: the newest level stands in its row, whatever else comes."""

import pytest
from sqlalchemy.orm import Session

from evcs.contracts import topics
from evcs.contracts.states import Band
from evcs.contracts.times import from_ms, to_ms
from evcs.contracts.topics import Address
from evcs.contracts.transformer import TransformerPolicy
from tests.webapi.books import BEGIN, STATION, Books
from tests.webapi.worker.scene import Scene, until
from webapi.database import sessions
from webapi.transformers.events import policy_cleared, policy_level
from webapi.transformers.models import Transformer, TransformerLive


def policy(transformer: str, version: int, band: Band, load_pct: float | None) -> TransformerPolicy:
    return TransformerPolicy(
        version=version,
        transformer=transformer,
        band=band,
        load_pct=load_pct,
        planned_pct=load_pct,
        guns_kw=12.5,
        source="estimate",
        why_zh="负荷",
        why_en="Load",
        since=BEGIN,
    )


def code(session: Session) -> str:
    found = session.query(Transformer.code).filter(Transformer.station_code == STATION).first()
    assert found is not None
    return str(found[0])


def test_newest_policy_is_kept_and_an_older_one_changes_nothing(books: Books, session: Session) -> None:
    transformer = code(session)
    address = Address(station=STATION, transformer=transformer)
    newest = to_ms(BEGIN) + 5
    for version, band, load in (
        (newest - 5, Band.NORMAL, 20.0),
        (newest, Band.UNKNOWN, None),
        (newest, Band.BLOCKED, 9),
    ):
        policy_level(session, address, policy(transformer, version, band, load), BEGIN)
    policy_level(session, address, policy(transformer, newest - 1, Band.LIMITED, 60.0), BEGIN)
    live = session.get_one(TransformerLive, transformer)
    assert (live.band, live.load_pct, live.told_at) == (Band.UNKNOWN, None, from_ms(newest))
    policy_cleared(session, address, BEGIN)
    session.flush()
    assert session.get(TransformerLive, transformer) is None


@pytest.mark.parametrize("station", [STATION, "elsewhere"])
def test_policy_of_what_is_not_there_is_left(books: Books, session: Session, station: str) -> None:
    transformer = "unheard-of" if station == STATION else code(session)
    address = Address(station=station, transformer=transformer)
    policy_level(session, address, policy(transformer, 7, Band.NORMAL, 20.0), BEGIN)
    assert session.query(TransformerLive).count() == 0


def test_worker_follows_the_policy_to_its_row_and_clears_it(scene: Scene) -> None:
    scene.start()
    with sessions(scene.engine)() as session:
        transformer = code(session)

    def band() -> Band | None:
        with sessions(scene.engine)() as session:
            live = session.get(TransformerLive, transformer)
            return None if live is None else live.band

    levels = {"station": STATION, "transformer": transformer}
    scene.peer.say(topics.POLICY, policy(transformer, to_ms(BEGIN), Band.LIMITED, 55.0), **levels)
    until(lambda: band() is Band.LIMITED, "the row is limited")
    scene.peer.say(topics.POLICY, policy(transformer, to_ms(BEGIN) + 1, Band.BLOCKED, 85.0), **levels)
    until(lambda: band() is Band.BLOCKED, "the row is blocked")
    scene.peer.send(topics.POLICY.at(**levels), b"", retain=True)
    until(lambda: band() is None, "the row is gone")
