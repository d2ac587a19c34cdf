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
    username = text("console login", most=64, required=True)
    password = text("its password", most=256, required=True)


class UserSchema(Schema):
    """The console user who is signed in."""

    id = out(fields.Integer, "number of the user")
    username = out(fields.String, "login")
    name = out(fields.String, "name")
    role = out(fields.Enum, "role", enum=Role, by_value=True)
    tenant_id = out(fields.Integer, "operator; null: the platform itself", allow_none=True)
    stations = fields.Method(
        "_stations", metadata={"description": "codes of the stations that the user sees; null: all", "type": "array"}
    )
    rights = fields.Method("_rights", metadata={"description": "what the user may do", "type": "array"})

    def _stations(self, user: object) -> list[str] | None:
        stations = getattr(user, "stations", None)
        return None if stations is None else sorted(stations)

    def _rights(self, user: object) -> list[str]:
        rights: frozenset[Right] = getattr(user, "rights", frozenset())
        return sorted(right.value for right in rights)


class SignedInSchema(Schema):
    """The session: its cookie is HttpOnly, its CSRF token goes into the header X-CSRF-Token of every change."""

    user = fields.Nested(UserSchema)
    csrf_token = out(fields.String, "for header X-CSRF-Token")
    expires_at = out(Instant, "when the session ends at the latest; 2 h without a request end it too")


class CustomerMeSchema(Schema):
    """The customer whose token it is."""

    id = out(fields.Integer, "number of the customer")
    name = out(fields.String, "name")


class MeSchema(Schema):
    """Who is signed in: a console user or a customer."""

    user = fields.Nested(UserSchema, allow_none=True)
    customer = fields.Nested(CustomerMeSchema, allow_none=True)
    csrf_token = out(fields.String, "of the session; null with a bearer token", allow_none=True)


@dataclass(frozen=True, slots=True)
class TokenWish:
    """A token to be made."""

    days: int
    name: str = ""


class TokenBody(Body):
    """What a token is for and how long it counts."""

    makes = TokenWish
    name = text("what it is for", most=64)
    days = whole("how long it counts, days", most=366, missing=90)


class TokenSchema(Schema):
    """A bearer token."""

    id = out(fields.Integer, "number of the token")
    name = out(fields.String, "what it is for")
    created_at = out(Instant, "when it was made")
    expires_at = out(Instant, "when it ends", allow_none=True)
    last_used_at = out(Instant, "when it was last used, to the minute", allow_none=True)


class NewTokenSchema(TokenSchema):
    """A token just made; its text is shown this once."""

    token = out(fields.String, "for Authorization: Bearer …; kept nowhere")


class TokensSchema(Schema):
    """The tokens that count."""

    items = fields.List(fields.Nested(TokenSchema))
