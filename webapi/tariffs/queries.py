"""Reading tariffs: the price table of a version."""

from sqlalchemy.orm import Session

from evcs.contracts.config import BandPrice
from evcs.contracts.states import TariffBand
from webapi.tariffs.models import TariffVersion
from webapi.tariffs.slots import PriceTable


def price_table(session: Session, version_id: str) -> PriceTable:
    """The version as the pure functions need it. Raises NoResultFound for one that does not exist."""
    version = session.get_one(TariffVersion, version_id)
    prices = tuple(
        BandPrice(band=price.band, energy_price_e5=price.energy_price_e5, service_price_e5=price.service_price_e5)
        for band in TariffBand
        for price in version.prices
        if price.band is band
    )
    return PriceTable(version.id, version.slots, prices)
