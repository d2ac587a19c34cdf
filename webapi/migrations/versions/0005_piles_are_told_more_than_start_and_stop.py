"""piles are told more than start and stop

Commands with what became of them, the roll-out of tariffs, what happened at a pile, its newest frames while traced,
parking locks, and what the last car at a gun said of itself. An outbox row may be secret: it is deleted when published.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pile_command",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("pile_number", sa.String(length=32), nullable=False),
        sa.Column("station_code", sa.String(length=32), nullable=False, comment="where the pile stood when asked"),
        sa.Column("gun_no", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column(
            "params_json", sa.Text(), nullable=False, comment="no secret: an FTP password is only ever in the outbox"
        ),
        sa.Column("bridge", sa.String(length=32), nullable=False),
        sa.Column("link", sa.String(length=64), nullable=False, comment="the login that it was last sent to"),
        sa.Column("asked_by", sa.String(length=64), nullable=False, comment="user:7, worker"),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, comment="not written to the pile after it"),
        sa.Column(
            "deadline_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="no answer is awaited after it; empty: over",
        ),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True, comment="evcs.contracts.reasons.Reason"),
        sa.Column("pile_code", sa.Integer(), nullable=True),
        sa.Column("pile_text_zh", sa.String(length=200), nullable=False),
        sa.Column("pile_text_en", sa.String(length=200), nullable=False),
        sa.Column("cards_json", sa.Text(), nullable=True, comment="what the pile said about each offline card"),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True, comment="when the bridge had the answer"),
        sa.Column("tries", sa.Integer(), nullable=False, comment="how often it was published under its id"),
        sa.Column("last_sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('refuse_card', 'tariff_push', 'balance', 'poll', 'clock', 'restart', 'update', 'qr_prefix', 'cards_store', 'cards_clear', 'cards_query', 'ground_lock', 'trace')",
            name=op.f("ck_pile_command_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'accepted', 'refused', 'timed_out', 'expired')", name=op.f("ck_pile_command_state")
        ),
        sa.ForeignKeyConstraint(["pile_number"], ["pile.number"], name=op.f("fk_pile_command_pile_number")),
        sa.ForeignKeyConstraint(["station_code"], ["station.code"], name=op.f("fk_pile_command_station_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pile_command")),
    )
    op.create_index(
        op.f("ix_pile_command_pile_number_asked_at_id"), "pile_command", ["pile_number", "asked_at", "id"], unique=False
    )
    op.create_index(
        "ix_pile_command_waiting",
        "pile_command",
        ["deadline_at"],
        unique=False,
        sqlite_where=sa.text("deadline_at IS NOT NULL"),
        postgresql_where=sa.text("deadline_at IS NOT NULL"),
    )
    op.create_table(
        "pile_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pile_number", sa.String(length=32), nullable=False),
        sa.Column("station_code", sa.String(length=32), nullable=False, comment="where the pile stood then"),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("text", sa.String(length=200), nullable=False),
        sa.Column("tariff_version", sa.String(length=32), nullable=True),
        sa.Column("clock_offset_s", sa.Float(), nullable=True),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["pile_number"], ["pile.number"], name=op.f("fk_pile_event_pile_number")),
        sa.ForeignKeyConstraint(["station_code"], ["station.code"], name=op.f("fk_pile_event_station_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pile_event")),
    )
    op.create_index(op.f("ix_pile_event_last_at"), "pile_event", ["last_at"], unique=False)
    op.create_index(op.f("ix_pile_event_pile_number_id"), "pile_event", ["pile_number", "id"], unique=False)
    op.create_table(
        "pile_frame",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pile_number", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("from_pile", sa.Boolean(), nullable=False),
        sa.Column("frame_type", sa.String(length=8), nullable=False),
        sa.Column("title_zh", sa.String(length=100), nullable=False),
        sa.Column("title_en", sa.String(length=100), nullable=False),
        sa.Column("fields_json", sa.Text(), nullable=False),
        sa.Column("problem", sa.String(length=200), nullable=False, comment="why it was dropped"),
        sa.Column("frame_hex", sa.Text(), nullable=False, comment="secrets redacted by the bridge"),
        sa.ForeignKeyConstraint(["pile_number"], ["pile.number"], name=op.f("fk_pile_frame_pile_number")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pile_frame")),
    )
    op.create_index(op.f("ix_pile_frame_at"), "pile_frame", ["at"], unique=False)
    op.create_index(op.f("ix_pile_frame_pile_number_id"), "pile_frame", ["pile_number", "id"], unique=False)
    op.create_table(
        "ground_lock_live",
        sa.Column("pile_number", sa.String(length=32), nullable=False),
        sa.Column("gun_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "state", sa.String(length=24), nullable=False, comment="raised, lowered, between, or the code in hex"
        ),
        sa.Column("is_occupied", sa.Boolean(), nullable=True, comment="whether a car stands in the bay"),
        sa.Column("battery_pct", sa.Integer(), nullable=True),
        sa.Column("alarm", sa.String(length=32), nullable=False, comment="empty: none"),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["pile_number", "gun_no"],
            ["gun.pile_number", "gun.no"],
            name=op.f("fk_ground_lock_live_pile_number_gun_no"),
        ),
        sa.PrimaryKeyConstraint("pile_number", "gun_no", name=op.f("pk_ground_lock_live")),
    )
    op.create_table(
        "tariff_rollout",
        sa.Column("pile_number", sa.String(length=32), nullable=False),
        sa.Column(
            "version_id",
            sa.String(length=32),
            nullable=True,
            comment="which version the tries are of; empty: only one is scheduled",
        ),
        sa.Column("assigned_by", sa.String(length=64), nullable=False),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("last_tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=False, comment="no push before it"),
        sa.Column("command_id", sa.String(length=32), nullable=True, comment="the last push"),
        sa.Column(
            "last_reason", sa.String(length=32), nullable=True, comment="why the last push did not do; empty: it did"
        ),
        sa.Column("last_text_zh", sa.String(length=200), nullable=False),
        sa.Column("last_text_en", sa.String(length=200), nullable=False),
        sa.Column(
            "scheduled_version_id",
            sa.String(length=32),
            nullable=True,
            comment="becomes the wanted one when its valid_from has come",
        ),
        sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=True, comment="its valid_from"),
        sa.ForeignKeyConstraint(["command_id"], ["pile_command.id"], name=op.f("fk_tariff_rollout_command_id")),
        sa.ForeignKeyConstraint(["pile_number"], ["pile.number"], name=op.f("fk_tariff_rollout_pile_number")),
        sa.ForeignKeyConstraint(
            ["scheduled_version_id"], ["tariff_version.id"], name=op.f("fk_tariff_rollout_scheduled_version_id")
        ),
        sa.ForeignKeyConstraint(["version_id"], ["tariff_version.id"], name=op.f("fk_tariff_rollout_version_id")),
        sa.PrimaryKeyConstraint("pile_number", name=op.f("pk_tariff_rollout")),
    )
    op.create_index(op.f("ix_tariff_rollout_scheduled_at"), "tariff_rollout", ["scheduled_at"], unique=False)
    op.create_table(
        "vehicle_live",
        sa.Column("pile_number", sa.String(length=32), nullable=False),
        sa.Column("gun_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("serial", sa.String(length=32), nullable=True, comment="the charge in which it was said"),
        sa.Column("vehicle_json", sa.Text(), nullable=True, comment="evcs.contracts.gun.Vehicle"),
        sa.Column("limits_json", sa.Text(), nullable=True, comment="evcs.contracts.gun.BatteryLimits"),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["pile_number", "gun_no"], ["gun.pile_number", "gun.no"], name=op.f("fk_vehicle_live_pile_number_gun_no")
        ),
        sa.PrimaryKeyConstraint("pile_number", "gun_no", name=op.f("pk_vehicle_live")),
    )
    op.add_column(
        "outbox",
        sa.Column(
            "is_secret",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="deleted when it is published or expired",
        ),
    )
    op.add_column(
        "pile",
        sa.Column(
            "dialect_json",
            sa.Text(),
            nullable=True,
            comment="evcs.contracts.config.Dialect: how its firmware departs from the protocol; empty: it does not",
        ),
    )


def downgrade() -> None:
    op.drop_column("pile", "dialect_json")
    op.drop_column("outbox", "is_secret")
    op.drop_table("vehicle_live")
    op.drop_index(op.f("ix_tariff_rollout_scheduled_at"), table_name="tariff_rollout")
    op.drop_table("tariff_rollout")
    op.drop_table("ground_lock_live")
    op.drop_index(op.f("ix_pile_frame_pile_number_id"), table_name="pile_frame")
    op.drop_index(op.f("ix_pile_frame_at"), table_name="pile_frame")
    op.drop_table("pile_frame")
    op.drop_index(op.f("ix_pile_event_pile_number_id"), table_name="pile_event")
    op.drop_index(op.f("ix_pile_event_last_at"), table_name="pile_event")
    op.drop_table("pile_event")
    op.drop_index(
        "ix_pile_command_waiting",
        table_name="pile_command",
        sqlite_where=sa.text("deadline_at IS NOT NULL"),
        postgresql_where=sa.text("deadline_at IS NOT NULL"),
    )
    op.drop_index(op.f("ix_pile_command_pile_number_asked_at_id"), table_name="pile_command")
    op.drop_table("pile_command")
