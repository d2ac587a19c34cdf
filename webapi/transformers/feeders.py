"""Feeders (馈线) of a transformer: a tree without cycles, whose leaves are piles of the same transformer."""

from datetime import datetime
from decimal import Decimal
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapi.database import ROW_LOCK
from webapi.piles.models import Pile
from webapi.transformers.models import Feeder, Transformer


def lock_transformer(session: Session, code: str) -> Transformer:
    """The transformer's row until the commit: two who change its tree at once would make a cycle together."""
    return session.get_one(Transformer, code, with_for_update=ROW_LOCK, populate_existing=True)


def make_feeder(
    session: Session, transformer: Transformer, *, name: str, limit_kw: Decimal, parent: str | None, at: datetime
) -> Feeder:
    """A new feeder; its code is the platform's."""
    made = Feeder(
        code=f"fd-{uuid4().hex[:12]}",
        transformer_code=transformer.code,
        name=name,
        limit_kw=limit_kw,
        parent_code=parent,
        created_at=at,
    )
    session.add(made)
    session.flush()
    return made


def tree_of(session: Session, transformer: str) -> dict[str, str | None]:
    """Feeder → the one above it."""
    rows = session.execute(select(Feeder.code, Feeder.parent_code).where(Feeder.transformer_code == transformer))
    return {code: parent for code, parent in rows}


def lies_behind(tree: dict[str, str | None], feeder: str, of: str) -> bool:
    """Whether a feeder is `of` itself or lies somewhere behind it."""
    at: str | None = feeder
    for _ in range(len(tree) + 1):
        if at is None or at == of:
            break
        at = tree.get(at)
    return at is not None


def is_used(session: Session, feeder: Feeder) -> bool:
    """Whether a pile or another feeder hangs on it."""
    pile = select(Pile.number).where(Pile.feeder_code == feeder.code).limit(1)
    child = select(Feeder.code).where(Feeder.parent_code == feeder.code).limit(1)
    return session.scalar(pile) is not None or session.scalar(child) is not None
