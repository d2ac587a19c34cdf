"""YKC messages ⇄ the bridge's words: past this file a voltage is volts and a time is UTC."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bridge import dialect as words
from bridge.protocols.base import Frame, FrameError, UnknownFrame
from bridge.protocols.ykc import codes, power
from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.framing import YkcSplitter
from bridge.protocols.ykc.protocol import Ykc
from evcs.contracts.config import TariffTable
from evcs.contracts.gun import BandEnergy
from evcs.contracts.reasons import Reason
from evcs.contracts.states import StartSource, TariffBand

_WIRE: dict[int, words.WireState] = {
    codes.GunState.OFFLINE: words.WireState.OFFLINE,
    codes.GunState.FAULT: words.WireState.FAULTED,
    codes.GunState.IDLE: words.WireState.IDLE,
    codes.GunState.CHARGING: words.WireState.CHARGING,
}
_PLUGGED: dict[int, bool] = {0: False, 1: True}
_BANDS = {
    codes.Band.SHARP: TariffBand.SHARP,
    codes.Band.PEAK: TariffBand.PEAK,
    codes.Band.FLAT: TariffBand.FLAT,
    codes.Band.VALLEY: TariffBand.VALLEY,
    codes.Band.DEEP: TariffBand.DEEP_VALLEY,
}
_SLOT = {band: int(code) for code, band in _BANDS.items() if code is not codes.Band.DEEP}
"""Slot numbers of 0x0A; it has none for deep valley."""
_SOURCES: dict[int, StartSource] = {
    codes.StartKind.APP: StartSource.APP,
    codes.StartKind.CARD: StartSource.CARD,
    codes.StartKind.OFFLINE_CARD: StartSource.OFFLINE_CARD,
    codes.StartKind.VIN: StartSource.VIN,
}
_START_REASONS: dict[int, Reason] = {
    codes.StartFailure.ALREADY_CHARGING: Reason.GUN_BUSY,
    codes.StartFailure.DEVICE_FAULT: Reason.GUN_FAULTED,
    codes.StartFailure.DEVICE_OFFLINE: Reason.PILE_OFFLINE,
    codes.StartFailure.NOT_PLUGGED: Reason.GUN_NOT_PLUGGED,
}
_STOP_REASONS: dict[int, Reason] = {codes.StopFailure.NOT_CHARGING: Reason.NOT_CHARGING}

FORGIVEN_KW = Decimal("0.0001")


def _gun(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 99:
        raise FrameError(f"gun {text!r} is not 1 to 99")
    return int(text)


def _utc(time: datetime | bytes) -> datetime | None:
    return None if isinstance(time, bytes) else time.astimezone(UTC)


def _serial(trade_no: str) -> str | None:
    return None if trade_no == ykc.NO_TRADE else trade_no


def _temperature(value: int) -> int | None:
    return None if value == ykc.NO_TEMPERATURE else value


def _card(raw: str) -> str:
    return "" if raw == ykc.NO_CARD else raw


def _login(message: ykc.Login) -> words.LoginSaid:
    major, minor = divmod(message.protocol_version, 10)
    return words.LoginSaid(
        pile=message.pile_no,
        kind="ac" if message.pile_type == codes.PileType.AC else "dc",
        gun_count=message.gun_count,
        protocol=f"ykc{major}.{minor}",
        firmware=message.software_version,
    )


def _reading(message: ykc.RealtimeData) -> words.Reading:
    serial = _serial(message.trade_no)
    wire = _WIRE.get(message.state)
    bare = words.Reading(
        pile=message.pile_no,
        gun=_gun(message.gun_no),
        wire=wire,
        serial=serial,
        plugged=_PLUGGED.get(message.plugged),
        fault_bits=message.fault_bits,
        cable_temp_c=_temperature(message.cable_temp),
        battery_temp_max_c=_temperature(message.battery_temp_max),
    )
    if wire is not words.WireState.CHARGING and serial is None:
        # At rest every other value is the zero that stands for "none".
        return bare
    return words.Reading(
        pile=bare.pile,
        gun=bare.gun,
        wire=wire,
        serial=serial,
        plugged=bare.plugged,
        fault_bits=bare.fault_bits,
        cable_temp_c=bare.cable_temp_c,
        battery_temp_max_c=bare.battery_temp_max_c,
        voltage_v=float(message.voltage),
        current_a=float(message.current),
        energy_kwh=message.kwh,
        # AC piles do not know it and say 0, DC piles say 0 until the car has told them.
        soc_pct=float(message.soc) if message.soc else None,
        elapsed_min=message.charged_min,
        remaining_min=message.remain_min,
        cost_fen=message.amount * 100,
    )


def _answered(result: int, code: int, reasons: dict[int, Reason], said: codes.Words) -> words.Answered:
    if result == codes.Outcome.OK:
        return words.Answered(True, code, None, "", "")
    return words.Answered(False, code, reasons.get(code, Reason.PILE_REFUSED), said.zh, said.en)


def _start_answer(message: ykc.RemoteStartAnswer) -> words.StartAnswered:
    answer = _answered(
        message.result, int(message.fail_reason), _START_REASONS, codes.start_failure(int(message.fail_reason))
    )
    return words.StartAnswered(
        pile=message.pile_no,
        gun=_gun(message.gun_no),
        serial=message.trade_no,
        answer=answer,
        not_plugged=not answer.ok and message.fail_reason == codes.StartFailure.NOT_PLUGGED,
    )


def _stop_answer(message: ykc.RemoteStopAnswer) -> words.StopAnswered:
    return words.StopAnswered(
        pile=message.pile_no,
        gun=_gun(message.gun_no),
        answer=_answered(
            message.result, int(message.fail_reason), _STOP_REASONS, codes.stop_failure(int(message.fail_reason))
        ),
    )


def _band(line: ykc.BandLine) -> BandEnergy:
    return BandEnergy(
        band=_BANDS[line.band],
        price_e5=int(line.price * 100_000),
        energy_kwh=line.kwh,
        loss_energy_kwh=line.kwh_loss,
        amount_e4=int(line.amount * 10_000),
    )


def _record(message: ykc.TransactionRecord | ykc.FiveBandRecord) -> words.RecordSaid:
    kind = message.trade_flag
    stop = codes.stop_reason(message.stop_reason)
    return words.RecordSaid(
        pile=message.pile_no,
        gun=_gun(message.gun_no),
        serial=message.trade_no,
        started_at=_utc(message.start_time),
        ended_at=_utc(message.end_time),
        traded_at=_utc(message.trade_time),
        bands=tuple(_band(line) for line in ykc.band_lines(message)),
        register_start_kwh=message.meter_start,
        register_end_kwh=message.meter_end,
        energy_kwh=message.total_kwh,
        loss_energy_kwh=message.total_kwh_loss,
        amount_e4=int(message.total_amount * 10_000),
        vin=message.vin,
        card=_card(message.physical_card),
        source=_SOURCES.get(kind, int(kind)),
        stop_code=message.stop_reason,
        stop_class=codes.stop_class(message.stop_reason),
        stop_zh=stop.zh,
        stop_en=stop.en,
    )


_HEAR: dict[type, Callable[[Any], words.Said]] = {
    ykc.Login: _login,
    ykc.Heartbeat: lambda message: words.HeartbeatSaid(message.pile_no, message.gun_no),
    ykc.TariffCheckRequest: lambda message: words.TariffChecked(message.pile_no, message.model_no),
    ykc.TariffRequest: lambda message: words.TariffAsked(message.pile_no),
    ykc.RealtimeData: _reading,
    ykc.RemoteStartAnswer: _start_answer,
    ykc.RemoteStopAnswer: _stop_answer,
    ykc.WorkParametersAnswer: lambda message: words.PowerAnswered(
        message.pile_no, message.result == codes.Outcome.OK, int(message.result)
    ),
    ykc.TimeSyncAnswer: lambda message: words.ClockSaid(message.pile_no, _utc(message.time)),
    ykc.TransactionRecord: _record,
    ykc.FiveBandRecord: _record,
}


def hear(message: ykc.YkcMessage | UnknownFrame) -> words.Said | words.NotUnderstood:
    """Message → words; what only the platform may say is not understood."""
    translate = _HEAR.get(type(message))
    return words.NotUnderstood(message.code) if translate is None else translate(message)


def _tariff(told: words.TariffTold) -> ykc.TariffModel:
    table: TariffTable = told.table
    unknown = {str(band) for band in table.slots if band not in _SLOT}
    if unknown:
        raise FrameError(f"tariff {table.tariff_version}: YKC has no slot number for {', '.join(sorted(unknown))}")
    energy = {line.band: Decimal(line.energy_price_e5) / 100_000 for line in table.prices}
    service = {line.band: Decimal(line.service_price_e5) / 100_000 for line in table.prices}
    unpriced = {str(band) for band in table.slots if band not in energy}
    if unpriced:
        raise FrameError(f"tariff {table.tariff_version}: no price for {', '.join(sorted(unpriced))}")
    none = Decimal(0)  # a band that no slot uses
    return ykc.TariffModel(
        pile_no=told.pile,
        model_no=table.model_no,
        sharp_energy_price=energy.get(TariffBand.SHARP, none),
        sharp_service_price=service.get(TariffBand.SHARP, none),
        peak_energy_price=energy.get(TariffBand.PEAK, none),
        peak_service_price=service.get(TariffBand.PEAK, none),
        flat_energy_price=energy.get(TariffBand.FLAT, none),
        flat_service_price=service.get(TariffBand.FLAT, none),
        valley_energy_price=energy.get(TariffBand.VALLEY, none),
        valley_service_price=service.get(TariffBand.VALLEY, none),
        loss_ratio=0,
        slots=tuple(_SLOT[band] for band in table.slots),
    )


def _start(told: words.StartTold) -> ykc.RemoteStart:
    card = (told.card or "").zfill(16)
    return ykc.RemoteStart(
        trade_no=told.serial,
        pile_no=told.pile,
        gun_no=ykc.gun_no(told.gun),
        logical_card=card,
        physical_card=card,
        balance=Decimal(told.balance_fen) / 100,
    )


_TELL: dict[type, Callable[[Any], ykc.YkcMessage]] = {
    words.LoginAnswer: lambda told: ykc.LoginAnswer(
        pile_no=told.pile, result=codes.LoginResult.OK if told.ok else codes.LoginResult.REFUSED
    ),
    words.HeartbeatAnswer: lambda told: ykc.HeartbeatAnswer(pile_no=told.pile, gun_no=told.gun_text, ack=0),
    words.TariffAnswer: lambda told: ykc.TariffCheckAnswer(
        pile_no=told.pile,
        model_no=told.model_no,
        result=codes.TariffCheck.SAME if told.same else codes.TariffCheck.DIFFERENT,
    ),
    words.TariffTold: _tariff,
    words.ReadGun: lambda told: ykc.ReadRealtime(pile_no=told.pile, gun_no=ykc.gun_no(told.gun)),
    words.StartTold: _start,
    words.StopTold: lambda told: ykc.RemoteStop(pile_no=told.pile, gun_no=ykc.gun_no(told.gun)),
    words.PowerTold: lambda told: ykc.WorkParameters(
        pile_no=told.pile,
        disabled=codes.WorkPermission.LOCKED if told.locked else codes.WorkPermission.ALLOWED,
        max_power_pct=told.units,
    ),
    words.ClockSet: lambda told: ykc.TimeSync(pile_no=told.pile, time=told.time),
    words.RecordConfirmed: lambda told: ykc.RecordConfirmation(trade_no=told.serial, result=told.result),
}


def tell(told: words.Told) -> ykc.YkcMessage:
    """Words → message; FrameError where YKC cannot express them."""
    return _TELL[type(told)](told)


class YkcDialect:
    """YKC as a link uses it: frames in, words out, and back."""

    name = "ykc"
    power_control = power.POWER_CONTROL

    def __init__(self, protocol: Ykc | None = None) -> None:
        self._protocol = protocol or Ykc()

    def splitter(self) -> YkcSplitter:
        """A fresh splitter for a new connection."""
        return self._protocol.splitter()

    def hear(self, frame: Frame) -> words.Said | words.NotUnderstood:
        """Frame → words; FrameError where the body is too short or its values make no sense."""
        if not ykc.is_from_pile(frame.code):
            return words.NotUnderstood(frame.code)
        return hear(self._protocol.decode(frame))

    def tell(self, told: words.Told, seq: bytes | int) -> words.Encoded:
        """Words → frame; FrameError where YKC cannot express them."""
        message = tell(told)
        return words.Encoded(self._protocol.encode(message, seq), message.code)

    def units_of(self, allowance_kw: float, rated_kw: float) -> int:
        """Whole percent of the rating. A tenth of a watt is forgiven: what was rounded on its way loses no percent."""
        return power.percent_of(Decimal(str(round(allowance_kw, 4))) + FORGIVEN_KW, Decimal(str(rated_kw)))

    def kw_of(self, units: int, rated_kw: float) -> float:
        """Percent → kW."""
        return float(power.allowance_of(units, Decimal(str(rated_kw))))
