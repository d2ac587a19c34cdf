"""Sign-in, the person signed in, tokens: as they go over HTTP."""

from dataclasses import dataclass

from marshmallow import Schema, fields

from webapi.http.fields import Body, Instant, out, text, whole
from webapi.users.models import Role
from webapi.users.roles import Right
from webapi.users.sign_in import Credentials


class SignInBody(Body):
    """Who signs in."""

    makes = Credentials
    username = text("登录名 · console login", most=64, required=True)
    password = text("密码 · its password", most=256, required=True)


class UserSchema(Schema):
    """The console user who is signed in."""

    id = out(fields.Integer, "用户编号 · number of the user")
    username = out(fields.String, "登录名 · login")
    name = out(fields.String, "名称 · name")
    role = out(fields.Enum, "角色 · role", enum=Role, by_value=True)
    tenant_id = out(fields.Integer, "运营商 · operator; null: the platform itself", allow_none=True)
    stations = fields.Method(
        "_stations",
        metadata={
            "description": "可见充电站 · codes of the stations that the user sees; null: all",
            "type": ["array", "null"],
            "items": {"type": "string"},
        },
    )
    rights = fields.Method(
        "_rights",
        metadata={
            "description": "权限 · what the user may do",
            "type": "array",
            "items": {"type": "string", "enum": sorted(right.value for right in Right)},
        },
    )

    def _stations(self, user: object) -> list[str] | None:
        stations = getattr(user, "stations", None)
        return None if stations is None else sorted(stations)

    def _rights(self, user: object) -> list[str]:
        rights: frozenset[Right] = getattr(user, "rights", frozenset())
        return sorted(right.value for right in rights)


class SignedInSchema(Schema):
    """The session: its cookie is HttpOnly, its CSRF token goes into the header X-CSRF-Token of every change."""

    user = fields.Nested(UserSchema)
    csrf_token = out(fields.String, "CSRF 令牌 · for header X-CSRF-Token")
    expires_at = out(
        Instant, "会话最晚结束时间 · when the session ends at the latest; 2 h without a request end it too"
    )


class CustomerMeSchema(Schema):
    """The customer whose token it is."""

    id = out(fields.Integer, "用户编号 · number of the customer")
    name = out(fields.String, "名称 · name")


class MeSchema(Schema):
    """Who is signed in: a console user or a customer."""

    user = fields.Nested(UserSchema, allow_none=True)
    customer = fields.Nested(CustomerMeSchema, allow_none=True)
    csrf_token = out(fields.String, "会话的 CSRF 令牌 · of the session; null with a bearer token", allow_none=True)


@dataclass(frozen=True, slots=True)
class TokenWish:
    """A token to be made."""

    days: int
    name: str = ""


class TokenBody(Body):
    """What a token is for and how long it counts."""

    makes = TokenWish
    name = text("用途 · what it is for", most=64)
    days = whole("有效天数 · how long it counts, days", most=366, missing=90)


class TokenSchema(Schema):
    """A bearer token."""

    id = out(fields.Integer, "令牌编号 · number of the token")
    name = out(fields.String, "用途 · what it is for")
    created_at = out(Instant, "创建时间 · when it was made")
    expires_at = out(Instant, "到期时间 · when it ends", allow_none=True)
    last_used_at = out(Instant, "最近使用 · when it was last used, to the minute", allow_none=True)


class NewTokenSchema(TokenSchema):
    """A token just made; its text is shown this once."""

    token = out(fields.String, "令牌，只显示这一次 · for Authorization: Bearer …; kept nowhere")


class TokensSchema(Schema):
    """The tokens that count."""

    items = fields.List(fields.Nested(TokenSchema))
