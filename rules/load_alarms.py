"""What people have to know about a transformer at once: too much load, a dead meter, degraded mode."""

from datetime import datetime

from evcs.contracts.alarm import AlarmKind, Severity
from evcs.contracts.states import Band
from evcs.contracts.waits import METER_FRESH_S
from rules.alarms import Open, alarm_id, clear_alarm, raise_alarm
from rules.bands import lasted
from rules.degraded import is_allowed
from rules.known import Known
from rules.load import Load
from rules.policy import clock
from rules.station import Station, Transformer

OVERLOAD, OVER_BLOCKED = "overload", "over_blocked"
METER_STALE, DEGRADED = "meter_stale", "degraded"
CALM_S = 60.0
"""So long at or below the overload threshold the overload is over."""


def follow_load_alarms(known: Known, station: Station, transformer: Transformer, load: Load, now: datetime) -> None:
    """Raise and clear them by the load of this moment; once a second, so an excess is told within 15 s (promise S1)."""
    _overload(known, station, transformer, load, now)
    _over_blocked(known, station, transformer, load, now)
    _meter(known, station, transformer, load, now)


def _overload(known: Known, station: Station, transformer: Transformer, load: Load, now: datetime) -> None:
    config, excess = transformer.config, transformer.excess
    assert config is not None
    id = alarm_id(OVERLOAD, transformer.code)
    if excess.over_since is not None:
        limit, load_pct = f"{config.overload_pct:g}", _whole(load.load_pct)
        raise_alarm(
            known,
            Open(
                id=id,
                code=OVERLOAD,
                kind=AlarmKind.WARNING,
                severity=Severity.CRITICAL,
                station=station.code,
                transformer=transformer.code,
                value=load_pct,
                limit=config.overload_pct,
                unit="%",
                zh=f"变压器负荷超过 {limit}%。满 {config.overload_s:g} 秒自动降低正在充电的功率；"
                f"降到最低后仍超过 {config.overload_stop_after_s:g} 秒，逐个停止最后启动的充电。请立即减少其他用电。",
                en=f"The transformer carries more than {limit}%. After {config.overload_s:g} s running sessions are "
                f"curtailed; {config.overload_stop_after_s:g} s after nothing more can be taken from them the newest "
                "are stopped one by one. Switch off other load now.",
            ),
            now,
        )
    elif lasted(excess.within_since, CALM_S, now):
        clear_alarm(known, station.code, id, now)


def _over_blocked(known: Known, station: Station, transformer: Transformer, load: Load, now: datetime) -> None:
    """The rule admits nothing beyond this threshold, so what is over it comes from load that it does not control."""
    config, band = transformer.config, transformer.band.shown
    assert config is not None
    id = alarm_id(OVER_BLOCKED, transformer.code)
    if band is Band.BLOCKED:
        raise_alarm(
            known,
            Open(
                id=id,
                code=OVER_BLOCKED,
                kind=AlarmKind.WARNING,
                severity=Severity.WARNING,
                station=station.code,
                transformer=transformer.code,
                value=_whole(load.load_pct),
                limit=config.blocked_pct,
                unit="%",
                zh=f"变压器负荷超过 {config.blocked_pct:g}%，暂停新的充电；"
                f"低于 {config.blocked_release_pct:g}% 满 {config.blocked_release_s:g} 秒后重新开放。"
                "请检查站内其他用电。",
                en=f"The transformer carries more than {config.blocked_pct:g}%; new charges wait until it has been "
                f"below {config.blocked_release_pct:g}% for {config.blocked_release_s:g} s. "
                "Look at the other load behind it.",
            ),
            now,
        )
    elif band is not Band.UNKNOWN:
        clear_alarm(known, station.code, id, now)


def _meter(known: Known, station: Station, transformer: Transformer, load: Load, now: datetime) -> None:
    config, configured = transformer.config, transformer.configured
    assert config is not None
    assert configured is not None
    stale, degraded = alarm_id(METER_STALE, transformer.code), alarm_id(DEGRADED, transformer.code)
    if load.meter_kva is not None or not config.has_meter:
        transformer.unread_since = None
        clear_alarm(known, station.code, stale, now)
    else:
        transformer.unread_since = transformer.unread_since or now
        at = transformer.reading_at
        if at is not None or lasted(transformer.unread_since, METER_FRESH_S, now):
            last_zh = "自启动以来没有读数" if at is None else f"最后一次读数 {clock(at)}"
            last_en = "none since the start" if at is None else f"the last one at {clock(at)}"
            raise_alarm(
                known,
                Open(
                    id=stale,
                    code=METER_STALE,
                    kind=AlarmKind.WARNING,
                    severity=Severity.WARNING,
                    station=station.code,
                    transformer=transformer.code,
                    limit=METER_FRESH_S,
                    unit="s",
                    zh=f"变压器电表超过 {METER_FRESH_S:g} 秒没有有效读数（{last_zh}），暂停新的充电。"
                    "请检查电表和通信；必要时由两人启用降级运行。",
                    en=f"The transformer's meter has given no valid reading for {METER_FRESH_S:g} s ({last_en}); new "
                    "charges wait. Check the meter and its line; two people may switch to degraded mode.",
                ),
                now,
            )
    if transformer.is_degraded and is_allowed(configured, now) and configured.degraded_until is not None:
        until = clock(configured.degraded_until)
        raise_alarm(
            known,
            Open(
                id=degraded,
                code=DEGRADED,
                kind=AlarmKind.WARNING,
                severity=Severity.INFO,
                station=station.code,
                transformer=transformer.code,
                limit=config.blocked_pct,
                unit="%",
                zh=f"变压器降级运行至 {until}：按估算负荷判断，超过 {config.blocked_pct:g}% 暂停新的充电。",
                en=f"The transformer runs degraded until {until}: the estimate counts, and over "
                f"{config.blocked_pct:g}% new charges wait.",
            ),
            now,
        )
    else:
        clear_alarm(known, station.code, degraded, now)


def _whole(pct: float | None) -> float | None:
    """Whole percent, so that a load that moves a little is no new figure."""
    return None if pct is None else float(round(pct))
