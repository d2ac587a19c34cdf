"""Console users and customers as those who ask."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapi.access import ConsoleUser, Driver
from webapi.customers.models import Customer
from webapi.users.models import User, UserStation


def console_user(session: Session, user: User) -> ConsoleUser:
    """A user with the stations as they are now: a right taken away ends with the next request."""
    stations = None
    if not user.all_stations and user.tenant_id is not None:
        stations = frozenset(session.scalars(select(UserStation.station_code).where(UserStation.user_id == user.id)))
    return ConsoleUser(user.id, user.username, user.name, user.role, user.tenant_id, stations)


def driver(customer: Customer) -> Driver:
    """A customer."""
    return Driver(customer.id, customer.name, customer.tenant_id)
