"""Cards, vehicles and attempts as they go over HTTP."""

from dataclasses import dataclass

from marshmallow import Schema, ValidationError, fields, validate, validates
from webargs.fields import DelimitedList

from evcs.contracts.states import OrderState
from webapi.cards.bind import NewCard, NewVehicle
from webapi.cards.models import CardState
from webapi.cards.numbers import NO_CARD, TYPED_UID, is_vin, spell_uid
from webapi.cards.queries import AttemptFilter, BoundFilter
from webapi.http.fields import Body, Instant, code, next_cursor, number, out, text
from webapi.orders.schemas import RefusalSchema
from webapi.stations.schemas import PageQuery

PIN = r"[0-9]{4,12}\Z"


class UidField(fields.String):
    """A chip number of 4 to 8 bytes in hex, as it is kept."""

    def _deserialize(self, value: object, attr: str | None, data: object, **kwargs: object) -> str:
        typed: str = super()._deserialize(value, attr, data, **kwargs)
        validate.Regexp(TYPED_UID)(typed)
        uid = spell_uid(typed)
        if uid == NO_CARD:
            raise ValidationError("String does not match expected pattern.")
        return uid


@dataclass(frozen=True, slots=True)
class Why:
    """Why somebody does it."""

    reason: str


@dataclass(frozen=True, slots=True)
class PinWish:
    """A new PIN; none: no password."""

    pin: str | None


@dataclass(frozen=True, slots=True)
class AllowedWish:
    """Whether something is allowed from now on."""

    allowed: bool


class CardBody(Body):
    """A card to be bound."""

    makes = NewCard
    uid = UidField(
        required=True,
        metadata={"description": "物理卡号: chip number, 4 to 8 bytes in hex; a shorter one is padded left with zeros"},
    )
    printed_no = fields.String(
        validate=validate.Regexp(r"[0-9]{1,16}\Z"),
        metadata={"description": "逻辑卡号: what is printed on it; piles show it"},
    )
    offline_allowed = fields.Boolean(
        metadata={"description": "可下发到桩离线使用 · may be kept in piles for offline charging (0x44)"}
    )
    pin = fields.String(
        validate=validate.Regexp(PIN),
        load_only=True,
        metadata={"description": "卡密码 4–12 位数字，只写 · PIN as typed at the pile; never shown again"},
    )


class VehicleBody(Body):
    """A vehicle to be bound."""

    makes = NewVehicle
    vin = fields.String(required=True, metadata={"description": "车架号 VIN, 17 characters (ISO 3779)"})
    plate = text("车牌 · licence plate", most=16)
    plug_and_charge = fields.Boolean(metadata={"description": "即插即充 · may start by its VIN (the default)"})

    @validates("vin")
    def _is_one(self, value: str, data_key: str = "vin") -> None:
        if not is_vin(value):
            raise ValidationError("String does not match expected pattern.")


class WhyBody(Body):
    """Why."""

    makes = Why
    reason = text("原因 · why; kept with it and in the audit", required=True)


class PinBody(Body):
    """A card's password."""

    makes = PinWish
    pin = fields.String(
        required=True,
        allow_none=True,
        validate=validate.Regexp(PIN),
        load_only=True,
        metadata={"description": "新密码 4–12 位数字；null：取消密码 · the new PIN; null: none"},
    )


class AllowedBody(Body):
    """Allowed or not."""

    makes = AllowedWish
    allowed = fields.Boolean(required=True, metadata={"description": "是否允许 · whether it is allowed"})


class BoundQuery(PageQuery):
    """Which cards or vehicles."""

    makes = BoundFilter
    q = text("卡号、VIN、车牌或姓名 · number or plate (whole, or part for who may read them), or name", most=64)
    customer = number("只看该用户 · only of this customer")
    state = DelimitedList(
        fields.Enum(CardState, by_value=True),
        metadata={"description": "状态，逗号分隔，默认不含已解绑 · states; those in use unless given"},
    )


class AttemptsQuery(PageQuery):
    """Which attempts."""

    makes = AttemptFilter
    station = code("只看该站 · only at this station")
    pile = code("只看该桩 · only at this pile")
    gun = number("只看该枪 · only at this gun number", most=99)
    customer = number("只看该用户 · only of this customer")
    card = fields.String(
        validate=validate.Regexp(TYPED_UID),
        metadata={"description": "只看该卡（整个卡号）· only of this card (whole number)"},
    )
    refused = fields.Boolean(metadata={"description": "true：只看未能充电的 · only those of which no charge began"})
    since = Instant(metadata={"description": "不早于 · at or after"})
    until = Instant(metadata={"description": "早于 · before"})


class CardSchema(Schema):
    """充电卡."""

    id = out(fields.Integer, "编号 · number of this binding")
    customer_id = out(fields.Integer, "用户 · whose")
    customer_name = out(fields.String, "用户名称 · the customer's name")
    uid = out(fields.String, "物理卡号，按权限脱敏 · chip number; masked for who does not need it")
    printed_no = out(fields.String, "逻辑卡号，按权限脱敏 · printed number; masked likewise")
    state = out(fields.Enum, "状态 · bound, blocked, unbound", enum=CardState, by_value=True)
    state_since = out(Instant, "起始时间 · since when")
    reason = out(fields.String, "停用或解绑原因 · why blocked or unbound", allow_none=True)
    has_password = out(fields.Boolean, "是否设有密码 · whether a PIN is set")
    offline_allowed = out(fields.Boolean, "可离线使用 · may be kept in piles")
    bound_at = out(Instant, "绑定时间 · bound")
    unbound_at = out(Instant, "解绑时间 · unbound", allow_none=True)


class CardsSchema(Schema):
    """A page of cards, newest first."""

    items = fields.List(fields.Nested(CardSchema))
    next = next_cursor()


class BoundVehicleSchema(Schema):
    """车辆."""

    id = out(fields.Integer, "编号 · number of this binding")
    customer_id = out(fields.Integer, "用户 · whose")
    customer_name = out(fields.String, "用户名称 · the customer's name")
    vin = out(fields.String, "车架号，按权限脱敏 · VIN; masked for who does not need it")
    plate = out(fields.String, "车牌，按权限脱敏 · licence plate; masked likewise")
    plug_and_charge = out(fields.Boolean, "即插即充 · may start by its VIN")
    state = out(fields.Enum, "状态 · bound, blocked, unbound", enum=CardState, by_value=True)
    state_since = out(Instant, "起始时间 · since when")
    reason = out(fields.String, "停用或解绑原因 · why blocked or unbound", allow_none=True)
    bound_at = out(Instant, "绑定时间 · bound")
    unbound_at = out(Instant, "解绑时间 · unbound", allow_none=True)


class BoundVehiclesSchema(Schema):
    """A page of vehicles, newest first."""

    items = fields.List(fields.Nested(BoundVehicleSchema))
    next = next_cursor()


class AttemptSchema(Schema):
    """A driver's request at a pile and what became of it."""

    id = out(fields.String, "请求编号 · the request's id")
    at = out(Instant, "时间 · when")
    station = out(fields.String, "充电站编号 · station's code")
    pile = out(fields.String, "桩号 · pile's number")
    gun = out(fields.Integer, "枪号 · gun's number")
    mode = out(fields.String, "启动方式 · card, vin, account, or the pile's code")
    card = out(fields.String, "物理卡号，按权限脱敏 · chip number as the pile read it; masked", allow_none=True)
    vin = out(fields.String, "车架号，按权限脱敏 · VIN; masked", allow_none=True)
    joint_number = out(fields.String, "并充序号 · of a joint charge", allow_none=True)
    customer_id = out(fields.Integer, "用户；未登记的卡为空 · whose; null: unknown", allow_none=True)
    customer_name = out(fields.String, "用户名称 · the customer's name", allow_none=True)
    serial = out(fields.String, "生成的订单 · the order made of it", allow_none=True)
    order_state = out(fields.Enum, "订单状态 · its state", enum=OrderState, by_value=True, allow_none=True)
    refusal = fields.Nested(
        RefusalSchema, allow_none=True, metadata={"description": "为什么没充上 · why no charge came of it"}
    )


class AttemptsSchema(Schema):
    """A page of attempts, newest first."""

    items = fields.List(fields.Nested(AttemptSchema))
    next = next_cursor()
