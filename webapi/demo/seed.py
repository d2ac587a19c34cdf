"""Making the demo's operator, again and again: what is there stays, what is missing is added."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts.ids import shard_of
from webapi.cards.bind import NewCard, NewVehicle, bind_card, bind_vehicle
from webapi.cards.models import Card, Vehicle
from webapi.customers.models import Customer
from webapi.customers.open import NewCustomer, open_customer
from webapi.demo import town
from webapi.demo.sign_in_file import SignIn
from webapi.guns.models import Gun
from webapi.piles.models import Pile
from webapi.stations.models import Station
from webapi.tariffs.allocate import NewVersion, make_version
from webapi.tariffs.models import Tariff, TariffVersion
from webapi.tenants.models import Tenant
from webapi.transformers.models import Transformer
from webapi.users.models import Role, User
from webapi.users.secrets_of import hash_password, verify_password
from webapi.users.sessions import end_all_sessions

BY = "demo"


@dataclass(frozen=True, slots=True)
class Fleet:
    """Which piles the simulator logs in."""

    piles: int
    guns: int
    first: int = 1


def seed(session: Session, fleet: Fleet, sign_in: SignIn, *, at: datetime) -> None:
    """Make what is missing; the caller commits."""
    tenant = _tenant(session, at)
    _tariff(session, tenant, at)
    for site in town.sites(fleet.piles, fleet.first):
        _station(session, tenant, site, fleet.guns, at)
    for number, (name, phone) in enumerate(town.CUSTOMERS, 1):
        known = select(Customer).where(Customer.tenant_id == tenant.id, Customer.phone == phone)
        customer = session.scalars(known).one_or_none()
        if customer is None:
            customer = open_customer(session, NewCustomer(tenant.id, name, phone, "DEMO-A"), at=at)
        _card_and_car(session, customer, number, at)
    _user(session, tenant, sign_in, at)
    session.flush()


def _tenant(session: Session, at: datetime) -> Tenant:
    found = session.scalars(select(Tenant).where(Tenant.code == town.TENANT)).one_or_none()
    if found is None:
        found = Tenant(code=town.TENANT, name=town.TENANT_NAME, created_at=at)
        session.add(found)
        session.flush()
    return found


def _card_and_car(session: Session, customer: Customer, number: int, at: datetime) -> None:
    """One of each, as the simulated drivers have them; a number that was ever bound here is left as it is."""
    uid, vin = town.card_uid(number), town.vin(number)
    if session.scalar(select(Card.id).where(Card.tenant_id == customer.tenant_id, Card.uid == uid).limit(1)) is None:
        card = NewCard(uid=uid, printed_no=town.printed_number(number), offline_allowed=True)
        bind_card(session, customer, card, at=at)
    cars = select(Vehicle.id).where(Vehicle.tenant_id == customer.tenant_id, Vehicle.vin == vin).limit(1)
    if session.scalar(cars) is None:
        bind_vehicle(session, customer, NewVehicle(vin=vin, plate=town.plate(number)), at=at)


def _tariff(session: Session, tenant: Tenant, at: datetime) -> None:
    if session.get(TariffVersion, town.TARIFF_VERSION) is not None:
        return
    tariff = Tariff(tenant_id=tenant.id, name=town.TARIFF_NAME, created_at=at)
    session.add(tariff)
    session.flush()
    new = NewVersion(town.TARIFF_VERSION, tariff.id, town.SLOTS, town.PRICES, valid_from=at)
    make_version(session, new, at=at, by=BY)


def _station(session: Session, tenant: Tenant, site: town.Site, guns: int, at: datetime) -> None:
    station = session.get(Station, site.code)
    if station is None:
        station = Station(
            code=site.code,
            shard=shard_of(site.code),
            tenant_id=tenant.id,
            name=site.name,
            address=site.address,
            longitude=site.longitude,
            latitude=site.latitude,
            created_at=at,
        )
        session.add(station)
        session.flush()
    changed = list(_changes(session, site, guns, at))
    if changed:
        station.revision += 1
    session.flush()


def _changes(session: Session, site: town.Site, guns: int, at: datetime) -> Iterator[str]:
    """Make transformer, piles and guns as they shall be; what stands in the station's configuration and changed."""
    transformer = session.get(Transformer, site.transformer)
    if transformer is None:
        session.add(
            Transformer(
                code=site.transformer,
                station_code=site.code,
                name="1 号变压器",
                rated_kva=site.rated_kva,
                base_load_kw=site.base_load_kw,
                has_meter=site.has_meter,
                created_at=at,
            )
        )
        session.flush()
        yield site.transformer
    elif transformer.rated_kva < site.rated_kva:  # more piles than before
        transformer.rated_kva = site.rated_kva
        yield site.transformer
    for number in site.piles:
        pile = session.get(Pile, number)
        if pile is None:
            pile = _pile(number, site, at)
            session.add(pile)
            session.flush()
            yield number
        elif pile.station_code != site.code:
            continue  # of a smaller demo, where it stood at the other station: it stays there
        if _fit_guns(session, pile, guns, at):
            pile.revision += 1
            yield number


def _pile(number: str, site: town.Site, at: datetime) -> Pile:
    return Pile(
        number=number,
        station_code=site.code,
        transformer_code=site.transformer,
        name=f"{int(number[-6:])} 号桩",
        maker="示范",
        model="DC-120-2",
        rated_kw=town.PILE_KW,
        number_only_login=True,
        source_networks=list(town.NETWORKS),
        wanted_tariff_version_id=town.TARIFF_VERSION,
        revision=0,
        created_at=at,
    )


def _fit_guns(session: Session, pile: Pile, guns: int, at: datetime) -> bool:
    """Have guns 1…n in use and no other; whether that changed anything."""
    known = {gun.no: gun for gun in session.scalars(select(Gun).where(Gun.pile_number == pile.number))}
    changed = False
    for no in range(1, guns + 1):
        if no not in known:
            session.add(Gun(pile_number=pile.number, no=no, rated_kw=town.PILE_KW))
            changed = True
        elif known[no].archived_at is not None:
            known[no].archived_at = None
            changed = True
    for no, gun in known.items():
        if no > guns and gun.archived_at is None:
            gun.archived_at = at
            changed = True
    session.flush()
    return changed


def _user(session: Session, tenant: Tenant, sign_in: SignIn, at: datetime) -> None:
    """The console user of the file; a password that is not the file's any more is set anew, its sign-ins end."""
    user = session.scalars(select(User).where(User.username == sign_in.username)).one_or_none()
    if user is None:
        session.add(
            User(
                tenant_id=tenant.id,
                username=sign_in.username,
                name="示范值班员",
                password_hash=hash_password(sign_in.password),
                role=Role.TENANT_ADMIN,
                all_stations=True,
                created_at=at,
            )
        )
    elif not verify_password(user.password_hash, sign_in.password):
        user.password_hash = hash_password(sign_in.password)
        end_all_sessions(session, user.id, at=at)
