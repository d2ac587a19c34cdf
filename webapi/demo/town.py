"""The demo's operator as plain figures: stations, transformers, prices, customers. Pure."""

from dataclasses import dataclass
from decimal import Decimal

from evcs.contracts.config import BandPrice
from evcs.contracts.states import TariffBand

TENANT = "demo"
TENANT_NAME = "示范运营商"
TARIFF_NAME = "示范分时电价"
TARIFF_VERSION = "demo-1"
PILE_KW = Decimal(120)
NETWORKS = ("127.0.0.0/8", "::1/128")
"""From here the simulated piles may log in by their number alone."""

SHARP, PEAK, FLAT, VALLEY = TariffBand.SHARP, TariffBand.PEAK, TariffBand.FLAT, TariffBand.VALLEY
SLOTS = (VALLEY,) * 16 + (PEAK,) * 6 + (SHARP,) * 4 + (FLAT,) * 10 + (PEAK,) * 8 + (FLAT,) * 2 + (VALLEY,) * 2
"""谷 until 8:00, 峰 until 11:00, 尖 until 13:00, 平 until 18:00, 峰 until 22:00, 平 until 23:00, 谷."""

PRICES = (
    BandPrice(band=SHARP, energy_price_e5=132_345, service_price_e5=40_000),
    BandPrice(band=PEAK, energy_price_e5=112_345, service_price_e5=40_000),
    BandPrice(band=FLAT, energy_price_e5=72_345, service_price_e5=40_000),
    BandPrice(band=VALLEY, energy_price_e5=32_345, service_price_e5=40_000),
)
"""0.00001 yuan/kWh."""

CUSTOMERS = (
    ("王师傅", "13800000001"),
    ("李女士", "13800000002"),
    ("张先生", "13800000003"),
    ("赵师傅", "13800000004"),
    ("陈女士", "13800000005"),
    ("周先生", "13800000006"),
)


def card_uid(customer: int) -> str:
    """物理卡号 of the n-th customer's card: a four-byte chip, as the simulated drivers have it."""
    return f"{0xD14B0000 + customer:016X}"


def printed_number(customer: int) -> str:
    """逻辑卡号 of the n-th customer's card."""
    return f"88{customer:014d}"


def vin(customer: int) -> str:
    """车架号 of the n-th customer's car, as the simulated cars have it."""
    return f"LSVEVCS00000{customer:05d}"


def plate(customer: int) -> str:
    """车牌 of the n-th customer's car."""
    return f"浙AD{10_000 + customer}"


_RATINGS = (315, 400, 500, 630, 800, 1000, 1250, 1600, 2000, 2500)
"""Ratings of distribution transformers that are sold, kVA."""


@dataclass(frozen=True, slots=True)
class Site:
    """A station with its transformer and the numbers of its piles."""

    code: str
    name: str
    address: str
    longitude: Decimal
    latitude: Decimal
    transformer: str
    rated_kva: Decimal
    base_load_kw: Decimal
    piles: tuple[str, ...]
    has_meter: bool = False


def pile_numbers(count: int, first: int) -> tuple[str, ...]:
    """The numbers that the simulator logs in."""
    return tuple(f"55031412{number:06d}" for number in range(first, first + count))


def sites(count: int, first: int = 1) -> tuple[Site, ...]:
    """Two stations that share the piles.

    One charging gun of 120 kW is 134 kVA. Of the first station's transformer (500 kVA for three piles) it is 27 %: two
    at once bring the load over 50 %, so starts are limited at times and refused now and then. The second has room, and
    a meter, which the simulator plays.
    """
    numbers = pile_numbers(count, first)
    half = (len(numbers) + 1) // 2
    return (
        Site(
            "DEMO-A",
            "西溪示范站",
            "杭州市西湖区文一西路 1 号",
            Decimal("120.063900"),
            Decimal("30.273700"),
            "DEMO-A-T1",
            _rating(half, 150),
            Decimal(0),
            numbers[:half],
        ),
        Site(
            "DEMO-B",
            "滨江示范站",
            "杭州市滨江区江南大道 1 号",
            Decimal("120.211800"),
            Decimal("30.208400"),
            "DEMO-B-T1",
            _rating(len(numbers) - half, 200),
            Decimal(40),
            numbers[half:],
            has_meter=True,
        ),
    )


def _rating(piles: int, kva_each: int) -> Decimal:
    needed = piles * kva_each
    return Decimal(next((rating for rating in _RATINGS if rating >= needed), needed))
