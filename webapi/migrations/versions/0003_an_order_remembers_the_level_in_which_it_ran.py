"""an order remembers the level in which it ran

The observed end is a level newer than that, by (login_ms, version): a replayed one ends nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("running_login_ms", "running_version"):
        op.add_column("charging_order", sa.Column(name, sa.BigInteger(), nullable=True))


def downgrade() -> None:
    for name in ("running_version", "running_login_ms"):
        op.drop_column("charging_order", name)
