"""orders are listed by every filter, exports are remembered

Indexes that give each page of the order list in its order (docs/order-list.md), and the exports that people ask for.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0009"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
STATES = "state IN ('waiting', 'running', 'done', 'failed', 'cancelled', 'expired')"
WALKS = (
    ("tenant_id", "state", "requested_at", "serial"),
    ("station_code", "state", "requested_at", "serial"),
    ("tenant_id", "ended_at", "serial"),
    ("station_code", "ended_at", "serial"),
    ("tenant_id", "total_fen", "serial"),
    ("station_code", "total_fen", "serial"),
    ("pile_number", "requested_at", "serial"),
)
NAMED = ("vin", "other_vin", "card_number", "refusal_code")
"""What few orders have: indexed where it is there."""


def _name(columns: tuple[str, ...]) -> str:
    return op.f(f"ix_charging_order_{'_'.join(columns)}")


def upgrade() -> None:
    for columns in WALKS:
        op.create_index(_name(columns), "charging_order", list(columns))
    for named in NAMED:
        columns = (named, "requested_at", "serial")
        given = sa.text(f"{named} IS NOT NULL")
        op.create_index(_name(columns), "charging_order", list(columns), sqlite_where=given, postgresql_where=given)
    op.create_table(
        "export",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kind", sa.String(32), nullable=False, comment="code of webapi.exports.kinds"),
        sa.Column("filter_json", sa.Text(), nullable=False, comment="the query of the list, as it was given"),
        sa.Column("language", sa.String(2), nullable=False, comment="zh or en"),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("requested_at", TIME, nullable=False),
        sa.Column("begun_at", TIME, nullable=True),
        sa.Column("seen_at", TIME, nullable=True, comment="last sign of who writes it"),
        sa.Column("finished_at", TIME, nullable=True),
        sa.Column("expires_at", TIME, nullable=True, comment="until when the file is kept"),
        sa.Column("rows_done", sa.Integer(), nullable=False),
        sa.Column("rows_total", sa.Integer(), nullable=True),
        sa.Column("file_bytes", sa.BigInteger(), nullable=True),
        sa.Column("why", sa.String(32), nullable=True, comment="of a failed one: a code of ours"),
        sa.Column("tries", sa.Integer(), nullable=False, comment="how often it was begun"),
        sa.CheckConstraint(STATES, name=op.f("ck_export_state")),
        sa.CheckConstraint("(user_id IS NULL) <> (customer_id IS NULL)", name=op.f("ck_export_owner")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_export_customer_id")),
        sa.ForeignKeyConstraint(["user_id"], ["console_user.id"], name=op.f("fk_export_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export")),
    )
    op.create_index(op.f("ix_export_customer_id_requested_at"), "export", ["customer_id", "requested_at"])
    op.create_index(op.f("ix_export_state_requested_at"), "export", ["state", "requested_at"])
    op.create_index(op.f("ix_export_user_id_requested_at"), "export", ["user_id", "requested_at"])


def downgrade() -> None:
    op.drop_table("export")
    for columns in (*WALKS, *((named, "requested_at", "serial") for named in NAMED)):
        op.drop_index(_name(columns), "charging_order")
