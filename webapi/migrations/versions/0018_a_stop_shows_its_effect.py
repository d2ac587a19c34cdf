"""a stop shows whether it had its effect

Every stop command of an order with what became of it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0016"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "order_stop",
        sa.Column("id", sa.String(64), nullable=False, comment="id of the G/stop"),
        sa.Column("order_serial", sa.String(32), nullable=False),
        sa.Column("why", sa.String(64), nullable=False, comment="evcs.contracts.reasons.Reason"),
        sa.Column("sent_at", TIME, nullable=False, comment="given to the outbox"),
        sa.Column("replied_at", TIME, nullable=True),
        sa.Column("outcome", sa.String(24), nullable=True, comment="evcs.contracts.pile.Outcome"),
        sa.ForeignKeyConstraint(["order_serial"], ["charging_order.serial"], name=op.f("fk_order_stop_order_serial")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_stop")),
    )
    op.create_index(op.f("ix_order_stop_order_serial_sent_at"), "order_stop", ["order_serial", "sent_at"])


def downgrade() -> None:
    op.drop_table("order_stop")
