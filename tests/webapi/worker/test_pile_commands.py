"""Commands and the roll-out through a real broker and database: told, answered, repeated, given up, no secret left."""

from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from evcs.contracts import topics
from evcs.contracts.config import Dialect
from evcs.contracts.envelope import encode
from evcs.contracts.gun import GroundLock, GunEvent, GunEventKind
from evcs.contracts.pile import (
    FirmwareUpdate,
    Outcome,
    PileCommand,
    PileCommandKind,
    PileFrame,
    PileReply,
)
from evcs.contracts.states import GunState
from tests.webapi import said
from tests.webapi.books import BEGIN, PILE, PRICES, SLOTS, STATION
from tests.webapi.worker.scene import Scene, until
from webapi.database import sessions
from webapi.guns.said_models import GroundLockLive
from webapi.piles.command_models import CommandState, PileCommandRow
from webapi.piles.commands import Wish, issue
from webapi.piles.history_models import PileFrameRow
from webapi.piles.models import Pile, PileLive
from webapi.tariffs.allocate import NewVersion, make_version
from webapi.tariffs.assign import assign
from webapi.tariffs.models import TariffVersion
from webapi.worker.models import OutboxRow

PASSWORD = "hush-hush-4711"
AT_PILE = {"station": STATION, "pile": PILE}


@pytest.fixture
def running(scene: Scene) -> Scene:
    """The worker runs, the pile is logged in, its gun plugged."""
    scene.start()
    scene.peer.log_in()
    scene.peer.level(GunState.PLUGGED, 1)

    def online() -> bool:
        with sessions(scene.engine)() as session:
            live = session.get(PileLive, PILE)
            return live is not None and live.online

    until(online, "the pile is online")
    return scene


def give(scene: Scene, kind: PileCommandKind, **more: object) -> str:
    with sessions(scene.engine).begin() as session:
        wish = Wish(pile=PILE, kind=kind, by="user:1", **more)  # type: ignore[arg-type]
        row = issue(session, wish, at=scene.clock.now())
        assert isinstance(row, PileCommandRow)
        return row.id


def told(scene: Scene, command: str, after: int = 0) -> tuple[int, PileCommand]:
    return scene.observer.wait(topics.PILE_COMMAND, lambda one: one.id == command, after=after)


def answer(scene: Scene, command: str, outcome: Outcome = Outcome.ACCEPTED) -> None:
    reply = PileReply(id=command, receipt=said.receipt(), outcome=outcome, received_at=scene.clock.now())
    scene.peer.say(topics.PILE_REPLY, reply, **AT_PILE)


def reaches(scene: Scene, command: str, state: CommandState) -> PileCommandRow:
    def look() -> PileCommandRow | None:
        with sessions(scene.engine)() as session:
            row = session.get_one(PileCommandRow, command)
            return row if row.state is state else None

    return until(look, f"{command} {state.value}")


def test_a_command_reaches_the_pile_and_its_reply_the_row(running: Scene) -> None:
    command = give(running, PileCommandKind.RESTART)
    _, message = told(running, command)
    assert message.link == said.pile().link
    answer(running, command)
    row = reaches(running, command, CommandState.ACCEPTED)
    assert row.replied_at == running.clock.now()
    assert not running.failed.is_set()


def test_what_may_be_repeated_is_and_ends_without_an_answer(running: Scene) -> None:
    poll, restart = give(running, PileCommandKind.POLL), give(running, PileCommandKind.RESTART)
    told(running, poll)
    told(running, restart)
    after = running.observer.count
    running.later(6)
    told(running, poll, after)
    running.later(60)
    row = reaches(running, poll, CommandState.TIMED_OUT)
    assert row.tries >= 2
    assert reaches(running, restart, CommandState.TIMED_OUT).tries == 1
    assert [one.id for _, _, one in running.observer.of(topics.PILE_COMMAND)].count(restart) == 1
    answer(running, restart, Outcome.REFUSED)
    reaches(running, restart, CommandState.REFUSED)


def _rest(scene: Scene) -> list[OutboxRow]:
    with sessions(scene.engine)() as session:
        return list(session.scalars(select(OutboxRow).where(OutboxRow.topic.endswith("/command"))))


def test_the_password_of_an_update_leaves_the_database_with_its_message(running: Scene) -> None:
    update = FirmwareUpdate(server="10.0.0.8", user="ota", password=PASSWORD, path="/dc.bin")
    command = give(running, PileCommandKind.UPDATE, update=update)
    _, message = told(running, command)
    assert message.update == update
    until(lambda: not _rest(running), "the outbox row is gone")
    running.stop()
    if running.engine.dialect.name == "sqlite":
        with running.engine.connect() as connection:
            connection.execute(text("ROLLBACK"))
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        path = Path(str(running.engine.url.database))
        for file in path.parent.glob(f"{path.name}*"):
            assert PASSWORD.encode() not in file.read_bytes(), file.name


def test_an_update_that_expired_unpublished_leaves_no_password_either(running: Scene) -> None:
    running.stop()
    update = FirmwareUpdate(server="10.0.0.8", password=PASSWORD, path="/dc.bin")
    command = give(running, PileCommandKind.UPDATE, update=update)
    assert len(_rest(running)) == 1
    running.later(30)
    running.start()
    until(lambda: not _rest(running), "the outbox row is gone")
    assert all(one.id != command for _, _, one in running.observer.of(topics.PILE_COMMAND))


def test_a_version_that_is_assigned_reaches_an_idle_pile_with_its_configuration(running: Scene) -> None:
    with sessions(running.engine).begin() as session:
        tariff = session.get_one(TariffVersion, "v1").tariff_id
        version = make_version(
            session, NewVersion("v2", tariff, SLOTS, PRICES, valid_from=BEGIN), at=BEGIN, by="user:1"
        )
        session.get_one(Pile, PILE).dialect_json = encode(Dialect(qr_ok_code=1)).decode()
        assign(session, version, [PILE], by="user:1", at=running.clock.now())
    number, config = running.observer.wait(
        topics.CONFIG_PILE, lambda one: one.wanted_tariff is not None and one.wanted_tariff.version == "v2"
    )
    assert config.dialect == Dialect(qr_ok_code=1)
    running.later(40)
    pushed, message = running.observer.wait(
        topics.PILE_COMMAND, lambda one: one.kind is PileCommandKind.TARIFF_PUSH, timeout=30
    )
    assert message.tariff_version == "v2"
    assert number < pushed, "the bridge knows what is wanted before it is told to push it"
    answer(running, message.id)
    running.peer.say(topics.PILE_STATUS, said.pile(version=2, tariff="v2"), **AT_PILE)

    def confirmed() -> bool:
        with sessions(running.engine)() as session:
            return session.get_one(Pile, PILE).confirmed_tariff_version_id == "v2"

    until(confirmed, "the pile has confirmed v2")


def test_frames_and_ground_locks_reach_their_rows(running: Scene) -> None:
    frame = PileFrame(pile=PILE, received_at=BEGIN, from_pile=True, frame_type="0x61", frame_hex="68")
    running.peer.say(topics.PILE_FRAME, frame, **AT_PILE)
    event = GunEvent(
        id="lock-1",
        receipt=said.receipt(),
        kind=GunEventKind.GROUND_LOCK,
        received_at=BEGIN,
        ground_lock=GroundLock(state="raised"),
    )
    running.peer.say(topics.GUN_EVENT, event)

    def stored() -> bool:
        with sessions(running.engine)() as session:
            frames = session.scalar(select(func.count()).select_from(PileFrameRow))
            lock = session.get(GroundLockLive, (PILE, 1))
            return frames == 1 and lock is not None and lock.state == "raised"

    until(stored, "frame and lock are stored")
