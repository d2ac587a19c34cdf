"""transformers are configured, equipment is locked out, power is limited by hand

Degraded mode and feeders of transformers, what the engine says of load and caps, station stops gun by gun, and the
limits that people set with what became of them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "power_setting",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=True, comment="kW or %, as given; empty: no limit"),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("set_by", sa.String(length=64), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('kw', 'pct', 'none')", name=op.f("ck_power_setting_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_power_setting")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "feeder",
        sa.Column("code", sa.String(length=32), nullable=False, comment="made by the platform, never used again"),
        sa.Column("transformer_code", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("limit_kw", sa.BigInteger(), nullable=False),
        sa.Column(
            "parent_code", sa.String(length=32), nullable=True, comment="the feeder above; empty: the transformer"
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("limit_kw > 0", name=op.f("ck_feeder_limit")),
        sa.ForeignKeyConstraint(["parent_code"], ["feeder.code"], name=op.f("fk_feeder_parent_code")),
        sa.ForeignKeyConstraint(["transformer_code"], ["transformer.code"], name=op.f("fk_feeder_transformer_code")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_feeder")),
    )
    op.create_index(op.f("ix_feeder_transformer_code"), "feeder", ["transformer_code"], unique=False)
    op.create_table(
        "gun_session_live",
        sa.Column("pile_number", sa.String(length=32), nullable=False),
        sa.Column("gun_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="of the level that last changed something here"),
        sa.Column("serial", sa.String(length=32), nullable=True, comment="of the session; empty: none"),
        sa.Column("cap_kw", sa.BigInteger(), nullable=True),
        sa.Column("bound_by", sa.String(length=24), nullable=False, comment="transformer, hand, pile_floor …"),
        sa.Column("cap_state", sa.String(length=24), nullable=False),
        sa.Column("hand_limit_kw", sa.BigInteger(), nullable=True, comment="the limit by hand that the engine heeds"),
        sa.Column("allowance_sent_kw", sa.BigInteger(), nullable=True, comment="of the whole pile"),
        sa.Column("allowance_confirmed_kw", sa.BigInteger(), nullable=True, comment="of the whole pile"),
        sa.Column("allowance_refused", sa.String(length=64), nullable=True, comment="evcs.contracts.reasons.Reason"),
        sa.Column("caps_json", sa.Text(), nullable=False, comment="every cap with its source, the lowest first"),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "cap_state IN ('none', 'sent', 'confirmed', 'applied', 'failed')",
            name=op.f("ck_gun_session_live_cap_state"),
        ),
        sa.ForeignKeyConstraint(
            ["pile_number", "gun_no"],
            ["gun.pile_number", "gun.no"],
            name=op.f("fk_gun_session_live_pile_number_gun_no"),
        ),
        sa.PrimaryKeyConstraint("pile_number", "gun_no", name=op.f("pk_gun_session_live")),
    )
    op.create_table(
        "power_setting_gun",
        sa.Column("setting_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pile_number", sa.String(length=32), nullable=False),
        sa.Column("gun_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("station_code", sa.String(length=32), nullable=False, comment="where the pile stood then"),
        sa.Column("limit_kw", sa.BigInteger(), nullable=True, comment="of this gun; empty: no limit"),
        sa.Column("state", sa.String(length=24), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=True, comment="evcs.contracts.reasons.Reason, of a failure"),
        sa.Column("serial", sa.String(length=32), nullable=True, comment="of the charge that it was set for"),
        sa.Column(
            "bound_by", sa.String(length=24), nullable=True, comment="who binds the cap, as the engine last said"
        ),
        sa.Column("state_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "deadline_at", sa.DateTime(timezone=True), nullable=True, comment="no answer of the engine awaited after it"
        ),
        sa.Column("tries", sa.Integer(), nullable=False, comment="how often it was asked for"),
        sa.CheckConstraint(
            "state IN ('asked', 'standing', 'sent', 'confirmed', 'applied', 'failed', 'superseded')",
            name=op.f("ck_power_setting_gun_state"),
        ),
        sa.ForeignKeyConstraint(
            ["pile_number", "gun_no"],
            ["gun.pile_number", "gun.no"],
            name=op.f("fk_power_setting_gun_pile_number_gun_no"),
        ),
        sa.ForeignKeyConstraint(["setting_id"], ["power_setting.id"], name=op.f("fk_power_setting_gun_setting_id")),
        sa.ForeignKeyConstraint(["station_code"], ["station.code"], name=op.f("fk_power_setting_gun_station_code")),
        sa.PrimaryKeyConstraint("setting_id", "pile_number", "gun_no", name=op.f("pk_power_setting_gun")),
    )
    op.create_index(
        op.f("ix_power_setting_gun_pile_number_gun_no_setting_id"),
        "power_setting_gun",
        ["pile_number", "gun_no", "setting_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_power_setting_gun_station_code_setting_id"),
        "power_setting_gun",
        ["station_code", "setting_id"],
        unique=False,
    )
    op.create_index(
        "ix_power_setting_gun_waiting",
        "power_setting_gun",
        ["deadline_at"],
        unique=False,
        sqlite_where=sa.text("deadline_at IS NOT NULL"),
        postgresql_where=sa.text("deadline_at IS NOT NULL"),
    )
    op.create_table(
        "station_stop_gun",
        sa.Column("station_code", sa.String(length=32), nullable=False),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("pile_number", sa.String(length=32), nullable=False),
        sa.Column("gun_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("ran", sa.Boolean(), nullable=False, comment="whether a charge was known there"),
        sa.Column("serial", sa.String(length=32), nullable=True, comment="of the charge that is or was stopped"),
        sa.Column("outcome", sa.String(length=24), nullable=False),
        sa.Column(
            "reason", sa.String(length=64), nullable=True, comment="evcs.contracts.reasons.Reason: why not (yet)"
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True, comment="first asked for this charge"),
        sa.Column("last_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("stop_id", sa.String(length=64), nullable=True, comment="id of the newest G/stop of its own"),
        sa.Column(
            "stopped_seen_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="since when its pile says that all is over",
        ),
        sa.CheckConstraint(
            "outcome IN ('idle', 'asked', 'stopped', 'not_reached')", name=op.f("ck_station_stop_gun_outcome")
        ),
        sa.ForeignKeyConstraint(
            ["pile_number", "gun_no"],
            ["gun.pile_number", "gun.no"],
            name=op.f("fk_station_stop_gun_pile_number_gun_no"),
        ),
        sa.ForeignKeyConstraint(["station_code"], ["station.code"], name=op.f("fk_station_stop_gun_station_code")),
        sa.PrimaryKeyConstraint(
            "station_code", "stopped_at", "pile_number", "gun_no", name=op.f("pk_station_stop_gun")
        ),
    )
    op.create_index(op.f("ix_station_stop_gun_stop_id"), "station_stop_gun", ["stop_id"], unique=False)
    op.add_column(
        "gun",
        sa.Column(
            "lockout_while_charging", sa.String(length=24), nullable=True, comment="stop or wait; empty: as stop"
        ),
    )
    op.add_column(
        "pile",
        sa.Column(
            "lockout_while_charging", sa.String(length=24), nullable=True, comment="stop or wait; empty: as stop"
        ),
    )
    # Inline, since SQLite adds no constraint to a table that is there.
    op.execute(
        "ALTER TABLE pile ADD COLUMN feeder_code VARCHAR(32) CONSTRAINT fk_pile_feeder_code REFERENCES feeder (code)"
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("COMMENT ON COLUMN pile.feeder_code IS 'of its transformer; empty: directly at the transformer'")
    op.add_column(
        "station",
        sa.Column(
            "lockout_while_charging", sa.String(length=24), nullable=True, comment="stop or wait; empty: as stop"
        ),
    )
    op.add_column(
        "transformer",
        sa.Column(
            "releases_caps",
            sa.Boolean(),
            server_default=sa.true(),
            nullable=False,
            comment="false: a cap holds until its charge ends",
        ),
    )
    op.add_column(
        "transformer", sa.Column("overload_stop_after_s", sa.Integer(), server_default=sa.text("300"), nullable=False)
    )
    op.add_column(
        "transformer", sa.Column("overload_stop_apart_s", sa.Integer(), server_default=sa.text("15"), nullable=False)
    )
    op.add_column(
        "transformer",
        sa.Column("is_shared", sa.Boolean(), server_default=sa.false(), nullable=False, comment="load sharing"),
    )
    op.add_column(
        "transformer",
        sa.Column(
            "share_target_pct",
            sa.BigInteger(),
            server_default=sa.text("750000"),
            nullable=False,
            comment="what sharing divides",
        ),
    )
    op.add_column(
        "transformer",
        sa.Column("queue_most", sa.Integer(), server_default=sa.text("20"), nullable=False, comment="0: no queue"),
    )
    op.add_column("transformer", sa.Column("queue_s", sa.Integer(), server_default=sa.text("1800"), nullable=False))
    op.add_column(
        "transformer",
        sa.Column("degraded_blocked_pct", sa.BigInteger(), server_default=sa.text("600000"), nullable=False),
    )
    op.add_column("transformer", sa.Column("degraded_asked_by", sa.String(length=64), nullable=True))
    op.add_column(
        "transformer",
        sa.Column(
            "degraded_asked_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="a request that may still be confirmed",
        ),
    )
    op.add_column("transformer", sa.Column("degraded_minutes", sa.Integer(), nullable=True))
    op.add_column("transformer", sa.Column("degraded_reason", sa.String(length=200), nullable=True))
    op.add_column(
        "transformer_live",
        sa.Column("meter_kva", sa.Float(), nullable=True, comment="what the meter says, worst phase"),
    )
    op.add_column(
        "transformer_live",
        sa.Column("estimate_kva", sa.Float(), nullable=True, comment="guns ÷ efficiency and base load"),
    )
    op.add_column(
        "transformer_live",
        sa.Column("meter_at", sa.DateTime(timezone=True), nullable=True, comment="when the meter was last read"),
    )
    op.add_column("transformer_live", sa.Column("limited_pct", sa.Float(), nullable=True, comment="in force now"))
    op.add_column("transformer_live", sa.Column("blocked_pct", sa.Float(), nullable=True, comment="in force now"))
    op.add_column("transformer_live", sa.Column("degraded_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "transformer_live",
        sa.Column(
            "over_since", sa.DateTime(timezone=True), nullable=True, comment="above the overload threshold since"
        ),
    )
    op.add_column("transformer_live", sa.Column("curtailed", sa.Integer(), server_default=sa.text("0"), nullable=False))


def downgrade() -> None:
    for table, column in (
        ("transformer_live", "curtailed"),
        ("transformer_live", "over_since"),
        ("transformer_live", "degraded_until"),
        ("transformer_live", "blocked_pct"),
        ("transformer_live", "limited_pct"),
        ("transformer_live", "meter_at"),
        ("transformer_live", "estimate_kva"),
        ("transformer_live", "meter_kva"),
        ("transformer", "degraded_reason"),
        ("transformer", "degraded_minutes"),
        ("transformer", "degraded_asked_at"),
        ("transformer", "degraded_asked_by"),
        ("transformer", "degraded_blocked_pct"),
        ("transformer", "queue_s"),
        ("transformer", "queue_most"),
        ("transformer", "share_target_pct"),
        ("transformer", "is_shared"),
        ("transformer", "overload_stop_apart_s"),
        ("transformer", "overload_stop_after_s"),
        ("transformer", "releases_caps"),
        ("station", "lockout_while_charging"),
        ("pile", "lockout_while_charging"),
        ("gun", "lockout_while_charging"),
    ):
        op.drop_column(table, column)
    if op.get_bind().dialect.name == "postgresql":
        op.drop_column("pile", "feeder_code")
    else:
        with op.batch_alter_table("pile") as pile:
            pile.drop_column("feeder_code")
    for table in ("station_stop_gun", "power_setting_gun", "gun_session_live", "feeder", "power_setting"):
        op.drop_table(table)
