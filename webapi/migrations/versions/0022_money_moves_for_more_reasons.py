"""money moves for more reasons

Gifts, the course of a refund, payouts of a channel, occupancy and write-offs become kinds of ledger transactions.
SQLite changes a constraint only by building the table anew, which its append-only triggers and the foreign keys to it
forbid; so the words are changed where SQLite keeps them, as its manual describes for CHECK constraints (ALTER TABLE,
section 7): rows, triggers and keys stay untouched.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

BEFORE = ("recharge", "hold", "extend_hold", "release", "settlement", "correction", "decision", "debt_paid")
ADDED = (
    "gift",
    "gift_taken_back",
    "refund_submitted",
    "refund_paid",
    "refund_failed",
    "order_refund",
    "payout",
    "occupancy",
    "writeoff",
)
TABLE = "ledger_transaction"
CONSTRAINT = "ck_ledger_transaction_kind"


def upgrade() -> None:
    _allow(BEFORE, (*BEFORE, *ADDED))


def downgrade() -> None:
    used = op.get_bind().scalar(sa.text(f"SELECT count(*) FROM {TABLE} WHERE kind IN ({_words(ADDED)})"))
    if used:
        raise RuntimeError(f"{used} ledger transactions are of a kind that the older schema does not know")
    _allow((*BEFORE, *ADDED), BEFORE)


def _allow(old: tuple[str, ...], new: tuple[str, ...]) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f(CONSTRAINT), TABLE, type_="check")
        op.create_check_constraint(op.f(CONSTRAINT), TABLE, f"kind IN ({_words(new)})")
        return
    bind = op.get_bind()
    version = bind.scalar(sa.text("PRAGMA schema_version"))
    bind.execute(sa.text("PRAGMA writable_schema = ON"))
    changed = bind.execute(
        sa.text("UPDATE sqlite_master SET sql = replace(sql, :old, :new) WHERE name = :name AND instr(sql, :old) > 0"),
        {"old": f"kind IN ({_words(old)})", "new": f"kind IN ({_words(new)})", "name": TABLE},
    ).rowcount
    if changed != 1:
        raise RuntimeError(f"{CONSTRAINT} is not where it should be")
    # Other connections, and this one, read the schema again when its version is another.
    bind.execute(sa.text(f"PRAGMA schema_version = {version + 1}"))
    bind.execute(sa.text("PRAGMA writable_schema = OFF"))


def _words(kinds: tuple[str, ...]) -> str:
    return ", ".join(f"'{kind}'" for kind in kinds)
