"""Money: whole fen at rest, exact decimals while computing, and the one place that rounds.

Prices are in 0.00001 yuan/kWh (`_e5`), amounts on the wire in 0.0001 yuan (`_e4`), everything stored in fen. Binary
floats have no place here: they are refused.
"""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Context, Decimal

_EXACT = Context(prec=60)
"""Enough digits for every product of an energy and a price; nothing is rounded by the way."""


def round_half_up(amount: Decimal) -> int:
    """Round to the whole unit, 四舍五入: a half goes away from zero, so that a charge and its refund cancel out.

    Neither `round()` nor the default of `Decimal.quantize` does this: both go to the even neighbour.
    """
    if not isinstance(amount, Decimal):
        raise TypeError(f"money is reckoned in Decimal, not {type(amount).__name__}")
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP, context=_EXACT))


def exact_fen(energy_kwh: Decimal, price_e5: int) -> Decimal:
    """What an energy costs at a price, in fen, unrounded."""
    return _EXACT.multiply(energy_kwh, Decimal(price_e5)).scaleb(-3, context=_EXACT)


def fen_of_e4(amount_e4: int) -> int:
    """An amount of 0.0001 yuan in fen, half up."""
    return round_half_up(Decimal(amount_e4).scaleb(-2))


def largest_remainder(total: int, exact: Sequence[Decimal]) -> tuple[int, ...]:
    """Give a rounded total to its exact parts in whole units, so that they add up to it.

    Each part first gets its whole units; what is left goes, one unit each, to the largest remainders, and among
    equal ones to the earlier part. All parts have the sign of the total (or are zero); the total may differ from
    the exact sum by less than one unit per part. Raises ValueError otherwise.
    """
    if total < 0 or any(part < 0 for part in exact):
        return tuple(-units for units in largest_remainder(-total, [-part for part in exact]))
    whole = [int(part.to_integral_value(rounding=ROUND_FLOOR, context=_EXACT)) for part in exact]
    left = total - sum(whole)
    if not 0 <= left <= len(whole):
        raise ValueError(f"{total} is not a rounding of {exact!r}")
    by_remainder = sorted(range(len(whole)), key=lambda i: (whole[i] - exact[i], i))
    for i in by_remainder[:left]:
        whole[i] += 1
    return tuple(whole)


def share_out(total: int, weights: Sequence[Decimal]) -> tuple[int, ...]:
    """Divide a total in proportion to weights, by largest remainder. All weights zero: the first gets everything."""
    heavy = sum(weights, Decimal(0))
    if not heavy:
        return tuple(total if i == 0 else 0 for i in range(len(weights)))
    # Exact in integers: floor of total·weight ÷ sum, then the remainders; a decimal quotient could round by itself.
    scale = max(0, max(-int(w.as_tuple().exponent) for w in weights))
    parts = [int(w.scaleb(scale)) for w in weights]
    whole = [total * part // sum(parts) for part in parts]
    rest = sorted(range(len(parts)), key=lambda i: (-(total * parts[i] % sum(parts)), i))
    for i in rest[: total - sum(whole)]:
        whole[i] += 1
    return tuple(whole)


def yuan(amount_fen: int) -> str:
    """An amount for people: yuan with two decimals."""
    sign, fen = ("-", -amount_fen) if amount_fen < 0 else ("", amount_fen)
    return f"{sign}{fen // 100}.{fen % 100:02d}"
