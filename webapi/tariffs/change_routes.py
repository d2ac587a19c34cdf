"""Changing prices over HTTP: a new tariff, two versions compared, a scheduled change cancelled."""

from http import HTTPStatus

import msgspec

from evcs.contracts.reasons import Sentence
from webapi.audit.record import record
from webapi.http.call import Call
from webapi.http.field_messages import told
from webapi.http.problems import FieldError, invalid, not_found
from webapi.http.serve import Reply, Served
from webapi.http.smorest import API_PREFIX, Endpoints
from webapi.piles.models import Pile
from webapi.tariffs import change_schemas as schemas
from webapi.tariffs.allocate import NewVersion, make_version, next_model_no
from webapi.tariffs.assign import unschedule
from webapi.tariffs.compare import Compared, compare, unused_bands
from webapi.tariffs.models import Tariff, TariffVersion
from webapi.tariffs.queries import price_table
from webapi.tariffs.rollout import named
from webapi.tariffs.schemas import TariffSchema, VersionWish
from webapi.tariffs.views import find_tariff, tariff_view
from webapi.tenants.models import Tenant
from webapi.users.roles import Right

endpoints = Endpoints("计费模型变更 Tariff changes", "新建、比较、取消预约 · make, compare, cancel what is scheduled")


class Unscheduled(msgspec.Struct, frozen=True):
    """What the audit keeps of a cancelled change."""

    version: str
    piles: tuple[str, ...]


@endpoints.post(
    "/tariffs",
    Served(Right.SET_TARIFFS, keyed=True),
    answers=TariffSchema,
    body=schemas.TariffBody,
    example={
        "name": "一般工商业 分时",
        "version": {
            "slots": ["valley"] * 16 + ["flat"] * 32,
            "prices": [
                {"band": "flat", "energy_price_e5": 72345, "service_price_e5": 40000},
                {"band": "valley", "energy_price_e5": 32345, "service_price_e5": 40000},
            ],
        },
    },
    status=HTTPStatus.CREATED,
)
def tariff_create(call: Call, wish: schemas.TariffWish) -> Reply:
    """新建计费模型及其首个版本（须再指派给桩） · Make a tariff with its first version; no pile has it yet"""
    check_bands(wish.version, "version.prices")
    made = Tariff(tenant_id=_tenant(call, wish.tenant), name=wish.name, created_at=call.at)
    call.session.add(made)
    call.session.flush()
    version_id = f"t{made.id}-{next_model_no(call.session):04d}"
    slots, prices = wish.version.slots, wish.version.prices
    new = NewVersion(version_id, made.id, slots, prices, valid_from=wish.version.valid_from or call.at)
    make_version(call.session, new, at=call.at, by=call.asker.key)
    record(call, "tariff_create", tenant_id=made.tenant_id, object_kind="tariff", object_id=str(made.id))
    call.session.expire(made, ["versions"])
    return Reply(tariff_view(call.session, call.sees, made), location=f"{API_PREFIX}/tariffs/{made.id}")


@endpoints.get(
    "/tariffs/<row:tariff_id>/compare",
    Served(Right.SEE_SITES),
    answers=schemas.ComparedSchema,
    query=schemas.CompareQuery,
)
def tariff_compare(call: Call, wish: schemas.CompareWish, tariff_id: int) -> Compared:
    """比较两个版本：每个时段的原价、新价与涨跌 · Two versions side by side over the day"""
    found = _tariff(call, tariff_id)
    for field, version in (("before", wish.before), ("after", wish.after)):
        _version(call, found, version, field)
    return compare(price_table(call.session, wish.before), price_table(call.session, wish.after))


@endpoints.delete(
    "/tariffs/<row:tariff_id>/versions/<code:version>/schedule",
    Served(Right.SET_TARIFFS),
    query=schemas.CancelQuery,
)
def tariff_unschedule(call: Call, wish: schemas.CancelWish, tariff_id: int, version: str) -> None:
    """取消尚未生效的调价：所选桩保留现有计费模型 · Cancel a change whose day has not come; piles keep what they have

    已生效或未预约的桩不受影响。Piles where it is in force already, or was never scheduled, are left alone.
    """
    found = _tariff(call, tariff_id)
    _version(call, found, version, None)
    query = call.sees.piles().order_by(Pile.number)
    if wish.pile:
        query = query.where(Pile.number.in_(wish.pile))
    piles = [pile.number for pile in call.session.scalars(query)]
    if wish.pile and len(piles) != len(wish.pile):
        raise not_found("pile")
    done = unschedule(call.session, version, piles)
    record(
        call,
        "tariff_unschedule",
        tenant_id=found.tenant_id,
        object_kind="tariff_version",
        object_id=version,
        details=Unscheduled(version, done),
    )


def check_bands(wish: VersionWish, field: str) -> None:
    """Refuse prices of bands that no half hour uses, by name."""
    unused = unused_bands(wish.slots, [price.band for price in wish.prices])
    if unused:
        names = named(unused)
        message = Sentence(
            f"{names.zh}有价格，但没有任何半小时使用；请删除该价格，或在时段中使用它。",
            f"No half hour uses {names.en}, which has a price; remove the price, or use the band.",
        )
        raise invalid(FieldError(field, message))


def _tariff(call: Call, tariff_id: int) -> Tariff:
    found = find_tariff(call.session, call.sees, tariff_id)
    if found is None:
        raise not_found()
    return found


def _version(call: Call, tariff: Tariff, version: str, field: str | None) -> TariffVersion:
    found = call.session.get(TariffVersion, version)
    if found is None or found.tariff_id != tariff.id:
        raise not_found(field)
    return found


def _tenant(call: Call, wished: int | None) -> int:
    """The asker's operator; who belongs to none names it."""
    own = call.asker.tenant_id
    if own is not None and wished in (None, own):
        return own
    if own is None and wished is None:
        raise invalid(FieldError("tenant", told("Missing data for required field.")))
    if own is not None or wished is None or call.session.get(Tenant, wished) is None:
        raise not_found("tenant")
    return wished
