"""Who holds a pile: other bridges, earlier runs, changed configuration; and the receipts of what was said."""

from datetime import timedelta
from typing import Any

import pytest

from evcs.contracts.envelope import Receipt
from evcs.contracts.gun import MarkReason
from evcs.contracts.pile import PileEventKind, PileStatus
from evcs.contracts.states import GunState
from evcs.contracts.topics import GUN_STATE, METER, PILE_EVENT, PILE_STATUS, TELEMETRY
from tests.bridge.kit import PILE, SERIAL, Desk, Wire, charging, heartbeat, login, pile_config, realtime


def status_of(
    desk: Desk,
    *,
    bridge: str = "b2",
    started_ms: int = 1,
    login_s: float = 10.0,
    online: bool = True,
    ahead_ms: int = 5000,
) -> PileStatus:
    """Another bridge's word; its login `login_s` after now."""
    at = desk.clock.now()
    return PileStatus(
        receipt=Receipt(bridge=bridge, started_ms=started_ms, n=1),
        version=desk.clock.now_ms() + ahead_ms,
        pile=PILE,
        online=online,
        since=at,
        login_at=at + timedelta(seconds=login_s),
        link="foreign",
        bridge=bridge,
        bridge_started_ms=started_ms,
        protocol="ykc1.6",
        gun_count=2,
    )


def test_a_newer_login_elsewhere_takes_the_pile_and_its_levels() -> None:
    desk = Desk().ready()
    desk.wire.say(charging())
    desk.forget_all()
    desk.fleet.foreign_status(status_of(desk), desk.now)
    assert desk.wire.closed == "held_elsewhere"
    assert desk.published == []  # what it is, the other bridge says
    assert len(desk.forgotten) == 3
    desk.wire.cut()
    assert desk.published == []


@pytest.mark.parametrize("change", [{"login_s": -10.0}, {"online": False}])
def test_an_older_or_ended_hold_elsewhere_is_outbid(change: dict[str, Any]) -> None:
    desk = Desk().ready()
    foreign = status_of(desk, **change)
    desk.fleet.foreign_status(foreign, desk.now)
    again = desk.last(PILE_STATUS)
    assert (again.bridge, again.online) == ("b1", True)
    assert again.version > foreign.version
    assert desk.wire.closed is None


def test_a_pile_that_came_back_to_another_bridge_is_not_said_offline_again() -> None:
    desk = Desk().ready()
    desk.wire.cut()
    desk.forget_all()
    desk.fleet.foreign_status(status_of(desk), desk.now)
    assert desk.published == []
    assert desk.forgotten == list(desk.pile.level_topics())


def test_piles_of_an_earlier_run_are_said_offline() -> None:
    desk = Desk()
    before = status_of(desk, bridge="b1", started_ms=1, login_s=-100)
    assert desk.fleet.offline_after_restart([before], desk.now) == 1
    status = desk.last(PILE_STATUS)
    assert (status.online, status.bridge_started_ms, status.protocol) == (False, desk.fleet.run.started_ms, "ykc1.6")
    assert status.version > before.version
    assert desk.fleet.offline_after_restart([status_of(desk, online=False)], desk.now) == 0


def test_an_earlier_runs_word_on_a_held_pile_is_outbid() -> None:
    desk = Desk().ready()
    old = status_of(desk, bridge="b1", started_ms=1, login_s=-100)
    assert desk.fleet.offline_after_restart([old], desk.now) == 0
    again = desk.last(PILE_STATUS)
    assert again.online
    assert again.version > old.version


def test_a_login_after_a_restart_stays_above_the_earlier_versions() -> None:
    desk = Desk()
    desk.fleet.offline_after_restart([status_of(desk, bridge="b1", ahead_ms=60_000)], desk.now)
    desk.wire.say(login())
    versions = [status.version for status in desk.of(PILE_STATUS)]
    assert versions == sorted(set(versions))
    assert versions[0] > desk.clock.now_ms() + 60_000


@pytest.mark.parametrize("change", [{"station": "HZ002"}, {"guns": 1}, {"kind": "ac"}])
def test_another_station_or_set_of_guns_makes_it_log_in_anew(change: dict[str, Any]) -> None:
    desk = Desk().ready()
    desk.wire.say(charging())
    old = desk.pile.level_topics()
    desk.fleet.configured(pile_config(version=2, **change), desk.now)
    assert desk.wire.closed == "config_changed"
    assert desk.cleared == list(old)
    assert [mark.why for mark in desk.of(METER)][-1] is MarkReason.LINK_LOST
    desk.wire.cut()
    desk.wire = Wire(desk)
    desk.wire.say(login(guns=len(desk.fleet.piles[PILE].guns)))
    assert desk.wire.link.is_logged_in


def test_an_older_configuration_changes_nothing() -> None:
    desk = Desk(pile_config(version=5)).ready()
    desk.fleet.configured(pile_config(version=4, guns=1), desk.now)
    assert desk.wire.closed is None
    assert len(desk.pile.guns) == 2


def test_a_pile_that_is_taken_out_of_the_configuration_is_closed_and_its_levels_go() -> None:
    desk = Desk().ready()
    topics = desk.pile.level_topics()
    desk.fleet.unconfigured(PILE, desk.now)
    assert desk.wire.closed == "config_changed"
    assert desk.cleared == list(topics)
    desk.wire = Wire(desk)
    desk.wire.say(login())
    assert desk.wire.closed == "login_refused"


def test_a_protocol_that_this_bridge_does_not_speak_is_no_pile_of_its() -> None:
    desk = Desk()
    odd = pile_config("55031412000005")
    desk.fleet.configured(
        type(odd)(**{**{name: getattr(odd, name) for name in odd.__struct_fields__}, "protocol": "ocpp"}), desk.now
    )
    assert "55031412000005" not in desk.fleet.piles


def test_receipts_count_each_leaf_without_gaps_and_close_each_hour() -> None:
    desk = Desk()
    desk.log_in()
    for minute in range(70):
        for _ in range(6):
            desk.wire.say(heartbeat())
            desk.wait(10, step=5)
        desk.wire.say(realtime(1 + minute % 2))
    for topic in (TELEMETRY, GUN_STATE, PILE_STATUS, PILE_EVENT):
        numbers = [message.receipt.n for message in desk.of(topic)]
        assert numbers == list(range(1, len(numbers) + 1)), topic.leaf
    [closed] = [event for event in desk.of(PILE_EVENT) if event.kind is PileEventKind.RECEIPTS_CLOSED]
    counts = {count.leaf: (count.first, count.last) for count in closed.counts}
    assert closed.hour == desk.of(PILE_STATUS)[0].since  # the hour that began at noon
    assert counts["telemetry"] == (1, 59)
    assert {"gun_state", "pile_status", "pile_event"} <= set(counts)


def test_a_lost_link_keeps_the_serial_and_the_return_tells_the_truth() -> None:
    desk = Desk().ready()
    desk.wire.say(charging())
    desk.wire.cut()
    assert (desk.last(GUN_STATE, 1).state, desk.last(GUN_STATE, 1).serial) == (GunState.OFFLINE, SERIAL)
    assert desk.last(METER).why is MarkReason.LINK_LOST
    desk.wire = Wire(desk)
    desk.forget_all()
    desk.log_in()
    states = [(level.state, level.serial) for level in desk.of(GUN_STATE, 1)]
    assert states == [(GunState.OFFLINE, SERIAL)]  # nobody may take a login for an end
    desk.wire.say(realtime(1, plugged=1))
    assert (desk.last(GUN_STATE, 1).state, desk.last(GUN_STATE, 1).serial) == (GunState.FINISHED, SERIAL)


def test_a_gun_that_says_nothing_after_the_login_is_asked_again() -> None:
    desk = Desk()
    desk.log_in()
    asked = len(desk.wire.sent)
    desk.keep_alive(31)
    again = [message for message in desk.wire.sent[asked:] if message.code == 0x12]
    assert len(again) == 2
