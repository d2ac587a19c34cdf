"""What energies cost, pure: exact lines, the total rounded first, then shared so that every level adds up."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from evcs.contracts.money import exact_fen, largest_remainder, round_half_up, share_out
from evcs.contracts.states import TariffBand
from webapi.tariffs.slots import BandKwh, PriceTable


class NoPrice(Exception):
    """Energy in a band for which the version has no price."""


@dataclass(frozen=True, slots=True)
class Line:
    """One band of a bill: energies in kWh, prices in 0.00001 yuan/kWh, amounts in fen."""

    band: TariffBand
    billed_kwh: Decimal
    metered_kwh: Decimal
    energy_price_e5: int
    service_price_e5: int
    electricity_fen: int
    service_fen: int


@dataclass(frozen=True, slots=True)
class Priced:
    """A bill: the lines add up to electricity and service, these to the total, all in fen."""

    lines: tuple[Line, ...]
    electricity_fen: int
    service_fen: int

    @property
    def total_fen(self) -> int:
        """Electricity and service."""
        return self.electricity_fen + self.service_fen

    @property
    def energy_kwh(self) -> Decimal:
        """What is billed, over all bands."""
        return sum((line.billed_kwh for line in self.lines), Decimal(0))

    def scaled_to(self, total_fen: int) -> "Priced":
        """The same bill with another total, shared in proportion (a disputed bill with the lower figure)."""
        if total_fen == self.total_fen:
            return self
        electricity, service = share_out(total_fen, [Decimal(self.electricity_fen), Decimal(self.service_fen)])
        parts = zip(
            self.lines,
            share_out(electricity, [Decimal(line.electricity_fen) for line in self.lines]),
            share_out(service, [Decimal(line.service_fen) for line in self.lines]),
            strict=True,
        )
        lines = tuple(
            Line(
                line.band,
                line.billed_kwh,
                line.metered_kwh,
                line.energy_price_e5,
                line.service_price_e5,
                electricity_part,
                service_part,
            )
            for line, electricity_part, service_part in parts
        )
        return Priced(lines, electricity, service)


NOTHING = Priced((), 0, 0)


def price(table: PriceTable, energies: Sequence[BandKwh]) -> Priced:
    """Price energies by a version. Raises NoPrice for a band that it has not.

    The total is rounded first, once: rounding each line and adding differs from the pile's own screen in 42 % of
    orders. Then the fen go to electricity and service, then to the lines, by largest remainder.
    """
    priced = []
    for energy in energies:
        of_band = table.price_of(energy.band)
        if of_band is None:
            raise NoPrice(f"{table.version_id} has no price for {energy.band}")
        priced.append((energy, of_band))
    electricity_exact = [exact_fen(energy.billed_kwh, p.energy_price_e5) for energy, p in priced]
    service_exact = [exact_fen(energy.billed_kwh, p.service_price_e5) for energy, p in priced]
    sums = [sum(electricity_exact, Decimal(0)), sum(service_exact, Decimal(0))]
    electricity, service = largest_remainder(round_half_up(sums[0] + sums[1]), sums)
    lines = tuple(
        Line(e.band, e.billed_kwh, e.metered_kwh, p.energy_price_e5, p.service_price_e5, electricity_fen, service_fen)
        for (e, p), electricity_fen, service_fen in zip(
            priced,
            largest_remainder(electricity, electricity_exact),
            largest_remainder(service, service_exact),
            strict=True,
        )
    )
    return Priced(lines, electricity, service)
