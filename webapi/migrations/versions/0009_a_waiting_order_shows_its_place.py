"""a waiting order shows its place

The queue of a transformer is told by `rules`; here the newest place of each waiting order stands for who looks at it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "queue_place",
        sa.Column("order_serial", sa.String(32), nullable=False),
        sa.Column("transformer_code", sa.String(32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, comment="from 1, the head"),
        sa.Column("estimate_s", sa.Integer(), nullable=True, comment="guessed by rules; none: no guess"),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="version of the level; an older one is ignored"),
        sa.ForeignKeyConstraint(["order_serial"], ["charging_order.serial"], name=op.f("fk_queue_place_order_serial")),
        sa.ForeignKeyConstraint(
            ["transformer_code"], ["transformer.code"], name=op.f("fk_queue_place_transformer_code")
        ),
        sa.PrimaryKeyConstraint("order_serial", name=op.f("pk_queue_place")),
    )
    op.create_index(op.f("ix_queue_place_transformer_code"), "queue_place", ["transformer_code"])
