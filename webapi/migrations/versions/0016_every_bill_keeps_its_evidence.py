"""every bill keeps its evidence

The messages about an order with their frames, and with each bill a bundle of everything it rests on, whose hash is
chained to the one before. Both are append only. Bills that were written before have no bundle, and say so.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TABLES = ("order_frame", "order_evidence")
KINDS = "'verdict', 'cap', 'reply', 'event'"


def upgrade() -> None:
    op.create_table(
        "order_frame",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("order_serial", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("message_id", sa.String(96), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="received by the bridge, or decided by rules",
        ),
        sa.Column("frame_hex", sa.Text(), nullable=False, comment="empty: it rests on no frame"),
        sa.Column(
            "said_json",
            sa.Text(),
            nullable=False,
            comment="the contract message, with its receipt, without frame_hex",
        ),
        sa.CheckConstraint(f"kind IN ({KINDS})", name=op.f("ck_order_frame_kind")),
        sa.ForeignKeyConstraint(["order_serial"], ["charging_order.serial"], name=op.f("fk_order_frame_order_serial")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_frame")),
        sa.UniqueConstraint(
            "order_serial", "kind", "message_id", name=op.f("uq_order_frame_order_serial_kind_message_id")
        ),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_order_frame_order_serial_id"), "order_frame", ["order_serial", "id"])
    op.create_table(
        "order_evidence",
        sa.Column("bill_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("order_serial", sa.String(32), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False, comment="from 1: settlement, correction, decision"),
        sa.Column("content", sa.Text(), nullable=False, comment="webapi.orders.evidence.Bundle, canonical JSON"),
        sa.Column("before_hash", sa.String(64), nullable=False, comment="of the bundle before it; empty: the first"),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_order_evidence_bill_id")),
        sa.ForeignKeyConstraint(
            ["order_serial"], ["charging_order.serial"], name=op.f("fk_order_evidence_order_serial")
        ),
        sa.PrimaryKeyConstraint("bill_id", name=op.f("pk_order_evidence")),
        sa.UniqueConstraint("order_serial", "n", name=op.f("uq_order_evidence_order_serial_n")),
    )
    for table in TABLES:
        _append_only(table)


def _append_only(table: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION evcs_append_only()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION evcs_append_only()"
        )
        return
    for deed in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{deed.lower()} BEFORE {deed} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append only'); END"
        )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
