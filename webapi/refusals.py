"""A refusal: what a driver or operator may cause, with a code of the contracts and a sentence that says what to do."""

from dataclasses import dataclass

from evcs.contracts.reasons import Reason, Sentence, sentence


@dataclass(frozen=True, slots=True)
class Figure:
    """One named figure of a refusal's sentence, as it is shown."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer, not an exception: nothing was changed."""

    reason: Reason
    figures: tuple[Figure, ...] = ()

    @property
    def sentence(self) -> Sentence:
        """The reason in Chinese and English, with its figures."""
        return sentence(self.reason, **{figure.name: figure.value for figure in self.figures})


def yuan(fen: int) -> str:
    """Fen as yuan with two decimals, for a sentence."""
    sign = "-" if fen < 0 else ""
    return f"{sign}{abs(fen) // 100}.{abs(fen) % 100:02d}"
