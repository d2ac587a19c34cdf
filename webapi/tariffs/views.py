"""Reading tariffs for people: each with its versions, prices and how many piles have them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func
from sqlalchemy.orm import Session, selectinload

from evcs.contracts.states import TariffBand
from webapi.access import Visible
from webapi.http.paging import NumberKey, Page, PageWish, page_of, read_cursor
from webapi.piles.models import Pile
from webapi.tariffs.models import Tariff, TariffVersion


@dataclass(frozen=True, slots=True)
class PriceView:
    """Prices of a band, 0.00001 yuan/kWh."""

    band: TariffBand
    energy_price_e5: int
    service_price_e5: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionView:
    """An immutable version, and at how many visible piles it is wanted and confirmed."""

    id: str
    model_no: str
    slots: tuple[TariffBand, ...]
    prices: tuple[PriceView, ...]
    valid_from: datetime
    created_at: datetime
    created_by: str
    wanted_piles: int
    confirmed_piles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffView:
    """A tariff with its versions, newest first."""

    id: int
    name: str
    created_at: datetime
    versions: tuple[VersionView, ...]


def list_tariffs(session: Session, sees: Visible, wish: PageWish) -> Page[TariffView]:
    """Tariffs by number."""
    query = sees.tariffs().options(selectinload(Tariff.versions).selectinload(TariffVersion.prices))
    after = read_cursor(wish.cursor, NumberKey)
    if after is not None:
        query = query.where(Tariff.id > after.id)
    found = session.scalars(query.order_by(Tariff.id).limit(wish.limit + 1)).all()
    page = page_of(found, wish.limit, lambda tariff: NumberKey(tariff.id))
    counts = _counts(session, sees)
    return page.map(lambda tariff: _view(tariff, *counts))


def find_tariff(session: Session, sees: Visible, tariff_id: int) -> Tariff | None:
    """One tariff."""
    return session.scalars(sees.tariffs().where(Tariff.id == tariff_id)).one_or_none()


def tariff_view(session: Session, sees: Visible, tariff: Tariff) -> TariffView:
    """A tariff for somebody."""
    return _view(tariff, *_counts(session, sees))


def _counts(session: Session, sees: Visible) -> tuple[dict[str, int], dict[str, int]]:
    """Visible piles by wanted and by confirmed version."""
    found = []
    for column in (Pile.wanted_tariff_version_id, Pile.confirmed_tariff_version_id):
        query = sees.piles().with_only_columns(column, func.count()).where(column.is_not(None)).group_by(column)
        found.append({str(version): int(count) for version, count in session.execute(query)})
    return found[0], found[1]


def _view(tariff: Tariff, wanted: dict[str, int], confirmed: dict[str, int]) -> TariffView:
    order = {band: place for place, band in enumerate(TariffBand)}
    return TariffView(
        id=tariff.id,
        name=tariff.name,
        created_at=tariff.created_at,
        versions=tuple(
            VersionView(
                id=version.id,
                model_no=version.model_digits,
                slots=version.slots,
                prices=tuple(
                    PriceView(price.band, price.energy_price_e5, price.service_price_e5)
                    for price in sorted(version.prices, key=lambda price: order[price.band])
                ),
                valid_from=version.valid_from,
                created_at=version.created_at,
                created_by=version.created_by,
                wanted_piles=wanted.get(version.id, 0),
                confirmed_piles=confirmed.get(version.id, 0),
            )
            for version in sorted(tariff.versions, key=lambda version: -version.model_no)
        ),
    )
