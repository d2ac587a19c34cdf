"""Opaque bearer tokens of console users and customers: shown once, kept as a hash, revocable."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from webapi.customers.models import Customer
from webapi.http.call import SignedIn
from webapi.users.askers import console_user, driver
from webapi.users.models import ApiToken, User
from webapi.users.secrets_of import fingerprint, new_secret

TOUCH_EVERY = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made; its text is known to nobody else."""

    id: int
    token: str
    name: str
    created_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class FoundToken:
    """A token that counts."""

    signed_in: SignedIn
    last_used_at: datetime | None


def issue_token(
    session: Session,
    *,
    user_id: int | None = None,
    customer_id: int | None = None,
    name: str = "",
    life: timedelta | None = None,
    at: datetime,
) -> NewToken:
    """Make a token for a user or a customer; the caller commits. Without `life` it counts until revoked."""
    secret = new_secret()
    expires_at = None if life is None else at + life
    row = ApiToken(
        token_hash=fingerprint(secret),
        user_id=user_id,
        customer_id=customer_id,
        name=name,
        created_at=at,
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    return NewToken(row.id, secret, name, at, expires_at)


def find_token(session: Session, token: str, *, at: datetime) -> FoundToken | None:
    """Whom a token stands for, as they now are; none where it does not count (any more)."""
    row = session.scalars(select(ApiToken).where(ApiToken.token_hash == fingerprint(token))).one_or_none()
    if row is None or row.revoked_at is not None or (row.expires_at is not None and at >= row.expires_at):
        return None
    if row.user_id is not None:
        user = session.get_one(User, row.user_id)
        if user.disabled_at is not None:
            return None
        return FoundToken(SignedIn(console_user(session, user), token_id=row.id), row.last_used_at)
    customer = session.get_one(Customer, row.customer_id)
    if customer.archived_at is not None:
        return None
    return FoundToken(SignedIn(driver(customer), token_id=row.id), row.last_used_at)


def touch_token(sessions: sessionmaker[Session], found: FoundToken, *, at: datetime) -> None:
    """Note that a token is in use, once a minute at most."""
    if found.last_used_at is not None and at - found.last_used_at < TOUCH_EVERY:
        return
    with sessions() as session:
        session.execute(update(ApiToken).where(ApiToken.id == found.signed_in.token_id).values(last_used_at=at))
        session.commit()


def tokens_of(session: Session, user_id: int) -> list[ApiToken]:
    """A user's tokens that are not revoked, newest first."""
    return list(
        session.scalars(
            select(ApiToken)
            .where(ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
            .order_by(ApiToken.id.desc())
        )
    )


def end_token_in_use(session: Session, token_id: int, *, at: datetime) -> None:
    """Sign out with a token, a user's or a customer's: it is worth nothing from the commit on."""
    session.execute(
        update(ApiToken).where(ApiToken.id == token_id, ApiToken.revoked_at.is_(None)).values(revoked_at=at)
    )


def revoke_token(session: Session, user_id: int, token_id: int, *, at: datetime) -> bool:
    """End a token of a user; whether there was one."""
    ended = session.scalars(
        update(ApiToken)
        .where(ApiToken.id == token_id, ApiToken.user_id == user_id, ApiToken.revoked_at.is_(None))
        .values(revoked_at=at)
        .returning(ApiToken.id)
    ).all()
    return bool(ended)
