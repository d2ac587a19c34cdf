"""Start, stop, record and confirmation of one gun, as the pile and the platform see them."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.codes import GunState as WireGun
from bridge.protocols.ykc.codes import StartFailure, StopFailure
from evcs.contracts.gun import GunEventKind, GunReply, MarkReason, RecordConfirm
from evcs.contracts.pile import Outcome
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GunState, StartSource, StopClass
from evcs.contracts.topics import GUN_EVENT, GUN_REPLY, GUN_STATE, METER, RECORD, TELEMETRY
from tests.bridge.kit import (
    OTHER_SERIAL,
    PILE,
    SERIAL,
    V2,
    Desk,
    Wire,
    charging,
    locked_out,
    login,
    pile_config,
    realtime,
    record,
    start_answer,
    stop_answer,
)


def replies(desk: Desk) -> list[GunReply]:
    return desk.of(GUN_REPLY)


def started(desk: Desk) -> Desk:
    desk.start(desk.start_command())
    desk.wire.say(start_answer())
    desk.wire.say(charging())
    return desk


def test_a_start_is_shown_as_soon_as_it_is_written() -> None:
    desk = Desk().ready()
    desk.start(desk.start_command())
    [start] = desk.wire.told(ykc.RemoteStart)
    assert (start.trade_no, start.balance, start.physical_card) == (SERIAL, Decimal("50.00"), "0" * 16)
    level = desk.last(GUN_STATE)
    assert (level.state, level.serial) == (GunState.STARTING, SERIAL)
    assert replies(desk) == []


@pytest.mark.parametrize(
    ("act", "outcome", "reason", "code", "state"),
    [
        (lambda desk: desk.wire.say(start_answer()), Outcome.ACCEPTED, None, None, GunState.STARTING),
        (lambda desk: desk.wire.say(charging()), Outcome.ACCEPTED, None, None, GunState.CHARGING),
        (
            lambda desk: desk.wire.say(start_answer(ok=False, why=StartFailure.DEVICE_FAULT)),
            Outcome.REFUSED,
            Reason.GUN_FAULTED,
            3,
            GunState.PLUGGED,
        ),
        (
            lambda desk: desk.wire.say(start_answer(ok=False, why=0x33)),
            Outcome.REFUSED,
            Reason.PILE_REFUSED,
            0x33,
            GunState.PLUGGED,
        ),
        (lambda desk: desk.keep_alive(91), Outcome.TIMED_OUT, Reason.TIMED_OUT, None, GunState.PLUGGED),
        (
            lambda desk: desk.wire.say(record(kwh="0", stop=0x59)),
            Outcome.REFUSED,
            Reason.PILE_REFUSED,
            0x59,
            GunState.PLUGGED,
        ),
        (lambda desk: desk.wire.say(record(kwh="0.5")), Outcome.ACCEPTED, None, None, GunState.PLUGGED),
    ],
)
def test_what_becomes_of_a_start(
    act: Callable[[Desk], None], outcome: Outcome, reason: Reason | None, code: int | None, state: GunState
) -> None:
    desk = Desk().ready()
    desk.start(desk.start_command())
    act(desk)
    [reply] = replies(desk)
    assert (reply.outcome, reply.reason, reply.pile_code) == (outcome, reason, code)
    assert desk.last(GUN_STATE).state is state
    failed = [event for event in desk.of(GUN_EVENT) if event.kind is GunEventKind.START_FAILED]
    assert bool(failed) == (outcome is not Outcome.ACCEPTED)


def test_not_plugged_counts_only_after_a_minute() -> None:
    desk = Desk().ready()
    desk.start(desk.start_command())
    desk.wire.say(start_answer(ok=False, why=StartFailure.NOT_PLUGGED))
    desk.keep_alive(59)
    assert replies(desk) == []
    desk.keep_alive(2)
    [reply] = replies(desk)
    assert (reply.outcome, reply.reason, reply.pile_code) == (Outcome.REFUSED, Reason.GUN_NOT_PLUGGED, 5)
    assert reply.pile_text_zh == "未插枪"


def test_a_plug_within_the_minute_takes_the_refusal_back() -> None:
    desk = Desk().ready()
    desk.start(desk.start_command())
    desk.wire.say(start_answer(ok=False, why=StartFailure.NOT_PLUGGED))
    desk.keep_alive(40)
    desk.wire.say(start_answer())
    desk.keep_alive(30)
    assert [reply.outcome for reply in replies(desk)] == [Outcome.ACCEPTED]


def test_the_reading_outranks_a_refusal_but_the_one_reply_stands() -> None:
    desk = Desk().ready()
    desk.start(desk.start_command())
    desk.wire.say(start_answer(ok=False, why=StartFailure.DEVICE_OFFLINE))
    desk.wire.say(charging())
    assert [reply.outcome for reply in replies(desk)] == [Outcome.REFUSED]
    assert desk.last(GUN_STATE).serial == SERIAL


def test_an_accepted_start_that_never_charges_is_told() -> None:
    desk = Desk().ready()
    desk.start(desk.start_command())
    desk.wire.say(start_answer())
    desk.keep_alive(95)
    assert [reply.outcome for reply in replies(desk)] == [Outcome.ACCEPTED]
    assert desk.last(GUN_STATE).state is GunState.PLUGGED
    assert desk.last(GUN_EVENT).kind is GunEventKind.START_FAILED


def test_a_repeated_start_gets_the_reply_and_no_second_frame() -> None:
    desk = Desk().ready()
    command = desk.start_command()
    desk.start(command)
    desk.start(command)
    assert replies(desk) == []
    desk.wire.say(start_answer())
    desk.start(command)
    first, second = replies(desk)
    assert first == second
    assert len(desk.wire.told(ykc.RemoteStart)) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"tariff": "hz-2"}, Reason.TARIFF_DIFFERS),
        ({"expires_in_s": 0.0}, Reason.EXPIRED),
        ({"link": "another"}, None),
        ({"link": ""}, None),
        ({"bridge": "b2"}, None),
    ],
)
def test_starts_that_are_not_written(change: dict[str, Any], reason: Reason | None) -> None:
    desk = Desk().ready()
    desk.start(desk.start_command(**change))
    assert [reply.reason for reply in replies(desk)] == ([] if reason is None else [reason])
    assert not desk.wire.sent


def test_no_start_without_a_confirmed_tariff() -> None:
    desk = Desk(pile_config(confirmed=None))
    desk.wire.say(login())
    desk.wire.say(realtime(1, plugged=1))
    desk.start(desk.start_command())
    assert [reply.reason for reply in replies(desk)] == [Reason.NO_TARIFF]


@pytest.mark.parametrize("where", ["lockout", "gun_lockout"])
def test_a_locked_out_gun_starts_from_no_source(where: str) -> None:
    desk = Desk(pile_config(**{where: locked_out()})).ready()
    desk.start(desk.start_command())
    assert [reply.reason for reply in replies(desk)] == [Reason.LOCKED_OUT]
    assert not desk.wire.told(ykc.RemoteStart)


def test_a_busy_gun_is_not_started_again() -> None:
    desk = started(Desk().ready())
    desk.start(desk.start_command("start-2", OTHER_SERIAL))
    desk.start(desk.start_command("start-3", SERIAL))  # what it wants is so already
    assert [(reply.id, reply.outcome, reply.reason) for reply in replies(desk)[1:]] == [
        ("start-2", Outcome.REFUSED, Reason.GUN_BUSY),
        ("start-3", Outcome.ACCEPTED, None),
    ]
    assert len(desk.wire.told(ykc.RemoteStart)) == 1


def test_a_written_start_survives_a_lost_link() -> None:
    desk = Desk().ready()
    command = desk.start_command()
    desk.start(command)
    desk.wire.cut()
    assert replies(desk) == []
    assert (desk.last(GUN_STATE, 1).state, desk.last(GUN_STATE, 1).serial) == (GunState.OFFLINE, SERIAL)
    desk.wait(10)
    desk.wire = Wire(desk)
    desk.log_in()
    desk.start(desk.start_command())  # the same id to the new link
    assert not desk.wire.told(ykc.RemoteStart)
    desk.wire.say(charging())
    assert [reply.outcome for reply in replies(desk)] == [Outcome.ACCEPTED]


def test_a_written_start_whose_pile_stays_away_runs_out() -> None:
    desk = Desk().ready()
    desk.start(desk.start_command())
    desk.wire.cut()
    desk.wait(95, step=1)
    assert [reply.outcome for reply in replies(desk)] == [Outcome.TIMED_OUT]


def test_telemetry_of_a_charge() -> None:
    desk = started(Desk().ready())
    point = desk.last(TELEMETRY)
    assert (point.state, point.serial, point.power_kw, point.energy_kwh) == (
        GunState.CHARGING,
        SERIAL,
        40.0,
        Decimal("1.2345"),
    )
    assert (point.soc_pct, point.cable_temp_c, point.battery_temp_max_c, point.cost_fen) == (
        40.0,
        31,
        28,
        Decimal("123.0000"),
    )


def test_telemetry_at_rest_has_no_values() -> None:
    desk = Desk().ready()
    desk.wire.say(realtime(1, plugged=1))
    point = desk.last(TELEMETRY)
    values = (point.voltage_v, point.current_a, point.power_kw, point.energy_kwh, point.soc_pct, point.cable_temp_c)
    assert values == (None,) * 6


def test_ac_power_comes_from_energy() -> None:
    desk = Desk(pile_config(kind="ac")).ready()
    desk.wire.say(charging(kwh="1.0000", voltage="220.0", current="32.0"))
    assert desk.last(TELEMETRY).power_kw is None
    desk.clock.advance(15)
    desk.wire.say(charging(kwh="1.0292", voltage="220.0", current="32.0"))
    assert desk.last(TELEMETRY).power_kw == 7.008


def test_a_pause_is_still_a_charge_with_zeros() -> None:
    desk = started(Desk().ready())
    desk.wire.say(charging(voltage="0", current="0"))
    point = desk.last(TELEMETRY)
    assert (point.state, point.voltage_v, point.current_a, point.power_kw) == (GunState.CHARGING, 0.0, 0.0, 0.0)


def test_a_charge_that_nobody_here_started_is_reported_with_its_serial() -> None:
    desk = Desk().ready()
    desk.wire.say(charging(OTHER_SERIAL))
    assert (desk.last(GUN_STATE).state, desk.last(GUN_STATE).serial) == (GunState.CHARGING, OTHER_SERIAL)
    assert [mark.why for mark in desk.of(METER)] == [MarkReason.BEGIN]


def test_a_stop_names_the_charge_that_runs() -> None:
    desk = started(Desk().ready())
    desk.stop(desk.stop_command("wrong", OTHER_SERIAL))
    assert not desk.wire.told(ykc.RemoteStop)
    desk.stop(desk.stop_command("right"))
    assert len(desk.wire.told(ykc.RemoteStop)) == 1
    desk.wire.say(stop_answer())
    desk.stop(desk.stop_command("right"))
    desk.stop(desk.stop_command("whatever", None))
    assert len(desk.wire.told(ykc.RemoteStop)) == 2
    desk.wire.say(stop_answer(ok=False, why=StopFailure.NOT_CHARGING))
    assert [(reply.id, reply.outcome, reply.reason, reply.pile_code) for reply in replies(desk)[1:]] == [
        ("wrong", Outcome.REFUSED, Reason.NOT_CHARGING, None),
        ("right", Outcome.ACCEPTED, None, None),
        ("right", Outcome.ACCEPTED, None, None),
        ("whatever", Outcome.REFUSED, Reason.NOT_CHARGING, 2),
    ]


def test_an_unanswered_stop_times_out_and_a_new_id_goes_out_again() -> None:
    desk = started(Desk().ready())
    desk.stop(desk.stop_command("one"))
    desk.wait(11)
    desk.stop(desk.stop_command("two"))
    assert [(reply.id, reply.outcome) for reply in replies(desk)[1:]] == [("one", Outcome.TIMED_OUT)]
    assert len(desk.wire.told(ykc.RemoteStop)) == 2


def test_a_starting_gun_can_be_stopped() -> None:
    desk = Desk().ready()
    desk.start(desk.start_command())
    desk.stop(desk.stop_command())
    assert desk.wire.told(ykc.RemoteStop)


def test_a_start_that_waits_for_its_cap_is_called_off_by_a_stop() -> None:
    desk = Desk().ready()
    desk.start(desk.start_command(allowance_kw=60.0))
    desk.stop(desk.stop_command())
    desk.wire.answer_cap()
    assert [(reply.command, reply.outcome) for reply in replies(desk)] == [
        ("start", Outcome.REFUSED),
        ("stop", Outcome.ACCEPTED),
    ]
    assert not desk.wire.told(ykc.RemoteStart)


def test_a_stop_right_after_a_login_waits_until_it_is_known_what_runs() -> None:
    desk = Desk()
    desk.log_in()
    desk.stop(desk.stop_command())
    assert not desk.wire.told(ykc.RemoteStop)
    desk.wire.say(charging())
    assert desk.wire.told(ykc.RemoteStop)


def test_a_late_stop_is_not_carried_out() -> None:
    desk = started(Desk().ready())
    desk.stop(desk.stop_command(expires_in_s=0))
    assert replies(desk)[-1].outcome is Outcome.EXPIRED
    assert not desk.wire.told(ykc.RemoteStop)


def test_the_record_is_published_each_time_with_its_frame_and_confirmed_only_when_told() -> None:
    desk = started(Desk().ready())
    desk.wire.say(realtime(1, plugged=1))
    desk.wire.say(record())
    desk.keep_alive(30)
    desk.wire.say(record())
    assert not desk.wire.told(ykc.RecordConfirmation)
    first, second = desk.of(RECORD)
    assert first.id != second.id
    assert (first.serial, first.energy_kwh, first.amount_e4, first.source) == (
        SERIAL,
        Decimal("9.8765"),
        118_518,
        StartSource.APP,
    )
    assert (first.stop_code, first.stop_class, first.frame_hex[:4]) == (0x40, StopClass.NORMAL, "68a2")
    flat = next(line for line in first.bands if line.band == "flat")
    assert (flat.price_e5, flat.energy_kwh) == (120_000, Decimal("9.8765"))
    stopped = [event for event in desk.of(GUN_EVENT) if event.kind is GunEventKind.STOPPED]
    assert [(event.pile_code, event.vin) for event in stopped] == [(0x40, "LSVAU2180N2183294")]

    desk.fleet.confirm(PILE, 1, RecordConfirm(id="c-1", serial=SERIAL), desk.now)
    assert desk.wire.told(ykc.RecordConfirmation) == [ykc.RecordConfirmation(trade_no=SERIAL, result=0)]
    event = desk.last(GUN_EVENT)
    assert (event.kind, event.id, event.serial) == (GunEventKind.CONFIRM_SENT, "c-1", SERIAL)


def test_a_confirmation_without_a_link_is_dropped_and_said_nothing_about() -> None:
    desk = Desk().ready()
    desk.wire.cut()
    desk.forget_all()
    desk.fleet.confirm(PILE, 1, RecordConfirm(id="c-1", serial=SERIAL), desk.now)
    assert desk.published == []
    assert desk.tally.confirms_without_pile == 1


def test_a_record_ends_the_charge_with_its_own_figures() -> None:
    desk = started(Desk().ready())
    desk.wire.say(record())
    end = desk.last(METER)
    assert (end.why, end.energy_kwh, end.register_kwh) == (MarkReason.END, Decimal("9.8765"), Decimal("109.8765"))
    assert (desk.last(GUN_STATE).state, desk.last(GUN_STATE).serial) == (GunState.FINISHED, SERIAL)
    desk.wire.say(realtime(1, plugged=1))
    assert len([mark for mark in desk.of(METER) if mark.why is MarkReason.END]) == 1


def test_a_record_of_a_gun_that_is_not_configured_is_not_lost() -> None:
    desk = Desk().ready()
    desk.wire.say(record(gun=7))
    assert [bill.gun for bill in desk.of(RECORD)] == [7]
    assert desk.of(GUN_STATE) == []


def test_a_record_of_a_pile_without_a_clock_still_arrives() -> None:
    desk = Desk().ready()
    bare = record()
    desk.wire.say(type(bare)(**{**vars(bare), "start_time": bytes(7), "end_time": bytes(7)}))
    [bill] = desk.of(RECORD)
    assert bill.started_at == bill.received_at
    assert not bill.is_timed
    desk.wire.say(bare)
    assert desk.of(RECORD)[-1].is_timed


def test_half_hours_are_asked_for() -> None:
    desk = started(Desk().ready())
    desk.wire.sent.clear()
    desk.clock.advance(1799)
    desk.wire.say(charging(kwh="5.0"))
    desk.wait(2)
    assert desk.wire.told(ykc.ReadRealtime) == [ykc.ReadRealtime(pile_no=PILE, gun_no="01")]
    desk.wire.say(charging(kwh="5.1"))
    mark = desk.last(METER)
    assert (mark.why, mark.energy_kwh) == (MarkReason.HALF_HOUR, Decimal("5.1"))


def test_faults_are_events_and_a_level() -> None:
    desk = Desk().ready()
    desk.wire.say(realtime(1, WireGun.FAULT, plugged=1, fault_bits=0x0041))
    desk.wire.say(realtime(1, plugged=1))
    assert [(event.kind, event.fault_bits) for event in desk.of(GUN_EVENT)] == [
        (GunEventKind.FAULT_RAISED, 0x0041),
        (GunEventKind.FAULT_CLEARED, 0x0041),
    ]
    assert [(level.state, level.fault_bits) for level in desk.of(GUN_STATE)] == [
        (GunState.FAULTED, 0x0041),
        (GunState.PLUGGED, 0),
    ]


def test_levels_grow_in_version_over_links_and_a_corrected_clock() -> None:
    desk = started(Desk().ready())
    desk.wire.cut()
    desk.clock.set(desk.clock.now() - timedelta(hours=1))
    desk.wire = Wire(desk)
    desk.log_in()
    desk.wire.say(charging())
    keys = [(level.login_ms, level.version) for level in desk.of(GUN_STATE, 1)]
    assert keys == sorted(set(keys))


def test_a_start_with_another_tariff_than_wanted_but_confirmed_is_written() -> None:
    desk = Desk().ready()
    desk.fleet.configured(pile_config(version=2, wanted=V2), desk.now)
    desk.start(desk.start_command(tariff="hz-1"))
    assert desk.wire.told(ykc.RemoteStart)
