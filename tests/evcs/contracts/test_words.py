"""Waits, reasons, serials, times: the small declarations that everybody leans on."""

import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evcs.contracts import times, waits
from evcs.contracts.ids import serial_number
from evcs.contracts.reasons import SENTENCES, Reason, sentence
from evcs.contracts.states import GunState, shown_state

INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def test_waits_stand_in_their_order() -> None:
    assert waits.ASK_S < waits.CAP_ANSWER_S <= waits.REPEAT_S < waits.CARD_ANSWER_S < waits.START_WRITTEN_S
    assert waits.START_WRITTEN_S < waits.REQUEST_S < waits.VERDICT_S
    assert waits.NOT_PLUGGED_S < waits.CHARGE_BEGINS_S
    assert waits.START_WRITTEN_S + waits.CHARGE_BEGINS_S <= waits.START_DEADLINE_S == waits.UNSTARTED_SESSION_S
    assert waits.STOP_ANSWER_S < waits.STOP_ALARM_S < waits.STOP_DEADLINE_S
    assert waits.MARKS_S < waits.RECORD_S < waits.PROVISIONAL_S < waits.LOST_LINK_S < waits.REVIEW_S
    assert waits.HEARTBEAT_S * waits.HEARTBEATS_LOST < waits.SILENT_LINK_S < waits.LOGIN_S
    assert waits.TELEMETRY_FRESH_S < waits.METER_FRESH_S


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_says_what_to_do_in_both_languages(reason: Reason) -> None:
    said = SENTENCES[reason]
    assert said.zh.endswith("。")
    assert said.en.endswith(".")
    fields = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (said.zh, said.en)]
    assert fields[0] == fields[1]
    assert "{" not in sentence(reason).zh + sentence(reason).en


def test_figures_are_filled_in() -> None:
    said = sentence(Reason.BAND_BLOCKED, load_pct=83.2, blocked_pct=80)
    assert "83.2%" in said.zh
    assert "80%" in said.en


def test_a_serial_is_pile_gun_time_counter() -> None:
    assert serial_number("32010600019236", 1, "200106180342", 3060) == "32010600019236012001061803423060"
    with pytest.raises(ValueError, match="32 digits"):
        serial_number("123456789012345", 1, "200106180342", 0)


@given(INSTANTS)
def test_milliseconds_are_exact(instant: datetime) -> None:
    whole = instant.replace(microsecond=instant.microsecond // 1000 * 1000)
    assert times.from_ms(times.to_ms(instant)) == whole


@given(INSTANTS)
def test_a_slot_contains_its_instants(instant: datetime) -> None:
    start = times.slot_start(instant)
    assert start <= instant < start + times.SLOT
    assert times.slot_of(start) == times.slot_of(instant)
    assert times.slot_of(start - timedelta(microseconds=1)) == (times.slot_of(instant) - 1) % times.SLOTS_A_DAY


def test_the_day_is_beijings() -> None:
    assert times.civil_day(datetime(2026, 11, 24, 16, 0, tzinfo=UTC)).isoformat() == "2026-11-25"
    assert times.civil_day(datetime(2026, 11, 24, 15, 59, 59, tzinfo=UTC)).isoformat() == "2026-11-24"
    assert times.beijing_digits(datetime(2026, 11, 24, 16, 0, tzinfo=UTC)) == "261125000000"


def test_a_gun_is_offline_with_its_pile_or_bridge() -> None:
    assert shown_state(GunState.CHARGING, pile_online=True, bridge_online=True) is GunState.CHARGING
    assert shown_state(GunState.CHARGING, pile_online=True, bridge_online=False) is GunState.OFFLINE
    assert shown_state(GunState.CHARGING, pile_online=False, bridge_online=True) is GunState.OFFLINE
