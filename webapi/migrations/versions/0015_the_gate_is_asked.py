"""the gate is asked

A question to the gate and its answer, so that a page can show the verdict before anything is held or paid.
"""

import sqlalchemy as sa
from alembic import op


revision = "0015"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gate_ask",
        sa.Column("id", sa.String(32), nullable=False, comment="id of the request to rules"),
        sa.Column("station_code", sa.String(32), nullable=False),
        sa.Column("pile_number", sa.String(32), nullable=False),
        sa.Column("gun_no", sa.Integer(), nullable=False),
        sa.Column(
            "asked_by", sa.String(64), nullable=False, comment="user:7, customer:12 …; nobody else reads the answer"
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("would_admit", sa.Boolean(), nullable=True),
        sa.Column("reason", sa.String(40), nullable=True),
        sa.Column("cap_kw", sa.BigInteger(), nullable=True, comment="cap that a start would carry; empty: none"),
        sa.Column("text_zh", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["station_code"], ["station.code"], name=op.f("fk_gate_ask_station_code")),
        sa.ForeignKeyConstraint(
            ["pile_number", "gun_no"], ["gun.pile_number", "gun.no"], name=op.f("fk_gate_ask_pile_number_gun_no")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_ask")),
    )
    op.create_index(op.f("ix_gate_ask_asked_at"), "gate_ask", ["asked_at"])


def downgrade() -> None:
    op.drop_table("gate_ask")
