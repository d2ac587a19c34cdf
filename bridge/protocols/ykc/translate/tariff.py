"""The tariff model: checked, asked for, given and pushed (YKC V1.6 §4.1, §4.6)."""

from decimal import Decimal
from typing import TypeVar

from bridge import words
from bridge.protocols.base import FrameError
from bridge.protocols.ykc import codes
from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.translate.common import BANDS, Hear, Tell
from evcs.contracts.config import TariffTable
from evcs.contracts.states import TariffBand

_SLOT = {band: int(code) for code, band in BANDS.items() if code is not codes.Band.DEEP}
"""Slot numbers of 0x0A; it has none for deep valley."""


M = TypeVar("M", ykc.TariffModel, ykc.TariffPush)


def _tariff(message: type[M], pile: str, table: TariffTable) -> M:
    unknown = {str(band) for band in table.slots if band not in _SLOT}
    if unknown:
        raise FrameError(f"tariff {table.tariff_version}: YKC has no slot number for {', '.join(sorted(unknown))}")
    energy = {line.band: Decimal(line.energy_price_e5) / 100_000 for line in table.prices}
    service = {line.band: Decimal(line.service_price_e5) / 100_000 for line in table.prices}
    unpriced = {str(band) for band in table.slots if band not in energy}
    if unpriced:
        raise FrameError(f"tariff {table.tariff_version}: no price for {', '.join(sorted(unpriced))}")
    none = Decimal(0)  # a band that no slot uses
    return message(
        pile_no=pile,
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


HEAR: Hear = {
    ykc.TariffCheckRequest: lambda message: words.TariffChecked(message.pile_no, message.model_no),
    ykc.TariffRequest: lambda message: words.TariffAsked(message.pile_no),
    ykc.TariffPushAnswer: lambda message: words.TariffPushAnswered(
        message.pile_no, message.result == codes.Outcome.OK, int(message.result)
    ),
}
TELL: Tell = {
    words.TariffAnswer: lambda told: ykc.TariffCheckAnswer(
        pile_no=told.pile,
        model_no=told.model_no,
        result=codes.TariffCheck.SAME if told.same else codes.TariffCheck.DIFFERENT,
    ),
    words.TariffTold: lambda told: _tariff(ykc.TariffModel, told.pile, told.table),
    words.TariffPushed: lambda told: _tariff(ykc.TariffPush, told.pile, told.table),
}
