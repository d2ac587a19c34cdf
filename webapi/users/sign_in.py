"""Signing in: throttled, equally slow for users who do not exist, audited."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from evcs.runtime.log import get_logger
from webapi.access import ConsoleUser
from webapi.audit.note import note
from webapi.http.call import Origin
from webapi.http.problems import Code, Problem, problem
from webapi.users.askers import console_user
from webapi.users.models import User
from webapi.users.secrets_of import TooBusy, verify_password
from webapi.users.sessions import NewSession, open_session
from webapi.users.throttle import Attempt, Wait, begin_attempt, succeed

log = get_logger()


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """What was typed; never shown, also not in a traceback."""

    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Entered:
    """Signed in."""

    user: ConsoleUser
    opened: NewSession


def sign_in(sessions: sessionmaker[Session], typed: Credentials, origin: Origin, *, at: datetime) -> Entered:
    """Sign in or raise a Problem (401, 429, 503).

    Three steps: the try is written down and committed, the password is verified outside any transaction (it takes a
    tenth of a second), then the session is opened.
    """
    identity = typed.username.strip().lower()[:64]
    attempt, kept, user_id = _begin(sessions, identity, origin, at)
    try:
        is_right = verify_password(kept, typed.password)
    except TooBusy as error:
        raise problem(HTTPStatus.SERVICE_UNAVAILABLE, Code.BUSY, retry_after_s=5) from error
    with sessions() as session:
        user = session.get(User, user_id) if is_right and user_id is not None else None
        if user is None or user.disabled_at is not None:
            _note_wrong(session, f"user:{user_id}" if user_id else "nobody", identity, origin, at)
            session.commit()
            raise problem(HTTPStatus.UNAUTHORIZED, Code.WRONG_CREDENTIALS)
        succeed(session, attempt, at=at)
        opened = open_session(session, user, origin, at=at)
        note(
            session,
            at=at,
            actor=f"user:{user.id}",
            action="sign_in",
            tenant_id=user.tenant_id,
            object_kind="user",
            object_id=identity,
            address=origin.address,
            request_id=origin.request_id,
        )
        entered = Entered(console_user(session, user), opened)
        session.commit()
    return entered


def _begin(
    sessions: sessionmaker[Session], identity: str, origin: Origin, at: datetime
) -> tuple[Attempt, str | None, int | None]:
    with sessions() as session:
        begun = begin_attempt(session, identity, origin.address, at=at)
        if isinstance(begun, Wait):
            log.warning("sign_in_slowed", identity=identity, address=origin.address, wait_s=begun.seconds)
            raise _slow_down(begun)
        user = session.scalars(select(User).where(User.username == identity)).one_or_none()
        found = (begun, None, None) if user is None else (begun, user.password_hash, user.id)
        session.commit()
    return found


def _note_wrong(session: Session, actor: str, identity: str, origin: Origin, at: datetime) -> None:
    note(
        session,
        at=at,
        actor=actor,
        action="sign_in",
        outcome=Code.WRONG_CREDENTIALS.value,
        object_kind="user",
        object_id=identity,
        address=origin.address,
        request_id=origin.request_id,
    )


def _slow_down(wait: Wait) -> Problem:
    return problem(
        HTTPStatus.TOO_MANY_REQUESTS, Code.TOO_MANY_ATTEMPTS, retry_after_s=wait.seconds, seconds=wait.seconds
    )
