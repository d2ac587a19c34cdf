"""cards and vehicles start charges

Cards and vehicles of customers, every attempt to start with one, and what an order knows of its car: who asked at the
pile and until when, what the car said of itself, the other gun of a joint charge.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATES = "state IN ('bound', 'blocked', 'unbound')"
UNBOUND = "(state = 'unbound') = (unbound_at IS NOT NULL)"
IN_USE = sa.text("state <> 'unbound'")
ORDER_COLUMNS = (
    ("printed_card", sa.String(16), "逻辑卡号, for the pile's screen"),
    ("request_expires_at", sa.DateTime(timezone=True), "until when the pile waits for 0x32"),
    ("joint_number", sa.String(12), "并充序号: shared by the guns of one car"),
    ("joint_role", sa.String(16), "evcs.contracts.gun.JointRole"),
    ("other_vin", sa.String(17), "said by car or record, where it is another"),
    ("vehicle_json", sa.Text(), "evcs.contracts.gun.Vehicle (0x15)"),
    ("limits_json", sa.Text(), "evcs.contracts.gun.BatteryLimits (0x17)"),
    ("ending_json", sa.Text(), "evcs.contracts.gun.ChargeEnding (0x19)"),
    ("findings_json", sa.Text(), "webapi.orders.course.Findings (0x1B, 1D, 21, 25)"),
)


def upgrade() -> None:
    for name, kind, comment in ORDER_COLUMNS:
        op.add_column("charging_order", sa.Column(name, kind, nullable=True, comment=comment))
    op.create_index(op.f("ix_charging_order_card_request_id"), "charging_order", ["card_request_id"], unique=True)
    op.create_index(
        op.f("ix_charging_order_pile_number_joint_number"), "charging_order", ["pile_number", "joint_number"]
    )
    _card()
    _vehicle()
    _attempt()


def _card() -> None:
    op.create_table(
        "card",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("uid", sa.String(16), nullable=False, comment="物理卡号: the 8 bytes of the wire in hex"),
        sa.Column("printed_no", sa.String(16), nullable=False, comment="逻辑卡号: what is printed on it"),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("state_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(200), nullable=True, comment="why blocked or unbound"),
        sa.Column(
            "password_hash",
            sa.String(200),
            nullable=True,
            comment="argon2 of the 16 hex digits that a pile sends; none: no password",
        ),
        sa.Column("offline_allowed", sa.Boolean(), nullable=False, comment="may be kept in piles (0x44)"),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("unbound_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(STATES, name=op.f("ck_card_state")),
        sa.CheckConstraint("length(uid) = 16", name=op.f("ck_card_uid")),
        sa.CheckConstraint(UNBOUND, name=op.f("ck_card_unbound")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_card_tenant_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_card_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card")),
    )
    op.create_index(
        "uq_card_uid_in_use", "card", ["tenant_id", "uid"], unique=True, sqlite_where=IN_USE, postgresql_where=IN_USE
    )
    op.create_index(op.f("ix_card_customer_id_id"), "card", ["customer_id", "id"])
    op.create_index(op.f("ix_card_tenant_id_uid_id"), "card", ["tenant_id", "uid", "id"])
    op.create_index(op.f("ix_card_tenant_id_printed_no"), "card", ["tenant_id", "printed_no"])


def _vehicle() -> None:
    op.create_table(
        "vehicle",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("vin", sa.String(17), nullable=False, comment="车架号, in reading order"),
        sa.Column("plate", sa.String(16), nullable=False, comment="车牌"),
        sa.Column("plug_and_charge", sa.Boolean(), nullable=False, comment="即插即充: may start by its VIN"),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("state_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(200), nullable=True, comment="why blocked or unbound"),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("unbound_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(STATES, name=op.f("ck_vehicle_state")),
        sa.CheckConstraint("length(vin) = 17", name=op.f("ck_vehicle_vin")),
        sa.CheckConstraint(UNBOUND, name=op.f("ck_vehicle_unbound")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_vehicle_tenant_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_vehicle_customer_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vehicle")),
    )
    op.create_index(
        "uq_vehicle_vin_in_use",
        "vehicle",
        ["tenant_id", "vin"],
        unique=True,
        sqlite_where=IN_USE,
        postgresql_where=IN_USE,
    )
    op.create_index(op.f("ix_vehicle_customer_id_id"), "vehicle", ["customer_id", "id"])
    op.create_index(op.f("ix_vehicle_tenant_id_vin_id"), "vehicle", ["tenant_id", "vin", "id"])


def _attempt() -> None:
    op.create_table(
        "card_attempt",
        sa.Column("request_id", sa.String(64), nullable=False, comment="id of the G/event"),
        sa.Column("tenant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("station_code", sa.String(32), nullable=False),
        sa.Column("pile_number", sa.String(32), nullable=False),
        sa.Column("gun_no", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="when it was heard"),
        sa.Column("mode", sa.String(16), nullable=False, comment="card, vin, account, or the code as a number"),
        sa.Column("card", sa.String(16), nullable=True, comment="as the pile read it"),
        sa.Column("vin", sa.String(17), nullable=True),
        sa.Column("joint_number", sa.String(12), nullable=True),
        sa.Column("customer_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("order_serial", sa.String(32), nullable=True),
        sa.Column("reason", sa.String(64), nullable=True, comment="evcs.contracts.reasons.Reason"),
        sa.Column("figures_json", sa.String(1000), nullable=True, comment="of the reason's sentence"),
        sa.CheckConstraint("(reason IS NULL) = (order_serial IS NOT NULL)", name=op.f("ck_card_attempt_outcome")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_card_attempt_tenant_id")),
        sa.ForeignKeyConstraint(["station_code"], ["station.code"], name=op.f("fk_card_attempt_station_code")),
        sa.ForeignKeyConstraint(["pile_number"], ["pile.number"], name=op.f("fk_card_attempt_pile_number")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_card_attempt_customer_id")),
        sa.ForeignKeyConstraint(["order_serial"], ["charging_order.serial"], name=op.f("fk_card_attempt_order_serial")),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_card_attempt")),
    )
    for columns in (
        ["tenant_id", "at", "request_id"],
        ["pile_number", "at", "request_id"],
        ["card", "at"],
        ["station_code"],
        ["customer_id"],
        ["order_serial"],
    ):
        op.create_index(op.f(f"ix_card_attempt_{'_'.join(columns)}"), "card_attempt", columns)


def downgrade() -> None:
    for table in ("card_attempt", "vehicle", "card"):
        op.drop_table(table)
    op.drop_index(op.f("ix_charging_order_pile_number_joint_number"), "charging_order")
    op.drop_index(op.f("ix_charging_order_card_request_id"), "charging_order")
    for name, _, _ in reversed(ORDER_COLUMNS):
        op.drop_column("charging_order", name)
