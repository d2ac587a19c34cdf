"""What a charge must cost, worked out here from the pile's own record with fractions, and no code of the platform's."""

from fractions import Fraction

from bridge.protocols.ykc.messages import TransactionRecord
from tests.flows.town import PRICES

BANDS = ("sharp", "peak", "flat", "valley")


def fen_of(record: TransactionRecord) -> int:
    """Energy of each band × (energy + service price), added exactly, then rounded half up to the fen."""
    yuan = Fraction(0)
    for band in BANDS:
        prices = next(prices for key, prices in PRICES.items() if key.value == band)
        yuan += Fraction(getattr(record, f"{band}_kwh")) * Fraction(sum(prices), 100_000)
    return int(yuan * 100 + Fraction(1, 2))
