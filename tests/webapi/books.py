"""A small world for tests of money: one tenant, one station, one pile with two guns, one tariff, customers, orders."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

import msgspec
from sqlalchemy.orm import Session

from evcs.contracts.config import BandPrice
from evcs.contracts.envelope import Receipt
from evcs.contracts.gun import BandEnergy, ChargeRecord, MarkReason, MeterMark
from evcs.contracts.ids import serial_number, shard_of
from evcs.contracts.states import GoalKind, OrderState, StartSource, StopClass, TariffBand
from evcs.contracts.times import beijing_digits
from webapi.customers.models import Customer
from webapi.customers.open import NewCustomer, open_customer
from webapi.guns.models import Gun
from webapi.ledger.holds import place_hold
from webapi.ledger.models import Wallet
from webapi.orders.models import Order
from webapi.piles.models import Pile
from webapi.recharges.place import RechargeOrder, place_recharge
from webapi.stations.models import Station
from webapi.tariffs.allocate import NewVersion, make_version
from webapi.tariffs.models import Tariff
from webapi.tenants.models import Tenant
from webapi.transformers.models import Transformer

# 2026-11-24 20:50 in Beijing
BEGIN = datetime(2026, 11, 24, 12, 50, tzinfo=UTC)
PILE = "32010600019236"
STATION = "s-demo"

SHARP, PEAK, FLAT, VALLEY = TariffBand.SHARP, TariffBand.PEAK, TariffBand.FLAT, TariffBand.VALLEY
SLOTS = (VALLEY,) * 16 + (PEAK,) * 6 + (SHARP,) * 4 + (FLAT,) * 10 + (PEAK,) * 8 + (FLAT,) * 2 + (VALLEY,) * 2
"""谷 until 8:00, 峰 until 11:00, 尖 until 13:00, 平 until 18:00, 峰 until 22:00, 平 until 23:00, 谷."""

PRICES = (
    BandPrice(band=SHARP, energy_price_e5=132345, service_price_e5=40000),
    BandPrice(band=PEAK, energy_price_e5=112345, service_price_e5=40000),
    BandPrice(band=FLAT, energy_price_e5=72345, service_price_e5=40000),
    BandPrice(band=VALLEY, energy_price_e5=32345, service_price_e5=40000),
)
"""Those of the worked example (session 20:50–23:10)."""

WORKED = ((PEAK, Decimal("9.8765")), (FLAT, Decimal("41.2003")), (VALLEY, Decimal("6.0001")))
"""Energies of the worked example: 65.67 yuan."""


@dataclass
class Books:
    """Makes rows; the figures of the worked example where nothing else is asked for."""

    session: Session
    tenant_id: int = 0
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def build(self) -> "Books":
        """Make everything that does not move money."""
        session = self.session
        tenant = Tenant(code="demo", name="演示", created_at=BEGIN)
        session.add(tenant)
        session.flush()
        self.tenant_id = tenant.id
        tariff = Tariff(tenant_id=tenant.id, name="分时", created_at=BEGIN)
        session.add_all(
            [
                tariff,
                Station(code=STATION, shard=shard_of(STATION), tenant_id=tenant.id, name="站", created_at=BEGIN),
            ]
        )
        session.flush()
        session.add(Transformer(code="t1", station_code=STATION, name="T1", rated_kva=Decimal(630), created_at=BEGIN))
        session.flush()
        make_version(session, NewVersion("v1", tariff.id, SLOTS, PRICES, valid_from=BEGIN), at=BEGIN, by="user:1")
        session.add(
            Pile(
                number=PILE,
                station_code=STATION,
                transformer_code="t1",
                name="1",
                rated_kw=Decimal(120),
                confirmed_tariff_version_id="v1",
                source_networks=[],
                created_at=BEGIN,
            )
        )
        session.flush()
        session.add_all([Gun(pile_number=PILE, no=no, rated_kw=Decimal(120)) for no in (1, 2)])
        session.flush()
        return self

    def customer(self, recharged_fen: int = 0) -> Customer:
        """Open a customer and put money on the wallet."""
        number = next(self._numbers)
        customer = open_customer(
            self.session, NewCustomer(self.tenant_id, f"c{number}", f"1380000{number:04d}"), at=BEGIN
        )
        if recharged_fen:
            place_recharge(
                self.session,
                RechargeOrder(customer.id, recharged_fen, number=f"first-{number}", reason="test"),
                at=BEGIN,
                by="user:1",
            )
        return customer

    def order(
        self,
        customer: Customer | None,
        hold_fen: int = 0,
        *,
        goal_amount_fen: int | None = None,
        goal_energy_kwh: Decimal | None = None,
        state: OrderState = OrderState.CHARGING,
        started: bool = True,
        gun: int = 1,
    ) -> Order:
        """An order that began at BEGIN, with a hold."""
        kind = GoalKind.AMOUNT if goal_amount_fen else GoalKind.ENERGY if goal_energy_kwh else GoalKind.FULL
        order = Order(
            serial=serial_number(PILE, gun, beijing_digits(BEGIN), next(self._numbers)),
            tenant_id=self.tenant_id,
            station_code=STATION,
            pile_number=PILE,
            gun_no=gun,
            customer_id=customer.id if customer else None,
            source=StartSource.APP,
            created_by="test",
            goal_kind=kind,
            goal_amount_fen=goal_amount_fen,
            goal_energy_kwh=goal_energy_kwh,
            state=state,
            state_since=BEGIN,
            tariff_version_id="v1",
            requested_at=BEGIN - timedelta(seconds=20),
            started_at=BEGIN if started else None,
            electricity_fen=0,
            service_fen=0,
            occupancy_fen=0,
            discount_fen=0,
            total_fen=0,
        )
        self.session.add(order)
        self.session.flush()
        if hold_fen:
            place_hold(self.session, order, hold_fen, at=BEGIN, by="test")
        return order

    def wallet(self, customer: Customer) -> tuple[int, int, int]:
        """(available, held, debt) as the database has them."""
        row = self.session.get_one(Wallet, customer.id, populate_existing=True)
        return row.available_fen, row.held_fen, row.debt_fen


def record(
    order_serial: str,
    energies: tuple[tuple[TariffBand, Decimal], ...] = WORKED,
    amount_e4: int = 656736,
    *,
    gun: int = 1,
    ended_at: datetime = BEGIN + timedelta(minutes=140),
    stop_code: int = 0x41,
    n: int = 1,
) -> ChargeRecord:
    """A charge record that is consistent in itself; `n` numbers the repetitions."""
    total = sum((energy for _, energy in energies), Decimal(0))
    prices = {price.band: price.energy_price_e5 + price.service_price_e5 for price in PRICES}
    return ChargeRecord(
        id=f"r-{n}",
        receipt=Receipt(bridge="b1", started_ms=1, n=n),
        serial=order_serial,
        pile=PILE,
        gun=gun,
        received_at=ended_at + timedelta(seconds=2 * n),
        started_at=BEGIN,
        ended_at=ended_at,
        traded_at=ended_at,
        bands=tuple(
            BandEnergy(
                band=band,
                price_e5=prices[band],
                energy_kwh=energy,
                loss_energy_kwh=energy,
                amount_e4=int(energy * prices[band] / 10),
            )
            for band, energy in energies
        ),
        register_start_kwh=Decimal("1000.0000"),
        register_end_kwh=Decimal("1000.0000") + total,
        energy_kwh=total,
        loss_energy_kwh=total,
        amount_e4=amount_e4,
        source=StartSource.APP,
        stop_code=stop_code,
        stop_class=StopClass.NORMAL,
        frame_hex=f"68a2{n:04x}",
    )


def changed(given: ChargeRecord, **changes: object) -> ChargeRecord:
    """The record with some fields told otherwise."""
    return msgspec.structs.replace(given, **changes)


def mark(serial: str, minutes: int, energy: str, why: MarkReason = MarkReason.PERIODIC) -> MeterMark:
    """A register mark some minutes after the begin."""
    return MeterMark(
        receipt=Receipt(bridge="b1", started_ms=1, n=minutes),
        serial=serial,
        why=why,
        received_at=BEGIN + timedelta(minutes=minutes),
        energy_kwh=Decimal(energy),
    )
