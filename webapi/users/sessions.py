"""Sign-ins of browsers, kept on the server: 12 h at most, 2 h idle, ended at sign-out and when the user is disabled."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session, sessionmaker

from webapi.http.call import Origin, SignedIn
from webapi.users.askers import console_user
from webapi.users.models import User, UserSession
from webapi.users.secrets_of import fingerprint, new_secret

COOKIE = "evcs_session"
LIFE = timedelta(hours=12)
IDLE = timedelta(hours=2)
TOUCH_EVERY = timedelta(seconds=60)
"""How old `last_seen_at` may get: a write per minute, not per request."""


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session just made; the cookie is known here and in the browser only."""

    cookie: str
    csrf_token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class FoundSession:
    """A session that counts."""

    signed_in: SignedIn
    last_seen_at: datetime


def open_session(session: Session, user: User, origin: Origin, *, at: datetime) -> NewSession:
    """Sign a user in; the caller commits."""
    new = NewSession(new_secret(), new_secret(), at + LIFE)
    session.add(
        UserSession(
            token_hash=fingerprint(new.cookie),
            user_id=user.id,
            csrf_token=new.csrf_token,
            created_at=at,
            last_seen_at=at,
            expires_at=new.expires_at,
            address=origin.address,
            agent=origin.agent,
        )
    )
    session.flush()
    return new


def find_session(session: Session, cookie: str, *, at: datetime) -> FoundSession | None:
    """The session of a cookie, with its user as the user now is; none where it does not count any more."""
    row = session.get(UserSession, fingerprint(cookie))
    if row is None or row.ended_at is not None or at >= row.expires_at or at - row.last_seen_at >= IDLE:
        return None
    user = session.get_one(User, row.user_id)
    if user.disabled_at is not None:
        return None
    asker = console_user(session, user)
    return FoundSession(SignedIn(asker, session_hash=row.token_hash, csrf_token=row.csrf_token), row.last_seen_at)


def touch_session(sessions: sessionmaker[Session], found: FoundSession, *, at: datetime) -> None:
    """Keep an active session from becoming idle."""
    if at - found.last_seen_at < TOUCH_EVERY:
        return
    with sessions() as session:
        session.execute(
            update(UserSession)
            .where(UserSession.token_hash == found.signed_in.session_hash, UserSession.last_seen_at < at)
            .values(last_seen_at=at)
        )
        session.commit()


def end_session(session: Session, token_hash: str, *, at: datetime) -> None:
    """Sign out; the cookie is worth nothing from the commit on."""
    session.execute(
        update(UserSession)
        .where(UserSession.token_hash == token_hash, UserSession.ended_at.is_(None))
        .values(ended_at=at)
    )


def end_all_sessions(session: Session, user_id: int, *, at: datetime) -> None:
    """End every sign-in of a user: password changed, or disabled."""
    session.execute(
        update(UserSession).where(UserSession.user_id == user_id, UserSession.ended_at.is_(None)).values(ended_at=at)
    )
