"""Who asks, and what is visible to whom: every select of the HTTP side begins here.

What is not visible answers exactly like what does not exist, since the query finds nothing in both cases.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from webapi.cards.models import Card, CardAttempt, Vehicle
from webapi.customers.models import Customer
from webapi.faults.models import AlarmRecord
from webapi.guns.models import Gun
from webapi.guns.power_models import PowerSetting, PowerSettingGun
from webapi.orders.models import ChargeRecord, Order
from webapi.piles.models import Pile
from webapi.recharges.models import RechargeRequest
from webapi.refunds.models import RefundRequest
from webapi.stations.models import Station
from webapi.tariffs.models import Tariff
from webapi.tenants.models import Tenant
from webapi.transformers.models import Feeder, Transformer
from webapi.users.models import Role
from webapi.users.roles import DRIVER, GRANTED, Right


@dataclass(frozen=True, slots=True)
class ConsoleUser:
    """Somebody of an operator. `stations`: codes; none = every station of the tenant (no tenant: of all tenants)."""

    id: int
    username: str
    name: str
    role: Role
    tenant_id: int | None
    stations: frozenset[str] | None

    @property
    def key(self) -> str:
        """How entries and idempotency keys name the user."""
        return f"user:{self.id}"

    @property
    def rights(self) -> frozenset[Right]:
        """What the role may do."""
        return GRANTED[self.role]


@dataclass(frozen=True, slots=True)
class Driver:
    """A customer who asks for themselves (mini program)."""

    id: int
    name: str
    tenant_id: int

    @property
    def key(self) -> str:
        """How entries and idempotency keys name the customer."""
        return f"customer:{self.id}"

    @property
    def rights(self) -> frozenset[Right]:
        """What a customer may do."""
        return DRIVER


Asker = ConsoleUser | Driver


@dataclass(frozen=True, slots=True)
class Visible:
    """Selects that find only what the asker may see."""

    asker: Asker

    def stations(self) -> Select[Station]:
        """Stations that are in use."""
        return select(Station).where(Station.archived_at.is_(None), self._of_station())

    def places(self) -> Select[Station]:
        """Stations in use at which the asker may charge; for a driver all of the own operator."""
        if isinstance(self.asker, Driver):
            return select(Station).where(Station.archived_at.is_(None), Station.tenant_id == self.asker.tenant_id)
        return self.stations()

    def piles(self) -> Select[Pile]:
        """Piles that are in use, of visible stations."""
        return (
            select(Pile)
            .join(Station, Station.code == Pile.station_code)
            .where(Pile.archived_at.is_(None), Station.archived_at.is_(None), self._of_station())
        )

    def transformers(self) -> Select[Transformer]:
        """Transformers that are in use, of visible stations."""
        return (
            select(Transformer)
            .join(Station, Station.code == Transformer.station_code)
            .where(Transformer.archived_at.is_(None), Station.archived_at.is_(None), self._of_station())
        )

    def feeders(self) -> Select[Feeder]:
        """Feeders of visible transformers."""
        return (
            select(Feeder)
            .join(Transformer, Transformer.code == Feeder.transformer_code)
            .join(Station, Station.code == Transformer.station_code)
            .where(Transformer.archived_at.is_(None), Station.archived_at.is_(None), self._of_station())
        )

    def alarms(self) -> Select[AlarmRecord]:
        """Alarm records of visible stations, also archived ones."""
        return select(AlarmRecord).join(Station, Station.code == AlarmRecord.station_code).where(self._of_station())

    def power_settings(self) -> Select[PowerSetting]:
        """Limits by hand that concern a gun of a visible station."""
        own = exists().where(
            PowerSettingGun.setting_id == PowerSetting.id, self.sees_station(PowerSettingGun.station_code)
        )
        return select(PowerSetting).where(own)

    def guns(self) -> Select[Gun]:
        """Guns that are in use, of visible piles."""
        return self._guns(self._of_station())

    def guns_to_start(self) -> Select[Gun]:
        """Guns at which the asker may ask for a start; for a driver all of the own operator."""
        if isinstance(self.asker, Driver):
            return self._guns(Station.tenant_id == self.asker.tenant_id)
        return self.guns()

    def orders(self) -> Select[Order]:
        """Orders of visible stations, also archived ones; for a driver the own ones."""
        return select(Order).where(self._of_order())

    def all_orders(self) -> ColumnElement[bool]:
        """Whether an order is visible."""
        return self._of_order()

    def order_ways(self, session: Session) -> tuple[ColumnElement[bool], ...]:
        """The same as alternatives of one equality each: every one of them walks an index in the order of a list."""
        match self.asker:
            case Driver(id=own):
                return (Order.customer_id == own,)
            case ConsoleUser(tenant_id=None, role=Role.PLATFORM_ADMIN):
                return tuple(Order.tenant_id == one for one in session.scalars(select(Tenant.id).order_by(Tenant.id)))
            case ConsoleUser(stations=None, tenant_id=tenant):
                return (Order.tenant_id == tenant,)
            case ConsoleUser(stations=codes):
                return self.order_ways_at(session, sorted(codes or ()))

    def order_ways_at(self, session: Session, codes: Sequence[str]) -> tuple[ColumnElement[bool], ...]:
        """Orders of those of these stations that are visible, as such alternatives; not for drivers."""
        found = session.scalars(select(Station.code).where(Station.code.in_(codes), self._of_station()))
        return tuple(Order.station_code == code for code in sorted(found))

    def customers(self) -> Select[Customer]:
        """Customers with an open account.

        Who sees only some stations sees the customers who came by one of them first or have charged at one.
        """
        return select(Customer).where(Customer.archived_at.is_(None), self._of_customer())

    def recharge_requests(self) -> Select[RechargeRequest]:
        """Recharges of visible customers that wait, or waited, for a second person."""
        return (
            select(RechargeRequest)
            .join(Customer, Customer.id == RechargeRequest.customer_id)
            .where(Customer.archived_at.is_(None), self._of_customer())
        )

    def refund_requests(self) -> Select[RefundRequest]:
        """Refunds of visible customers."""
        return (
            select(RefundRequest)
            .join(Customer, Customer.id == RefundRequest.customer_id)
            .where(Customer.archived_at.is_(None), self._of_customer())
        )

    def tariffs(self) -> Select[Tariff]:
        """Tariffs in use of the own operator, also for who sees only some of its stations."""
        return select(Tariff).where(Tariff.archived_at.is_(None), self._of_tariff())

    def cards(self) -> Select[Card]:
        """Cards of visible customers, also those that were theirs once."""
        return select(Card).join(Customer, Customer.id == Card.customer_id).where(self._of_customer())

    def vehicles(self) -> Select[Vehicle]:
        """Vehicles of visible customers, also those that were theirs once."""
        return select(Vehicle).join(Customer, Customer.id == Vehicle.customer_id).where(self._of_customer())

    def card_attempts(self) -> Select[CardAttempt]:
        """What was tried at piles of visible stations; for a driver with the own cards and cars."""
        mine = CardAttempt.customer_id == self.asker.id if isinstance(self.asker, Driver) else self._of_station()
        return select(CardAttempt).join(Station, Station.code == CardAttempt.station_code).where(mine)

    def records(self) -> Select[ChargeRecord]:
        """Charge records of piles that stand at visible stations."""
        return (
            select(ChargeRecord)
            .join(Pile, Pile.number == ChargeRecord.pile_number)
            .join(Station, Station.code == Pile.station_code)
            .where(self._of_station())
        )

    def sees_station(self, column: InstrumentedAttribute[Any] | ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether a column holds the code of a visible station (archived or not)."""
        return column.in_(select(Station.code).where(self._of_station()))

    def _guns(self, condition: ColumnElement[bool]) -> Select[Gun]:
        return (
            select(Gun)
            .join(Pile, Pile.number == Gun.pile_number)
            .join(Station, Station.code == Pile.station_code)
            .where(Gun.archived_at.is_(None), Pile.archived_at.is_(None), Station.archived_at.is_(None), condition)
        )

    def _of_station(self) -> ColumnElement[bool]:
        match self.asker:
            case Driver():
                return false()
            case ConsoleUser(tenant_id=None, role=Role.PLATFORM_ADMIN):
                return true()
            case ConsoleUser(stations=None, tenant_id=tenant):
                return Station.tenant_id == tenant
            case ConsoleUser(stations=codes, tenant_id=tenant):
                return and_(Station.tenant_id == tenant, Station.code.in_(sorted(codes or ())))

    def _of_tariff(self) -> ColumnElement[bool]:
        match self.asker:
            case Driver():
                return false()
            case ConsoleUser(tenant_id=None, role=Role.PLATFORM_ADMIN):
                return true()
            case ConsoleUser(tenant_id=tenant):
                return Tariff.tenant_id == tenant

    def _of_order(self) -> ColumnElement[bool]:
        if isinstance(self.asker, Driver):
            return Order.customer_id == self.asker.id
        match self.asker:
            case ConsoleUser(tenant_id=None, role=Role.PLATFORM_ADMIN):
                return true()
            case ConsoleUser(stations=None, tenant_id=tenant):
                return Order.tenant_id == tenant
            case _:
                return self.sees_station(Order.station_code)

    def _of_customer(self) -> ColumnElement[bool]:
        match self.asker:
            case Driver(id=own):
                return Customer.id == own
            case ConsoleUser(tenant_id=None, role=Role.PLATFORM_ADMIN):
                return true()
            case ConsoleUser(stations=None, tenant_id=tenant):
                return Customer.tenant_id == tenant
            case ConsoleUser(stations=codes, tenant_id=tenant):
                own_stations = sorted(codes or ())
                charged = exists().where(Order.customer_id == Customer.id, Order.station_code.in_(own_stations))
                return and_(Customer.tenant_id == tenant, or_(Customer.first_station_code.in_(own_stations), charged))


def visible(asker: Asker) -> Visible:
    """What the asker may see."""
    return Visible(asker)
