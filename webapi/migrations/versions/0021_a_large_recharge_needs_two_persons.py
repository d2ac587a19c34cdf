"""a large recharge needs two persons

Recharges that wait for a second person, and with each recharge the balance before and after it. Those that were made
before have no such balances, and say so.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0018"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column(
        "recharge",
        sa.Column("before_fen", sa.BigInteger(), nullable=True, comment="available before it; empty: an old row"),
    )
    op.add_column(
        "recharge",
        sa.Column("after_fen", sa.BigInteger(), nullable=True, comment="available after it, a debt paid first"),
    )
    op.create_index(op.f("ix_recharge_created_by_paid_at"), "recharge", ["created_by", "paid_at"])
    op.create_table(
        "recharge_request",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("voucher", sa.String(100), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("asked_by", sa.String(64), nullable=False, comment="user:7"),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("decided_by", sa.String(64), nullable=True),
        sa.Column("decided_at", TIME, nullable=True),
        sa.Column("decided_why", sa.String(200), nullable=True),
        sa.Column("recharge_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'approved', 'rejected')", name=op.f("ck_recharge_request_state")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_recharge_request_amount")),
        sa.CheckConstraint("(state = 'waiting') = (decided_by IS NULL)", name=op.f("ck_recharge_request_decided")),
        sa.CheckConstraint(
            "(state = 'approved') = (recharge_id IS NOT NULL)", name=op.f("ck_recharge_request_recharged")
        ),
        sa.CheckConstraint("decided_by <> asked_by", name=op.f("ck_recharge_request_two_persons")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_recharge_request_tenant_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_recharge_request_customer_id")),
        sa.ForeignKeyConstraint(["recharge_id"], ["recharge.id"], name=op.f("fk_recharge_request_recharge_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recharge_request")),
        sa.UniqueConstraint("recharge_id", name=op.f("uq_recharge_request_recharge_id")),
    )
    for columns in (("tenant_id", "state", "id"), ("asked_by", "asked_at"), ("customer_id",)):
        op.create_index(op.f(f"ix_recharge_request_{'_'.join(columns)}"), "recharge_request", list(columns))


def downgrade() -> None:
    op.drop_table("recharge_request")
    op.drop_index(op.f("ix_recharge_created_by_paid_at"), "recharge")
    op.drop_column("recharge", "after_fen")
    op.drop_column("recharge", "before_fen")
