"""Signing in and out, who I am, bearer tokens."""

from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

from flask import Response, after_this_request, request

from webapi.access import Asker, ConsoleUser, Driver
from webapi.audit.record import record
from webapi.http.call import Call, adapters
from webapi.http.problems import Code, not_found, problem
from webapi.http.serve import Served, origin
from webapi.http.smorest import Endpoints
from webapi.users import schemas
from webapi.users.api_keys import NewToken, end_token_in_use, issue_token, revoke_token, tokens_of
from webapi.users.models import ApiToken
from webapi.users.roles import Right
from webapi.users.sessions import COOKIE, LIFE, end_session
from webapi.users.sign_in import Credentials, sign_in

endpoints = Endpoints("登录 Sign-in", "会话与令牌 · sessions of browsers, tokens of programs")


@dataclass(frozen=True, slots=True)
class SessionView:
    """The answer to a sign-in."""

    user: ConsoleUser
    csrf_token: str
    expires_at: object


@dataclass(frozen=True, slots=True)
class MeView:
    """Who asks."""

    user: ConsoleUser | None
    customer: Driver | None
    csrf_token: str | None


@dataclass(frozen=True, slots=True)
class TokensView:
    """Tokens that count."""

    items: list[ApiToken]


@endpoints.post(
    "/sign-in",
    Served(needs_sign_in=False, own_transactions=True, problems=(401, 429)),
    answers=schemas.SignedInSchema,
    body=schemas.SignInBody,
    example={"username": "demo", "password": "••••••••"},
)
def sign_in_user(typed: Credentials) -> SessionView:
    """用户名密码登录 · Sign in

    成功后设置会话 Cookie，返回 CSRF 令牌；多次输错会要求等待（429，见 Retry-After）。

    Opens a session: its cookie is set, its CSRF token is in the answer. Wrong tries are slowed down (429).
    """
    at_hand = adapters()
    entered = sign_in(at_hand.sessions, typed, origin(), at=at_hand.clock.now())

    def give(response: Response) -> Response:
        response.set_cookie(
            COOKIE,
            entered.opened.cookie,
            max_age=int(LIFE.total_seconds()),
            httponly=True,
            secure=request.is_secure,
            samesite="Lax",
            path="/",
        )
        return response

    after_this_request(give)
    return SessionView(entered.user, entered.opened.csrf_token, entered.opened.expires_at)


@endpoints.post("/sign-out", Served(), answers=None, status=HTTPStatus.NO_CONTENT)
def sign_out(call: Call) -> None:
    """退出登录：会话或令牌立即失效 · Sign out: this session or token ends"""
    if call.signed_in.session_hash is not None:
        end_session(call.session, call.signed_in.session_hash, at=call.at)
    elif call.signed_in.token_id is not None:
        end_token_in_use(call.session, call.signed_in.token_id, at=call.at)
    record(call, "sign_out")

    def take(response: Response) -> Response:
        response.delete_cookie(COOKIE, path="/")
        return response

    after_this_request(take)


@endpoints.get("/me", Served(), answers=schemas.MeSchema)
def me(call: Call) -> MeView:
    """当前登录者 · Who is signed in"""
    asker: Asker = call.asker
    if isinstance(asker, Driver):
        return MeView(None, asker, None)
    return MeView(asker, None, call.signed_in.csrf_token)


@endpoints.post(
    "/tokens",
    Served(Right.OWN_TOKENS),
    answers=schemas.NewTokenSchema,
    body=schemas.TokenBody,
    example={"name": "报表程序", "days": 90},
    status=HTTPStatus.CREATED,
)
def make_token(call: Call, wish: schemas.TokenWish) -> NewToken:
    """新建令牌 · Make a bearer token

    令牌只显示这一次；令牌不能再建令牌，须先登录。

    Its text is shown this once. A token cannot make tokens: sign in for that.
    """
    if call.user is None or call.signed_in.session_hash is None:
        raise problem(HTTPStatus.FORBIDDEN, Code.NOT_ALLOWED)
    token = issue_token(call.session, user_id=call.user.id, name=wish.name, life=timedelta(days=wish.days), at=call.at)
    record(call, "token_issue", object_kind="token", object_id=str(token.id))
    return token


@endpoints.get("/tokens", Served(Right.OWN_TOKENS), answers=schemas.TokensSchema)
def list_tokens(call: Call) -> TokensView:
    """我的有效令牌 · Your tokens"""
    return TokensView(tokens_of(call.session, call.user.id) if call.user is not None else [])


@endpoints.delete("/tokens/<row:token_id>", Served(Right.OWN_TOKENS))
def end_token(call: Call, token_id: int) -> None:
    """吊销令牌 · Revoke a token"""
    if call.user is None or not revoke_token(call.session, call.user.id, token_id, at=call.at):
        raise not_found()
    record(call, "token_revoke", object_kind="token", object_id=str(token_id))
