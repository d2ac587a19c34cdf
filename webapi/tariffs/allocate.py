"""The one allocator of 4-digit model numbers, and making a version with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from evcs.contracts.config import BandPrice
from evcs.contracts.ids import is_level
from evcs.contracts.states import TariffBand
from webapi.tariffs.models import SLOTS, TariffPrice, TariffVersion

LAST_NUMBER = 9999
_ALLOCATOR_LOCK = 0x6D6F64
"""Key of the PostgreSQL advisory lock under which numbers are given ("mod" in ASCII)."""


class NumbersUsedUp(Exception):
    """All 9999 model numbers are given; they are never given twice."""


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A version as somebody wrote it: 48 bands from 00:00 Beijing time, and prices for each of them at least."""

    version_id: str
    tariff_id: int
    slots: Sequence[TariffBand]
    prices: Sequence[BandPrice]
    valid_from: datetime


def next_model_no(session: Session) -> int:
    """Give the next free model number, 1…9999; held by a lock until the commit, so that no two get the same."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ALLOCATOR_LOCK})
    last = session.scalar(select(func.max(TariffVersion.model_no))) or 0
    if last >= LAST_NUMBER:
        raise NumbersUsedUp
    return last + 1


def make_version(session: Session, new: NewVersion, *, at: datetime, by: str) -> TariffVersion:
    """Make an immutable version with a number of its own. Raises ValueError for a table that no pile could bill by."""
    if not is_level(new.version_id):
        raise ValueError(f"{new.version_id!r} cannot be a topic level")
    if len(new.slots) != SLOTS:
        raise ValueError(f"{len(new.slots)} slots instead of {SLOTS}")
    bands = [price.band for price in new.prices]
    missing = set(new.slots) - set(bands)
    if missing or len(set(bands)) != len(bands):
        raise ValueError(f"each band needs one price: missing {sorted(missing)}, given {bands}")
    version = TariffVersion(
        id=new.version_id,
        tariff_id=new.tariff_id,
        model_no=next_model_no(session),
        slots=tuple(new.slots),
        valid_from=new.valid_from,
        created_at=at,
        created_by=by,
    )
    session.add(version)
    session.flush()
    for price in new.prices:
        session.add(
            TariffPrice(
                version_id=version.id,
                band=price.band,
                energy_price_e5=price.energy_price_e5,
                service_price_e5=price.service_price_e5,
            )
        )
    session.flush()
    return version
