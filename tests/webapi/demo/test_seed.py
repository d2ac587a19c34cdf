"""The demo's operator is made once, fits the simulator, and its sign-in is known to its owner only."""

import stat
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bridge.simulator import drivers
from evcs.contracts.states import TariffBand
from tests.webapi.http.world import NOW
from webapi import models
from webapi.cards.bind import unbind
from webapi.cards.models import Card, Vehicle
from webapi.customers.models import Customer
from webapi.demo.seed import Fleet, seed
from webapi.demo.sign_in_file import NoSignIn, SignIn, keep_sign_in, read_sign_in
from webapi.demo.town import SLOTS, sites
from webapi.guns.models import Gun
from webapi.piles.models import Pile
from webapi.stations.models import Station
from webapi.tariffs.models import TariffVersion
from webapi.users.models import User
from webapi.users.secrets_of import verify_password

SIGN_IN = SignIn("demo", "a-random-password")


def rows(session: Session) -> dict[str, int]:
    """Rows of every table."""
    return {
        table.name: session.scalar(select(func.count()).select_from(table)) or 0
        for table in models.metadata.sorted_tables
    }


def test_seeding_again_changes_nothing(session: Session) -> None:
    seed(session, Fleet(6, 2), SIGN_IN, at=NOW)
    first, revisions = rows(session), session.scalars(select(Station.revision).order_by(Station.code)).all()
    seed(session, Fleet(6, 2), SIGN_IN, at=NOW)
    assert rows(session) == first
    assert session.scalars(select(Station.revision).order_by(Station.code)).all() == revisions
    assert (first["station"], first["pile"], first["gun"], first["customer"]) == (2, 6, 12, 6)
    assert first["ledger_account"] == 24
    assert (first["card"], first["vehicle"]) == (6, 6)


def test_every_customer_has_the_card_and_car_of_the_simulated_drivers(session: Session) -> None:
    seed(session, Fleet(6, 2), SIGN_IN, at=NOW)
    customers = session.scalars(select(Customer).order_by(Customer.id)).all()
    numbers = [one.id - customers[0].id + 1 for one in customers]
    cards = session.scalars(select(Card).order_by(Card.customer_id)).all()
    cars = session.scalars(select(Vehicle).order_by(Vehicle.customer_id)).all()
    assert [card.uid for card in cards] == [card.uid for card in drivers.cards(numbers[0], numbers[-1])]
    assert [car.vin for car in cars] == list(drivers.vins(numbers[0], numbers[-1]))
    assert [card.customer_id for card in cards] == [car.customer_id for car in cars] == [one.id for one in customers]


def test_a_card_that_was_unbound_is_not_bound_again_by_the_seed(session: Session) -> None:
    seed(session, Fleet(6, 2), SIGN_IN, at=NOW)
    unbind(session.scalars(select(Card).order_by(Card.id).limit(1)).one(), "退卡", at=NOW)
    seed(session, Fleet(6, 2), SIGN_IN, at=NOW)
    assert session.scalar(select(func.count()).select_from(Card)) == 6


def test_piles_are_those_of_the_simulator_and_may_log_in_by_number_from_loopback(session: Session) -> None:
    seed(session, Fleet(5, 1, first=3), SIGN_IN, at=NOW)
    piles = session.scalars(select(Pile).order_by(Pile.number)).all()
    assert [pile.number for pile in piles] == [f"55031412{n:06d}" for n in range(3, 8)]
    assert all(pile.number_only_login and pile.source_networks == ["127.0.0.0/8", "::1/128"] for pile in piles)
    assert {pile.wanted_tariff_version_id for pile in piles} == {"demo-1"}
    assert session.get_one(TariffVersion, "demo-1").model_digits == "0001"


def test_other_number_of_guns_puts_guns_in_and_out_of_use_and_raises_the_revisions(session: Session) -> None:
    seed(session, Fleet(2, 2), SIGN_IN, at=NOW)
    before = {pile.number: pile.revision for pile in session.scalars(select(Pile))}
    for guns in (1, 3):
        seed(session, Fleet(2, guns), SIGN_IN, at=NOW)
        used = session.scalars(select(Gun.no).where(Gun.archived_at.is_(None)).order_by(Gun.pile_number, Gun.no)).all()
        assert used == list(range(1, guns + 1)) * 2
    session.expire_all()
    assert {pile.number: pile.revision for pile in session.scalars(select(Pile))} == {
        n: r + 2 for n, r in before.items()
    }


def test_more_piles_later_stand_beside_the_old_ones(session: Session) -> None:
    seed(session, Fleet(2, 2), SIGN_IN, at=NOW)
    seed(session, Fleet(6, 2), SIGN_IN, at=NOW)
    assert session.scalar(select(func.count()).select_from(Pile)) == 6


def test_lost_file_sets_a_new_password(session: Session) -> None:
    seed(session, Fleet(1, 1), SIGN_IN, at=NOW)
    seed(session, Fleet(1, 1), SignIn("demo", "another"), at=NOW)
    user = session.scalars(select(User)).one()
    assert verify_password(user.password_hash, "another")
    assert not verify_password(user.password_hash, SIGN_IN.password)


def test_password_is_written_once_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "var" / "demo-sign-in.txt"
    with pytest.raises(NoSignIn, match="seed"):
        read_sign_in(file)
    made = keep_sign_in(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    kept = keep_sign_in(file)
    assert (kept.username, kept.password) == (made.username, made.password) == ("demo", made.password)
    assert len(made.password) >= 20
    assert made.password not in repr(made)


def test_two_charges_at_the_first_station_bring_the_limited_band_and_never_more_than_the_rating() -> None:
    first, second = sites(6)
    share = 120 / 0.94 / 0.95 / float(first.rated_kva)
    assert share < 0.5 < 2 * share
    assert len(first.piles) == len(second.piles) == 3
    assert not set(first.piles) & set(second.piles)


def test_a_day_has_48_slots_of_known_bands() -> None:
    assert len(SLOTS) == 48
    assert set(SLOTS) == {TariffBand.SHARP, TariffBand.PEAK, TariffBand.FLAT, TariffBand.VALLEY}
