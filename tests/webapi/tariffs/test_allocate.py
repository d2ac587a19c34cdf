"""Versions and their numbers: each number once, and only tables that a pile can bill by."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, select

from evcs.contracts.config import BandPrice
from tests.webapi.books import BEGIN, FLAT, PRICES, SLOTS, VALLEY, Books
from webapi.database import sessions
from webapi.tariffs.allocate import NewVersion, NumbersUsedUp, make_version
from webapi.tariffs.models import Tariff, TariffVersion
from webapi.tariffs.queries import price_table


def test_a_version_reads_back_as_it_was_made(books: Books) -> None:
    table = price_table(books.session, "v1")
    assert (table.slots, table.prices) == (SLOTS, PRICES)
    version = books.session.get_one(TariffVersion, "v1")
    assert (version.model_no, version.model_digits) == (1, "0001")


def test_numbers_are_never_given_twice_even_at_once(engine: Engine, books: Books) -> None:
    tariff = books.session.scalars(select(Tariff.id)).one()
    books.session.commit()

    def make(number: int) -> int:
        with sessions(engine).begin() as session:
            new = NewVersion(f"n{number}", tariff, (FLAT,) * 48, PRICES, BEGIN)
            return make_version(session, new, at=BEGIN, by="t").model_no

    with ThreadPoolExecutor(5) as pool:
        assert sorted(pool.map(make, range(8))) == list(range(2, 10))


def test_after_9999_there_is_none(books: Books) -> None:
    tariff = books.session.scalars(select(Tariff.id)).one()
    books.session.add(
        TariffVersion(
            id="last",
            tariff_id=tariff,
            model_no=9999,
            slots=SLOTS,
            valid_from=BEGIN,
            created_at=BEGIN,
            created_by="t",
        )
    )
    books.session.flush()
    with pytest.raises(NumbersUsedUp):
        make_version(books.session, NewVersion("v2", tariff, SLOTS, PRICES, BEGIN), at=BEGIN, by="t")


@pytest.mark.parametrize(
    ("version_id", "slots", "prices"),
    [
        ("a/b", (FLAT,) * 48, PRICES),
        ("v2", (FLAT,) * 47, PRICES),
        ("v2", (VALLEY,) * 48, (BandPrice(band=FLAT, energy_price_e5=1, service_price_e5=1),)),
        ("v2", (FLAT,) * 48, (PRICES[2], PRICES[2])),
    ],
)
def test_a_table_that_no_pile_could_bill_by_is_refused(
    books: Books, version_id: str, slots: tuple[object, ...], prices: tuple[BandPrice, ...]
) -> None:
    tariff = books.session.scalars(select(Tariff.id)).one()
    with pytest.raises(ValueError):  # noqa: PT011 (each case says something else)
        make_version(books.session, NewVersion(version_id, tariff, slots, prices, BEGIN), at=BEGIN, by="t")  # type: ignore[arg-type]
