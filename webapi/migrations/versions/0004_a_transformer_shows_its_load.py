"""a transformer shows its load

The newest band and load of each transformer, as rules told them: what the operator looks at first.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "transformer_live",
        sa.Column("transformer_code", sa.String(32), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="version of the level; an older one is ignored"),
        sa.Column(
            "told_at", sa.DateTime(timezone=True), nullable=False, comment="when rules told it: the version as a time"
        ),
        sa.Column("band", sa.String(24), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False, comment="since when this band is in force"),
        sa.Column("load_pct", sa.Float(), nullable=True, comment="empty: no figure (stale meter)"),
        sa.Column("planned_pct", sa.Float(), nullable=True),
        sa.Column("load_kva", sa.Float(), nullable=True),
        sa.Column("guns_kw", sa.Float(), nullable=False, comment="sum of the guns' output as last read"),
        sa.Column("source", sa.String(16), nullable=False, comment="meter or estimate: which figure counts"),
        sa.Column("why_zh", sa.String(200), nullable=False),
        sa.Column("why_en", sa.String(200), nullable=False),
        sa.CheckConstraint(
            "band IN ('normal', 'limited', 'blocked', 'unknown')", name=op.f("ck_transformer_live_band")
        ),
        sa.ForeignKeyConstraint(
            ["transformer_code"], ["transformer.code"], name=op.f("fk_transformer_live_transformer_code")
        ),
        sa.PrimaryKeyConstraint("transformer_code", name=op.f("pk_transformer_live")),
    )


def downgrade() -> None:
    op.drop_table("transformer_live")
