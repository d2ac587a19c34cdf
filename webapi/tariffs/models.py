"""Tables of the tariffs (计费模型): immutable versions, their prices, which numbers each pile got."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Integer, String
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

from evcs.contracts.states import TariffBand
from webapi.database import Base, RowId, UtcTime, Wording, one_of

SLOTS = 48
"""Half-hour slots of a Beijing day; a slot belongs to its start."""

_LETTERS = {
    TariffBand.SHARP: "S",
    TariffBand.PEAK: "P",
    TariffBand.FLAT: "F",
    TariffBand.VALLEY: "V",
    TariffBand.DEEP_VALLEY: "D",
}
_BANDS = {letter: band for band, letter in _LETTERS.items()}


class SlotBands(TypeDecorator[tuple[TariffBand, ...]]):
    """The bands of the 48 slots, kept as 48 letters out of SPFVD."""

    impl = String(SLOTS)
    cache_ok = True

    def process_bind_param(self, value: tuple[TariffBand, ...] | None, dialect: Dialect) -> str | None:
        """Spell the bands; a day that has not 48 slots is refused."""
        if value is None:
            return None
        if len(value) != SLOTS:
            raise ValueError(f"a tariff has {SLOTS} slots, not {len(value)}")
        return "".join(_LETTERS[band] for band in value)

    def process_result_value(self, value: Any, dialect: Dialect) -> tuple[TariffBand, ...] | None:
        """Read the bands back."""
        return None if value is None else tuple(_BANDS[letter] for letter in value)


class Tariff(Base):
    """A named tariff of a tenant; what is billed are its versions."""

    __tablename__ = "tariff"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenant.id"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    archived_at: Mapped[datetime | None] = mapped_column(UtcTime)

    versions: Mapped[list["TariffVersion"]] = relationship(back_populates="tariff", order_by="TariffVersion.model_no")


class TariffVersion(Base):
    """A version of a tariff: never changed, never deleted (triggers refuse it). Its id is a topic level.

    `model_no` is the four-digit number on the wire, from one allocator (`webapi.tariffs.allocate`) for all tenants,
    since a pile knows the table by that number alone. 0000 is what a new pile says and is never given.
    """

    __tablename__ = "tariff_version"
    __table_args__ = (
        CheckConstraint("model_no BETWEEN 1 AND 9999", name="model_no"),
        CheckConstraint("length(slots) = 48", name="slots"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    tariff_id: Mapped[int] = mapped_column(ForeignKey("tariff.id"), index=True)
    model_no: Mapped[int] = mapped_column(Integer, unique=True)
    slots: Mapped[tuple[TariffBand, ...]] = mapped_column(SlotBands, comment="48 letters: S 尖 P 峰 F 平 V 谷 D 深谷")
    valid_from: Mapped[datetime] = mapped_column(UtcTime, comment="from when piles shall be given it")
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    created_by: Mapped[str] = mapped_column(String(64))

    @property
    def model_digits(self) -> str:
        """The model number as contracts and the wire spell it: four digits."""
        return f"{self.model_no:04d}"

    tariff: Mapped["Tariff"] = relationship(back_populates="versions")
    prices: Mapped[list["TariffPrice"]] = relationship(back_populates="version")


class TariffPrice(Base):
    """Prices of one band of a version, in 0.00001 yuan/kWh. Never changed."""

    __tablename__ = "tariff_price"
    __table_args__ = (
        one_of("band", TariffBand),
        CheckConstraint("energy_price_e5 >= 0 AND service_price_e5 >= 0", name="prices"),
    )

    version_id: Mapped[str] = mapped_column(ForeignKey("tariff_version.id"), primary_key=True)
    band: Mapped[TariffBand] = mapped_column(Wording(TariffBand), primary_key=True)
    energy_price_e5: Mapped[int] = mapped_column(Integer)
    service_price_e5: Mapped[int] = mapped_column(Integer)

    version: Mapped["TariffVersion"] = relationship(back_populates="prices")


class TariffDelivery(Base):
    """A model number that we delivered to a pile: only for such a one may 0x06 answer "same"."""

    __tablename__ = "tariff_delivery"

    pile_number: Mapped[str] = mapped_column(ForeignKey("pile.number"), primary_key=True)
    model_no: Mapped[int] = mapped_column(ForeignKey("tariff_version.model_no"), primary_key=True)
    delivered_at: Mapped[datetime] = mapped_column(UtcTime, comment="when the pile confirmed it")
