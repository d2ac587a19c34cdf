"""Tables of the console users: who may sign in, what they see, and the proofs they hold (only as hashes)."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapi.database import Base, RowId, UtcTime, Wording, one_of


class Role(StrEnum):
    """What a console user may do. `platform_admin` alone stands over the tenants."""

    PLATFORM_ADMIN = "platform_admin"
    TENANT_ADMIN = "tenant_admin"
    OPERATOR = "operator"
    FINANCE = "finance"
    VIEWER = "viewer"


class User(Base):
    """A console login (登录用户), not a driver."""

    __tablename__ = "console_user"
    __table_args__ = (
        one_of("role", Role),
        CheckConstraint("tenant_id IS NOT NULL OR role = 'platform_admin'", name="tenant"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[int | None] = mapped_column(ForeignKey("tenant.id"), index=True, comment="none: platform")
    username: Mapped[str] = mapped_column(String(64), unique=True, comment="lower case")
    name: Mapped[str] = mapped_column(String(64), default="")
    password_hash: Mapped[str] = mapped_column(String(200), comment="argon2id")
    role: Mapped[Role] = mapped_column(Wording(Role))
    all_stations: Mapped[bool] = mapped_column(default=False, comment="every station of the tenant; else user_station")
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcTime)

    stations: Mapped[list["UserStation"]] = relationship(back_populates="user", cascade="all, delete-orphan")


class UserStation(Base):
    """A station that a user may see."""

    __tablename__ = "user_station"

    user_id: Mapped[int] = mapped_column(ForeignKey("console_user.id"), primary_key=True)
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"), primary_key=True, index=True)

    user: Mapped["User"] = relationship(back_populates="stations")


class UserSession(Base):
    """A sign-in of a browser, server-side: ended by logout, password change, disabling, 12 h, or 2 h idle."""

    __tablename__ = "user_session"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True, comment="SHA-256 of the cookie, hex")
    user_id: Mapped[int] = mapped_column(ForeignKey("console_user.id"), index=True)
    csrf_token: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)
    address: Mapped[str | None] = mapped_column(String(64))
    agent: Mapped[str | None] = mapped_column(String(200))

    user: Mapped["User"] = relationship()


class ApiToken(Base):
    """An opaque bearer token of a customer (mini program) or a console user (API key); 256 random bits, hash only."""

    __tablename__ = "api_token"
    __table_args__ = (CheckConstraint("(user_id IS NULL) <> (customer_id IS NULL)", name="owner"),)

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True, comment="SHA-256, hex")
    user_id: Mapped[int | None] = mapped_column(ForeignKey("console_user.id"), index=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"), index=True)
    name: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)


class SignInAttempt(Base):
    """A try to sign in, from which the throttle counts per identity and per address."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (Index(None, "identity", "at"), Index(None, "address", "at"))

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    identity: Mapped[str] = mapped_column(String(64), comment="as typed, lower case; also of users that do not exist")
    address: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(UtcTime)
    succeeded: Mapped[bool]
