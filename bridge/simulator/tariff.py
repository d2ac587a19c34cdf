"""The tariff model of 0x0A and 0x58 as the pile keeps it."""

from decimal import Decimal

from bridge.protocols.ykc.messages import TariffModel
from bridge.simulator.biller import PileTariff


def tariff_of(model: TariffModel, *, five_bands: bool = False) -> PileTariff:
    """Energy and service price together, in 0.00001 yuan/kWh; 0x0A has no fifth price: deep valley costs as valley."""

    def price(energy: Decimal, service: Decimal) -> int:
        return int((energy + service).scaleb(5))

    prices = (
        price(model.sharp_energy_price, model.sharp_service_price),
        price(model.peak_energy_price, model.peak_service_price),
        price(model.flat_energy_price, model.flat_service_price),
        price(model.valley_energy_price, model.valley_service_price),
    )
    return PileTariff(prices_e5=(*prices, prices[-1]) if five_bands else prices, slots=model.slots)
