"""Customers over HTTP: list, search, open, block, detail, statement."""

from http import HTTPStatus

import msgspec
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from webapi.audit.record import record
from webapi.customers import schemas
from webapi.customers.models import Customer
from webapi.customers.open import NewCustomer, open_customer
from webapi.customers.queries import (
    CustomerFilter,
    CustomerView,
    StatementFilter,
    StatementLine,
    customer_view,
    find_customer,
    list_customers,
    statement,
)
from webapi.http.call import Call
from webapi.http.field_messages import told
from webapi.http.paging import Page
from webapi.http.problems import Code, FieldError, invalid, not_found, problem
from webapi.http.serve import Reply, Served
from webapi.http.smorest import API_PREFIX, Endpoints
from webapi.stations.models import Station
from webapi.users.roles import Right

endpoints = Endpoints("用户 Customers", "车主、钱包、流水 · drivers, wallets, statements")


class Blocking(msgspec.Struct, frozen=True):
    """What the audit keeps of blocking an account or letting it go on."""

    reason: str
    reason_before: str | None


@endpoints.get("/customers", Served(Right.SEE_ACCOUNTS), answers=schemas.CustomersSchema, query=schemas.CustomersQuery)
def customers(call: Call, wish: CustomerFilter) -> Page[CustomerView]:
    """用户列表与搜索 · The customers that you see, or those that match q"""
    return list_customers(call.session, call.sees, wish)


@endpoints.post(
    "/customers",
    Served(Right.OPEN_ACCOUNTS, keyed=True),
    answers=schemas.CustomerSchema,
    body=schemas.CustomerBody,
    example={"name": "赵师傅", "phone": "13900000009"},
    status=HTTPStatus.CREATED,
)
def new_customer(call: Call, wish: schemas.CustomerWish) -> Reply:
    """开户 · Open an account"""
    new = NewCustomer(_tenant(call, wish.first_station), wish.name, wish.phone, wish.first_station)
    if wish.phone is not None and call.session.scalar(
        select(Customer.id).where(Customer.tenant_id == new.tenant_id, Customer.phone == wish.phone)
    ):
        raise problem(HTTPStatus.CONFLICT, Code.PHONE_TAKEN)
    try:
        customer = open_customer(call.session, new, at=call.at)
    except IntegrityError as error:  # two at once
        raise problem(HTTPStatus.CONFLICT, Code.PHONE_TAKEN) from error
    record(
        call,
        "customer_open",
        tenant_id=new.tenant_id,
        station=wish.first_station,
        object_kind="customer",
        object_id=str(customer.id),
    )
    return Reply(customer_view(customer, call.sees), location=f"{API_PREFIX}/customers/{customer.id}")


@endpoints.get("/customers/<row:customer_id>", Served(Right.SEE_ACCOUNTS), answers=schemas.CustomerSchema)
def customer(call: Call, customer_id: int) -> CustomerView:
    """用户详情与钱包 · A customer with the wallet"""
    return customer_view(_found(call, customer_id), call.sees)


@endpoints.post(
    "/customers/<row:customer_id>/block",
    Served(Right.BLOCK_ACCOUNTS, keyed=True, problems=(404,)),
    answers=schemas.CustomerSchema,
    body=schemas.WhyAccountBody,
    example={"reason": "恶意欠费"},
)
def block_customer(call: Call, wish: schemas.Why, customer_id: int) -> CustomerView:
    """冻结账户 · Block an account: nothing starts for it, from no source

    正在进行的充电不会中断，但冻结金额不再追加。再次冻结只更新原因。

    A charge that runs goes on as far as what is held for it lasts; nothing more is set aside. Blocking a blocked
    account changes the reason only.
    """
    found = _found(call, customer_id, lock=True)
    before = found.blocked_reason
    if found.blocked_at is None:
        found.blocked_at = call.at
    found.blocked_reason = wish.reason
    _audit(call, "customer_block", found, Blocking(wish.reason, before))
    return customer_view(found, call.sees)


@endpoints.post(
    "/customers/<row:customer_id>/unblock",
    Served(Right.BLOCK_ACCOUNTS, keyed=True, problems=(404,)),
    answers=schemas.CustomerSchema,
    body=schemas.WhyAccountBody,
    example={"reason": "欠费已结清"},
)
def unblock_customer(call: Call, wish: schemas.Why, customer_id: int) -> CustomerView:
    """解除冻结 · Let an account start charges again"""
    found = _found(call, customer_id, lock=True)
    before = found.blocked_reason
    found.blocked_at = found.blocked_reason = None
    _audit(call, "customer_unblock", found, Blocking(wish.reason, before))
    return customer_view(found, call.sees)


@endpoints.get(
    "/customers/<row:customer_id>/statement",
    Served(Right.SEE_ACCOUNTS),
    answers=schemas.StatementSchema,
    query=schemas.StatementQuery,
)
def customer_statement(call: Call, wish: StatementFilter, customer_id: int) -> Page[StatementLine]:
    """账户流水，新的在前 · Statement: recharges and charges with the balance after each"""
    return statement(call.session, call.sees, _found(call, customer_id).id, wish)


def _found(call: Call, customer_id: int, *, lock: bool = False) -> Customer:
    found = find_customer(call.session, call.sees, customer_id, lock=lock)
    if found is None:
        raise not_found()
    return found


def _audit(call: Call, action: str, customer: Customer, details: Blocking) -> None:
    record(
        call,
        action,
        tenant_id=customer.tenant_id,
        object_kind="customer",
        object_id=str(customer.id),
        details=details,
    )


def _tenant(call: Call, station: str | None) -> int:
    """The operator of the new customer; the station must be one that the user sees."""
    user = call.user
    if station is None:
        if user is None or user.tenant_id is None or user.stations is not None:
            raise invalid(FieldError("first_station", told("Missing data for required field.")))
        return user.tenant_id
    found = call.session.scalars(call.sees.stations().where(Station.code == station)).one_or_none()
    if found is None:
        raise not_found("first_station")
    return found.tenant_id
