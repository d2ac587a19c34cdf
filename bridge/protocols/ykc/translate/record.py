"""The charge record and its confirmation (YKC V1.6 §4.4)."""

from bridge import words
from bridge.protocols.ykc import codes
from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.translate.common import BANDS, Hear, Tell, card, gun, utc
from evcs.contracts.gun import BandEnergy
from evcs.contracts.states import StartSource

_SOURCES: dict[int, StartSource] = {
    codes.StartKind.APP: StartSource.APP,
    codes.StartKind.CARD: StartSource.CARD,
    codes.StartKind.OFFLINE_CARD: StartSource.OFFLINE_CARD,
    codes.StartKind.VIN: StartSource.VIN,
}


def _band(line: ykc.BandLine) -> BandEnergy:
    return BandEnergy(
        band=BANDS[line.band],
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
        gun=gun(message.gun_no),
        serial=message.trade_no,
        started_at=utc(message.start_time),
        ended_at=utc(message.end_time),
        traded_at=utc(message.trade_time),
        bands=tuple(_band(line) for line in ykc.band_lines(message)),
        register_start_kwh=message.meter_start,
        register_end_kwh=message.meter_end,
        energy_kwh=message.total_kwh,
        loss_energy_kwh=message.total_kwh_loss,
        amount_e4=int(message.total_amount * 10_000),
        vin=message.vin,
        card=card(message.physical_card),
        source=_SOURCES.get(kind, int(kind)),
        stop_code=message.stop_reason,
        stop_class=codes.stop_class(message.stop_reason),
        stop_zh=stop.zh,
        stop_en=stop.en,
    )


HEAR: Hear = {ykc.TransactionRecord: _record, ykc.FiveBandRecord: _record}
TELL: Tell = {
    words.RecordConfirmed: lambda told: ykc.RecordConfirmation(trade_no=told.serial, result=told.result),
}
