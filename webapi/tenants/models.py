"""Tables of the tenants (运营商): the boundary of isolation."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from webapi.database import Base, RowId, UtcTime


class Tenant(Base):
    """An operator (CPO). Stations, customers, tariffs and books belong to one tenant each."""

    __tablename__ = "tenant"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    code: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
