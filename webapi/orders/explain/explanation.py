"""A bill explained, pure: its lines before and after rounding, who paid what, and everything that does not agree."""

from dataclasses import dataclass

from webapi.orders.capture import Payment
from webapi.orders.evidence import Bundle
from webapi.orders.explain.money import moves_differ, payment_of
from webapi.orders.explain.rebuild import ExactLine, differs_in, exact_lines, rebuild


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure that is not what follows from the evidence."""

    what: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What follows from a bundle, beside what stands in it. Amounts in fen."""

    bundle: Bundle
    lines: tuple[ExactLine, ...]
    total_fen: int | None
    """None: nothing can be reckoned from the evidence; `why` says why."""
    discount_fen: int
    payment: Payment | None
    why: str | None
    differences: tuple[Difference, ...]

    @property
    def is_right(self) -> bool:
        """Whether the bill and the ledger are what follows."""
        return not self.differences


def explain(bundle: Bundle) -> Explanation:
    """Rebuild the amount from the bundle alone, and compare with the bill and the ledger line by line."""
    rebuilt = rebuild(bundle)
    figures = rebuilt.figures
    if figures is None:
        missing = Difference("figures", rebuilt.why or "none", str(bundle.bill.total_fen))
        return Explanation(bundle, (), None, 0, None, rebuilt.why, (missing,))
    found = (*differs_in(figures, bundle.bill), *moves_differ(bundle, rebuilt))
    return Explanation(
        bundle,
        exact_lines(figures),
        figures.total_fen,
        figures.discount_fen,
        payment_of(bundle, rebuilt),
        None,
        tuple(Difference(*one) for one in found),
    )
