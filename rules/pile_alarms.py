"""Warnings about a pile as a whole: its clock, a connection that changes hands again and again, a wrong key."""

from datetime import datetime, timedelta

from evcs.contracts.alarm import AlarmKind, Severity
from evcs.contracts.pile import PileEvent, PileEventKind
from rules.alarms import Open, alarm_id, clear_alarm, raise_alarm
from rules.known import Known
from rules.station import Pile, Station

CLOCK_WRONG, CLOCK_WRONG_S, CLOCK_RIGHT_S = "clock_wrong", 60.0, 50.0
"""A pile's clock error from which its charges are billed by marks (domain 4.2), and below which it is well again."""
REPLACED, REPLACED_AT, REPLACED_WITHIN = "connection_replaced", 3, timedelta(minutes=10)
KEY_REFUSED = "key_refused"
QUIET = timedelta(minutes=10)
"""What only events tell of is over when none has come for so long."""


def follow_clock(known: Known, station: Station, pile: Pile, now: datetime) -> None:
    """The pile's clock error as its status tells it (0x55)."""
    if pile.status is None or pile.limits is None or not known.has_picture:
        return
    offset_s = pile.status.clock_offset_s
    id = alarm_id(CLOCK_WRONG, pile.number)
    if offset_s is None or abs(offset_s) <= CLOCK_WRONG_S:
        if offset_s is not None and abs(offset_s) <= CLOCK_RIGHT_S and station.alarms.standing:
            clear_alarm(known, station.code, id, now)
        return
    way_zh, way_en = ("快", "fast") if offset_s > 0 else ("慢", "slow")
    raise_alarm(
        known,
        Open(
            id=id,
            code=CLOCK_WRONG,
            kind=AlarmKind.WARNING,
            severity=Severity.WARNING,
            station=station.code,
            pile=pile.number,
            zh=f"充电桩时钟{way_zh} {abs(offset_s):.0f} 秒（允许 {CLOCK_WRONG_S:.0f} 秒），其订单按打点计费；请对时。",
            en=f"The pile's clock is {abs(offset_s):.0f} s {way_en} (allowed: {CLOCK_WRONG_S:.0f} s), so its charges "
            "are billed by marks; set its clock.",
            value=offset_s,
            limit=CLOCK_WRONG_S,
            unit="s",
        ),
        now,
    )


def follow_restored(known: Known, station: Station, pile: Pile, now: datetime) -> None:
    """After a restart: a clock warning stands as long as no status says otherwise."""
    standing = station.alarms.standing.get(alarm_id(CLOCK_WRONG, pile.number))
    if standing is not None:
        standing.is_confirmed = True
    follow_clock(known, station, pile, now)


def on_event(known: Known, station: Station, pile: Pile, event: PileEvent, now: datetime) -> None:
    """A connection that was replaced is an alarm from the third within ten minutes on, a wrong key at once."""
    if pile.limits is None or now - event.received_at > QUIET:
        return
    at = min(event.received_at, now)
    match event.kind:
        case PileEventKind.CONNECTION_REPLACED:
            id = alarm_id(REPLACED, pile.number)
            times = station.alarms.happened(id, at, REPLACED_WITHIN)
            if times >= REPLACED_AT:
                zh = f"10 分钟内有 {times} 个新连接以该桩号登录；可能两台设备用了同一桩号，或网络反复中断。"
                en = (
                    f"{times} new connections within 10 min logged in with this pile's number: two devices may "
                    "share it, or its network breaks again and again."
                )
                open = _open(station, pile, REPLACED, Severity.WARNING, zh, en, event.text)
                raise_alarm(known, open, now, at=at, until=at + QUIET)
        case PileEventKind.KEY_REFUSED:
            zh = f"有设备以错误的密钥登录该桩（{event.text}）。"
            en = f"Somebody tried to log in as this pile with a wrong key ({event.text})."
            open = _open(station, pile, KEY_REFUSED, Severity.CRITICAL, zh, en, event.text)
            raise_alarm(known, open, now, at=at, until=at + QUIET)


def _open(station: Station, pile: Pile, code: str, severity: Severity, zh: str, en: str, raw: str) -> Open:
    return Open(
        id=alarm_id(code, pile.number),
        code=code,
        kind=AlarmKind.WARNING,
        severity=severity,
        station=station.code,
        pile=pile.number,
        zh=zh,
        en=en,
        raw=raw,
    )
