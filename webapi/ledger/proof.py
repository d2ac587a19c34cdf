"""The proof of the books as it is shown: each rule with its first bad row, the figures, and how much was looked at."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from webapi.database import Base
from webapi.ledger.invariants import RULES, Broken, figures
from webapi.ledger.models import Entry, Transaction, Wallet
from webapi.tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class RuleProof:
    """One rule: how many rows break it, and the first of them."""

    rule: str
    wrong: int
    first: Broken | None


@dataclass(frozen=True, slots=True)
class Sums:
    """Where money came from and where it is, in fen."""

    paid_in_fen: int
    debt_fen: int
    sources_fen: int
    available_fen: int
    held_fen: int
    gift_fen: int
    spent_fen: int
    in_transit_fen: int
    written_off_fen: int
    uses_fen: int


@dataclass(frozen=True, slots=True)
class Proof:
    """All rules on one snapshot of the books."""

    at: datetime
    right: bool
    transactions: int
    entries: int
    wallets: int
    rules: tuple[RuleProof, ...]
    sums: Sums


def may_prove(session: Session, tenant: int | None) -> bool:
    """Whether somebody of this operator (none: of the platform) may see the proof.

    It runs over the books of all: where there are several operators, its figures are none of theirs.
    """
    return tenant is None or not session.scalar(select(exists().where(Tenant.id != tenant)))


def prove(session: Session, *, at: datetime) -> Proof:
    """Prove every rule; the session reads one snapshot."""
    rules = []
    for rule, find in RULES.items():
        broken = find(session)
        rules.append(RuleProof(rule, len(broken), broken[0] if broken else None))
    return Proof(
        at=at,
        right=not any(rule.wrong for rule in rules),
        transactions=_count(session, Transaction),
        entries=_count(session, Entry),
        wallets=_count(session, Wallet),
        rules=tuple(rules),
        sums=_sums(session),
    )


def _count(session: Session, table: type[Base]) -> int:
    return session.scalar(select(func.count()).select_from(table)) or 0


def _sums(session: Session) -> Sums:
    of = figures(session)
    return Sums(
        paid_in_fen=of.paid_in,
        debt_fen=of.debt,
        sources_fen=of.sources,
        available_fen=of.available,
        held_fen=of.held,
        gift_fen=of.gift,
        spent_fen=of.spent,
        in_transit_fen=of.in_transit,
        written_off_fen=of.written_off,
        uses_fen=of.uses,
    )
