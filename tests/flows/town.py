"""The rows of a scenario: operator, station, transformer, piles, tariff, driver, and a console login."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from argon2 import PasswordHasher

from evcs.contracts.ids import shard_of
from evcs.contracts.states import TariffBand
from webapi import models as _tables  # noqa: F401 (all tables must be mapped)
from webapi.customers.open import NewCustomer, open_customer
from webapi.database import open_database, sessions
from webapi.guns.models import Gun
from webapi.piles.models import Pile
from webapi.stations.models import Station
from webapi.tariffs.models import Tariff, TariffPrice, TariffVersion
from webapi.tenants.models import Tenant
from webapi.transformers.models import Transformer
from webapi.users.models import Role, User

STATION = "HZ001"
TRANSFORMER = "HZ001-T1"
PASSWORD = "right-horse-battery"
PRICES = {
    TariffBand.SHARP: (120_000, 40_000),
    TariffBand.PEAK: (100_000, 40_000),
    TariffBand.FLAT: (70_123, 40_000),
    TariffBand.VALLEY: (30_000, 35_000),
}
"""Energy and service price by band, 0.00001 yuan/kWh."""
SLOTS = tuple((TariffBand.VALLEY, TariffBand.FLAT, TariffBand.PEAK, TariffBand.SHARP)[slot % 4] for slot in range(48))
"""Another price every half hour, so that a charge over a slot's edge shows it."""


@dataclass(frozen=True, slots=True)
class Town:
    """What was seeded."""

    customer: int
    piles: tuple[str, ...]
    guns: int


def found_town(
    database_url: str, *, piles: int = 2, guns: int = 2, pile_kw: int = 120, rated_kva: int = 630, base_load_kw: int = 0
) -> Town:
    """Write the rows into an empty, migrated database."""
    now = datetime.now(UTC)
    engine = open_database(database_url)
    numbers = tuple(f"55031412{n:06d}" for n in range(1, piles + 1))
    with sessions(engine)() as session:
        tenant = Tenant(code="hz", name="杭州示范", created_at=now)
        session.add(tenant)
        session.flush()
        session.add(Station(code=STATION, shard=shard_of(STATION), tenant_id=tenant.id, name="西溪站", created_at=now))
        tariff = Tariff(tenant_id=tenant.id, name="分时电价", created_at=now)
        session.add(tariff)
        session.flush()
        version = TariffVersion(
            id="hz-1", tariff_id=tariff.id, model_no=1, slots=SLOTS, valid_from=now, created_at=now, created_by="test"
        )
        session.add(version)
        session.add(
            Transformer(
                code=TRANSFORMER,
                station_code=STATION,
                name="1 号变压器",
                rated_kva=Decimal(rated_kva),
                base_load_kw=Decimal(base_load_kw),
                created_at=now,
            )
        )
        session.flush()
        for band, (energy, service) in PRICES.items():
            session.add(TariffPrice(version_id=version.id, band=band, energy_price_e5=energy, service_price_e5=service))
        for number in numbers:
            session.add(
                Pile(
                    number=number,
                    station_code=STATION,
                    transformer_code=TRANSFORMER,
                    name=f"{int(number[-6:])} 号桩",
                    rated_kw=Decimal(pile_kw),
                    number_only_login=True,
                    source_networks=["127.0.0.0/8"],
                    wanted_tariff_version_id=version.id,
                    created_at=now,
                )
            )
            session.flush()
            for gun in range(1, guns + 1):
                session.add(Gun(pile_number=number, no=gun, rated_kw=Decimal(pile_kw)))
        session.add(
            User(
                tenant_id=tenant.id,
                username="operator",
                name="值班员",
                password_hash=PasswordHasher().hash(PASSWORD),
                role=Role.TENANT_ADMIN,
                all_stations=True,
                created_at=now,
            )
        )
        customer = open_customer(session, NewCustomer(tenant.id, "王师傅", "13800000001"), at=now)
        session.commit()
        town = Town(customer=customer.id, piles=numbers, guns=guns)
    engine.dispose()
    return town
