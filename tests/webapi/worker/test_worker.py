"""The worker on real brokers and databases: a charge through it, and what may be killed or away meanwhile."""

from decimal import Decimal
from threading import Thread

import msgspec
import paho.mqtt.client as mqtt
from sqlalchemy import select, update

from evcs.contracts import topics
from evcs.contracts.config import FaultCodes
from evcs.contracts.gun import GunEvent, GunEventKind, LeaveQueue, Resume
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GunState, OrderState
from tests.webapi import said
from tests.webapi.books import PILE, STATION, mark
from tests.webapi.worker.scene import Scene, until
from webapi.database import open_database, sessions
from webapi.orders.models import ChargeRecord
from webapi.orders.stop import stop_order
from webapi.piles.models import Pile
from webapi.worker.models import OutboxRow
from webapi.worker.rejects import Reject
from webapi.worker.worker import Worker

SETTLED = (30_000 - 1523, 0, 0)


def test_a_charge_from_the_request_to_the_confirmed_record(scene: Scene) -> None:
    scene.start()
    scene.peer.log_in()
    scene.peer.level(GunState.PLUGGED, 1)
    placed = scene.place()
    scene.charge(placed.serial)
    assert scene.wallet(placed.customer) == (10_000, 20_000, 0)
    scene.peer.level(GunState.FINISHED, 4, placed.serial, 600)
    scene.reaches(placed.serial, OrderState.ENDED)
    scene.send_record(placed.serial)
    scene.observer.wait(topics.CONFIRM, lambda one: one.serial == placed.serial and one.result == 0)
    assert scene.order(placed.serial).state is OrderState.SETTLED, "committed before it was confirmed"
    assert scene.wallet(placed.customer) == SETTLED
    _, change = scene.observer.wait(topics.ORDER, lambda one: one.state is OrderState.SETTLED)
    assert (change.total_fen, change.energy_kwh) == (1523, Decimal("10.0000"))

    after = scene.observer.count
    scene.send_record(placed.serial, n=2)
    scene.observer.wait(topics.CONFIRM, lambda one: one.serial == placed.serial, after=after)
    assert scene.wallet(placed.customer) == SETTLED
    written = GunEvent(
        id="e1",
        receipt=said.receipt(),
        kind=GunEventKind.CONFIRM_SENT,
        received_at=said.at(620),
        serial=placed.serial,
    )
    scene.peer.say(topics.GUN_EVENT, written)

    def confirmed() -> bool:
        with sessions(scene.engine)() as session:
            row = session.scalars(select(ChargeRecord)).one()
            return row.confirm_sent_at is not None and row.confirmed_at is not None and row.repeats == 1

    until(confirmed, "0x40 is known to be written")
    assert not scene.failed.is_set()


def test_a_refusal_releases_the_hold(scene: Scene) -> None:
    scene.start()
    placed = scene.place()
    request = scene.request_of(placed.serial)
    verdict = said.verdict(request.id, placed.serial, said.VerdictKind.REFUSED, Reason.NO_HEADROOM)
    scene.peer.say(topics.VERDICT, verdict)
    scene.reaches(placed.serial, OrderState.REFUSED)
    assert scene.wallet(placed.customer) == (30_000, 0, 0)
    _, change = scene.observer.wait(topics.ORDER, lambda one: one.state is OrderState.REFUSED)
    assert change.reason is Reason.NO_HEADROOM


def test_without_an_engine_the_request_is_repeated_and_then_refused(scene: Scene) -> None:
    scene.start()
    placed = scene.place()
    first = scene.request_of(placed.serial)
    after = scene.observer.count
    scene.later(6)
    again = scene.request_of(placed.serial, after=after)
    assert again == first
    scene.later(30)
    order = scene.reaches(placed.serial, OrderState.REFUSED)
    assert order.refusal_code == "engine_away"
    assert scene.wallet(placed.customer) == (30_000, 0, 0)


def test_without_a_record_it_is_billed_by_marks_and_a_late_record_corrects_once(scene: Scene) -> None:
    scene.start()
    scene.peer.log_in()
    placed = scene.place()
    scene.charge(placed.serial)
    for minutes, energy in ((0, "0.0000"), (5, "5.0000"), (10, "9.5000")):
        scene.peer.say(topics.METER, mark(placed.serial, minutes, energy))
    until(lambda: scene.order(placed.serial).last_mark_energy_kwh == Decimal("9.5"), "the marks are kept")
    scene.peer.level(GunState.FINISHED, 4, placed.serial, 600)
    scene.reaches(placed.serial, OrderState.ENDED)
    scene.later(31)
    scene.reaches(placed.serial, OrderState.EXCEPTION)
    scene.later(30)
    order = scene.reaches(placed.serial, OrderState.SETTLED)
    assert (order.provisional, order.total_fen) == (True, 1447)
    scene.send_record(placed.serial)
    scene.observer.wait(topics.ORDER, lambda one: one.total_fen == 1523 and not one.provisional)
    assert scene.wallet(placed.customer) == SETTLED


def test_a_stop_goes_out_until_the_end_is_seen(scene: Scene) -> None:
    scene.start()
    scene.peer.log_in()
    placed = scene.place()
    scene.charge(placed.serial)
    with sessions(scene.engine).begin() as session:
        stop_order(session, placed.serial, by="user:7", at=scene.clock.now())
    number, first = scene.observer.wait(topics.STOP, lambda one: one.serial == placed.serial)
    scene.later(10)
    _, second = scene.observer.wait(topics.STOP, lambda one: one.serial == placed.serial, after=number + 1)
    assert first.id != second.id
    assert (second.bridge, second.link) == ("b1", said.pile().link)
    scene.peer.level(GunState.FINISHED, 4, placed.serial, 600)
    scene.reaches(placed.serial, OrderState.ENDED)


def test_a_worker_that_starts_finds_the_truth_in_the_picture_and_confirms_again(scene: Scene) -> None:
    scene.start()
    scene.peer.log_in()
    charging = scene.place()
    scene.charge(charging.serial)
    scene.stop()
    scene.peer.level(GunState.FINISHED, 4, charging.serial, 600)
    scene.send_record(charging.serial)
    after = scene.observer.count
    scene.start()
    scene.observer.wait(topics.CONFIRM, lambda one: one.serial == charging.serial, after=after)
    scene.reaches(charging.serial, OrderState.SETTLED)
    scene.stop()
    after = scene.observer.count
    scene.start()
    scene.observer.wait(topics.CONFIRM, lambda one: one.serial == charging.serial, after=after)
    assert scene.wallet(charging.customer) == SETTLED


def test_a_worker_that_was_away_hears_what_happened_before_it_judges_deadlines(scene: Scene) -> None:
    scene.start()
    scene.peer.log_in()
    placed = scene.place()
    request = scene.request_of(placed.serial)
    scene.stop()
    scene.peer.say(topics.VERDICT, said.verdict(request.id, placed.serial, said.VerdictKind.ADMITTED))
    scene.later(40)
    scene.start()
    scene.reaches(placed.serial, OrderState.COMMANDED)
    assert scene.observer.of(topics.STOP) == []
    assert scene.wallet(placed.customer) == (10_000, 20_000, 0)


def test_what_was_committed_before_a_death_is_published_after_it(scene: Scene) -> None:
    """D11: the row is in the database, nobody published it."""
    placed = scene.place()
    scene.start()
    request = scene.request_of(placed.serial)
    assert request.serial == placed.serial

    def marked() -> bool:
        with sessions(scene.engine)() as session:
            return session.scalar(select(OutboxRow.id).where(OutboxRow.published_at.is_(None))) is None

    until(marked, "rows are marked after their PUBACK")


def test_an_expired_row_is_not_published(scene: Scene) -> None:
    placed = scene.place()
    scene.later(31)
    scene.start()
    scene.observer.wait(topics.ORDER, lambda one: one.serial == placed.serial)
    scene.later(5)
    scene.reaches(placed.serial, OrderState.REFUSED)
    assert scene.observer.of(topics.REQUEST) == []


def test_the_configuration_stands_retained_follows_the_rows_and_strays_are_cleared(scene: Scene) -> None:
    stray = topics.CONFIG_FAULT_CODES.at(protocol="gone")
    scene.peer.say(topics.CONFIG_FAULT_CODES, FaultCodes(version=3, protocol="gone", codes=()), protocol="gone")
    scene.start()
    _, config = scene.observer.wait(topics.CONFIG_PILE, lambda one: one.pile == PILE)
    assert [gun.gun for gun in config.guns] == [1, 2]
    assert (config.station, config.version) == (STATION, 1)
    assert config.confirmed_tariff is not None
    assert (config.confirmed_tariff.version, config.confirmed_tariff.model_no) == ("v1", "0001")
    _, station = scene.observer.wait(topics.CONFIG_STATION, lambda one: one.station == STATION)
    assert station.transformers[0].rated_kva == 630
    assert station.piles[0].guns == config.guns
    _, tariff = scene.observer.wait(topics.CONFIG_TARIFF, lambda one: one.tariff_version == "v1")
    assert len(tariff.slots) == 48
    scene.observer.wait(topics.CONFIG_FAULT_CODES, lambda one: len(one.codes) > 94)  # bits, stops, findings
    until(lambda: _retained(scene, stray) == b"", "the stray is gone")
    with sessions(scene.engine).begin() as session:
        session.execute(update(Pile).values(number_only_login=True, source_networks=["127.0.0.0/8"], revision=2))
    scene.observer.wait(topics.CONFIG_PILE, lambda one: one.version == 2 and one.number_only_networks)


def _retained(scene: Scene, topic: str) -> bytes:
    """What stands on a topic; empty for nothing."""
    found: list[bytes] = []
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    granted: list[bool] = []
    client.on_subscribe = lambda *_: granted.append(True)
    client.on_message = lambda _c, _u, message: found.append(message.payload)
    client.connect("127.0.0.1", scene.settings.mqtt_port)
    client.loop_start()
    until(client.is_connected, "connected")
    client.subscribe(topic, 1)
    until(lambda: granted, "granted")
    marker = client.publish("test/round", b"", qos=1)
    marker.wait_for_publish(5)
    client.disconnect()
    client.loop_stop()
    return found[0] if found else b""


def test_a_rules_that_starts_is_told_every_admitted_order_and_then_answered(scene: Scene) -> None:
    scene.start()
    scene.peer.log_in()
    charging = scene.place()
    scene.charge(charging.serial)
    after = scene.observer.count
    scene.peer.rules_ready(since_ms=41)
    answered, level = scene.observer.wait(
        topics.SERVICE, lambda one: one.name == "worker" and any(a.since_ms == 41 for a in one.answered), after=after
    )
    (answer,) = level.answered
    assert (answer.instance, answer.resumes, level.ready) == ("1-of-1", 1, True)
    resumes = [(n, one) for n, _, one in scene.observer.of(topics.REQUEST) if isinstance(one, Resume)]
    ((number, resume),) = resumes
    assert number < answered
    assert (resume.serial, resume.rules_since_ms) == (charging.serial, 41)
    configurations = [n for n, _, _ in scene.observer.of(topics.CONFIG_STATION, after)]
    assert configurations
    assert after <= min(configurations) < number
    scene.peer.rules_ready(since_ms=42)
    scene.observer.wait(topics.SERVICE, lambda one: any(a.since_ms == 42 for a in one.answered), after=answered)


def test_a_message_that_nobody_understands_is_set_aside_and_delays_nothing(scene: Scene) -> None:
    scene.start()
    placed = scene.place()
    request = scene.request_of(placed.serial)
    verdict_topic = topics.VERDICT.at(station=STATION, pile=PILE, gun=1)
    scene.peer.send(verdict_topic, b"not json")
    poison = said.verdict(request.id, placed.serial, said.VerdictKind.ADMITTED)
    scene.peer.send(
        topics.VERDICT.at(station=STATION, pile=PILE, gun=1),
        topics.VERDICT.encode(msgspec.structs.replace(poison, cap_kw=1e300)),
    )
    scene.peer.say(
        topics.VERDICT, said.verdict(request.id, placed.serial, said.VerdictKind.REFUSED, Reason.BAND_BLOCKED)
    )
    scene.reaches(placed.serial, OrderState.REFUSED)
    file = scene.settings.var / "rejects" / "worker.jsonl"
    lines = [msgspec.json.decode(line, type=Reject) for line in file.read_bytes().splitlines()]
    assert [(line.reason, line.topic) for line in lines] == [
        ("not_understood", verdict_topic),
        ("not_handled", verdict_topic),
    ]
    assert lines[0].payload_hex == b"not json".hex()


def test_only_one_worker_works(scene: Scene) -> None:
    scene.start()
    scene.peer.log_in()
    first = scene.worker
    assert first is not None
    second = Worker(scene.settings, open_database(scene.url), scene.clock, scene.failed)
    waiting = Thread(target=second.start, daemon=True)
    waiting.start()
    until(lambda: "another process" in " ".join(second.health().reasons), "the second one waits")
    scene.stop()
    waiting.join(15)
    assert not waiting.is_alive()
    placed = scene.place()
    scene.request_of(placed.serial)
    second.stop()


def test_an_order_that_is_stopped_while_it_waits_leaves_the_queue(scene: Scene) -> None:
    scene.start()
    placed = scene.place()
    request = scene.request_of(placed.serial)
    verdict = said.verdict(request.id, placed.serial, said.VerdictKind.QUEUED)
    scene.peer.say(topics.VERDICT, verdict)
    scene.reaches(placed.serial, OrderState.QUEUED)
    with sessions(scene.engine).begin() as session:
        stop_order(session, placed.serial, by="customer:1", at=scene.clock.now())
    scene.observer.wait(topics.REQUEST, lambda one: isinstance(one, LeaveQueue) and one.serial == placed.serial)
    assert scene.wallet(placed.customer) == (30_000, 0, 0)
    assert scene.order(placed.serial).state is OrderState.CANCELLED
