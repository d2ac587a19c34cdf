"""refunds are never more than was paid

Refunds with their parts, and what the database itself sees to on both databases: the parts of a recharge that did not
fail are within it, the approved refunds of an order are within its total, what succeeded or failed is final, and a
part's number at its channel never changes. Recharges remember the gift that came with them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PAID_BACK = (
    "(SELECT coalesce(sum(amount_fen), 0) FROM refund_part WHERE recharge_id = NEW.recharge_id AND state <> 'failed')"
)
RECHARGED = "(SELECT amount_fen FROM recharge WHERE id = NEW.recharge_id)"
GIVEN_BACK = (
    "(SELECT coalesce(sum(amount_fen), 0) FROM refund_request "
    "WHERE order_serial = NEW.order_serial AND state = 'approved')"
)
BILLED = "(SELECT total_fen FROM charging_order WHERE serial = NEW.order_serial)"
PART_OVER = f"{PAID_BACK} > {RECHARGED}"
ORDER_OVER = f"NEW.kind = 'order' AND NEW.state = 'approved' AND {GIVEN_BACK} > {BILLED}"
PART_FIXED = ("request_id", "no", "recharge_id", "amount_fen", "out_refund_no")
REQUEST_FIXED = ("customer_id", "kind", "amount_fen", "electricity_fen", "service_fen", "asked_by", "two_persons")
FINAL = "OLD.state IN ('succeeded', 'failed') AND NEW.state <> OLD.state"
DECIDED = "OLD.state <> 'waiting' AND NEW.state <> OLD.state"
FUNCTIONS = ("evcs_part_within", "evcs_order_within", "evcs_part_fixed", "evcs_request_fixed")


def upgrade() -> None:
    op.add_column(
        "recharge",
        sa.Column("gift_fen", sa.BigInteger(), nullable=False, server_default="0", comment="given with it"),
    )
    _requests()
    _parts()
    if op.get_bind().dialect.name == "postgresql":
        _postgresql()
    else:
        _sqlite()


def downgrade() -> None:
    used = op.get_bind().scalar(sa.text("SELECT count(*) FROM refund_request"))
    if used:
        raise RuntimeError(f"{used} refunds would be forgotten; restore a backup instead")
    op.drop_table("refund_part")
    op.drop_table("refund_request")
    if op.get_bind().dialect.name == "postgresql":
        for name in FUNCTIONS:
            op.execute(f"DROP FUNCTION {name}()")
    op.drop_column("recharge", "gift_fen")


def _requests() -> None:
    def check(name: str, rule: str) -> sa.CheckConstraint:
        return sa.CheckConstraint(rule, name=op.f(f"ck_refund_request_{name}"))

    op.create_table(
        "refund_request",
        sa.Column("id", ROW, autoincrement=True, nullable=False),
        sa.Column("tenant_id", ROW, nullable=False),
        sa.Column("customer_id", ROW, nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("order_serial", sa.String(32), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("electricity_fen", sa.BigInteger(), nullable=False),
        sa.Column("service_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(200), nullable=False),
        sa.Column("two_persons", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("asked_by", sa.String(64), nullable=False, comment="user:7, customer:12"),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("decided_by", sa.String(64), nullable=True),
        sa.Column("decided_at", TIME, nullable=True),
        sa.Column("decided_why", sa.String(200), nullable=True),
        sa.Column("transaction_id", ROW, nullable=True),
        check("kind", "kind IN ('withdrawal', 'order')"),
        check("state", "state IN ('waiting', 'approved', 'rejected')"),
        check("amount", "amount_fen > 0"),
        check("order", "(kind = 'order') = (order_serial IS NOT NULL)"),
        check("lines", "electricity_fen >= 0 AND service_fen >= 0"),
        check("whole", "kind <> 'order' OR amount_fen = electricity_fen + service_fen"),
        check("decided", "(state = 'waiting') = (decided_by IS NULL)"),
        check("two_persons", "NOT two_persons OR decided_by <> asked_by"),
        check("posted", "transaction_id IS NULL OR (kind = 'order' AND state = 'approved')"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_refund_request_tenant_id")),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_refund_request_customer_id")),
        sa.ForeignKeyConstraint(
            ["order_serial"], ["charging_order.serial"], name=op.f("fk_refund_request_order_serial")
        ),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["ledger_transaction.id"], name=op.f("fk_refund_request_transaction_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_request")),
    )
    for columns in (("tenant_id", "state", "id"), ("customer_id", "id"), ("order_serial",)):
        op.create_index(op.f(f"ix_refund_request_{'_'.join(columns)}"), "refund_request", list(columns))


def _parts() -> None:
    def check(name: str, rule: str) -> sa.CheckConstraint:
        return sa.CheckConstraint(rule, name=op.f(f"ck_refund_part_{name}"))

    op.create_table(
        "refund_part",
        sa.Column("id", ROW, autoincrement=True, nullable=False),
        sa.Column("request_id", ROW, nullable=False),
        sa.Column("no", sa.Integer(), nullable=False, comment="from 1"),
        sa.Column("recharge_id", ROW, nullable=False),
        sa.Column("channel", sa.String(16), nullable=False, comment="by which it goes; manual: a person pays"),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column(
            "gift_back_fen", sa.BigInteger(), nullable=False, comment="from submission on: what was really taken"
        ),
        sa.Column("out_refund_no", sa.String(64), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("next_query_at", TIME, nullable=True, comment="when it is sent, or asked for again"),
        sa.Column("queries", sa.Integer(), nullable=False, comment="how often it was sent or asked for"),
        sa.Column("submitted_at", TIME, nullable=True),
        sa.Column("channel_refund_no", sa.String(64), nullable=True),
        sa.Column("settled_at", TIME, nullable=True),
        sa.Column("settled_by", sa.String(64), nullable=True, comment="user:7, worker"),
        sa.Column("why", sa.String(200), nullable=True, comment="the channel's words, or a person's"),
        check("state", "state IN ('requested', 'approved', 'submitted', 'succeeded', 'failed', 'unknown')"),
        check("amounts", "amount_fen > 0 AND gift_back_fen >= 0"),
        check("settled", "(state IN ('succeeded', 'failed')) = (settled_at IS NOT NULL)"),
        sa.ForeignKeyConstraint(["request_id"], ["refund_request.id"], name=op.f("fk_refund_part_request_id")),
        sa.ForeignKeyConstraint(["recharge_id"], ["recharge.id"], name=op.f("fk_refund_part_recharge_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_part")),
        sa.UniqueConstraint("request_id", "no", name=op.f("uq_refund_part_request_id_no")),
        sa.UniqueConstraint("out_refund_no", name=op.f("uq_refund_part_out_refund_no")),
    )
    for columns in (("recharge_id",), ("state", "next_query_at")):
        op.create_index(op.f(f"ix_refund_part_{'_'.join(columns)}"), "refund_part", list(columns))


def _changed(columns: tuple[str, ...]) -> str:
    return " OR ".join(f"NEW.{column} <> OLD.{column}" for column in columns)


def _sqlite() -> None:
    def refuse(name: str, when: str, message: str, condition: str = "1") -> None:
        op.execute(f"CREATE TRIGGER {name} {when} WHEN {condition} BEGIN SELECT RAISE(ABORT, '{message}'); END")

    refuse("refund_part_within", "AFTER INSERT ON refund_part", "refunded more than was recharged", PART_OVER)
    for deed in ("INSERT", "UPDATE"):
        name = f"refund_order_within_{deed.lower()}"
        refuse(name, f"AFTER {deed} ON refund_request", "refunded more than the order", ORDER_OVER)
    for table, fixed, final in (("part", PART_FIXED, FINAL), ("request", REQUEST_FIXED, DECIDED)):
        refuse(
            f"refund_{table}_fixed",
            f"BEFORE UPDATE ON refund_{table}",
            f"what a refund {table} says is never changed",
            f"({_changed(fixed)}) OR ({final})",
        )
        refuse(f"refund_{table}_no_delete", f"BEFORE DELETE ON refund_{table}", "a refund is never deleted")


def _postgresql() -> None:
    def guard(name: str, table: str, when: str, message: str, condition: str, lock: str = "") -> None:
        op.execute(
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {lock} "
            f"IF {condition} THEN RAISE EXCEPTION '{message}' USING ERRCODE = '23001'; END IF; RETURN NEW; END $$"
        )
        op.execute(
            f"CREATE TRIGGER {name.removeprefix('evcs_')} {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
        )

    # Two at once: the second waits for the first, and its sum, a statement of its own, then sees that one too.
    lock_recharge = "PERFORM 1 FROM recharge WHERE id = NEW.recharge_id FOR NO KEY UPDATE;"
    lock_order = "PERFORM 1 FROM charging_order WHERE serial = NEW.order_serial FOR NO KEY UPDATE;"
    guard(
        "evcs_part_within",
        "refund_part",
        "AFTER INSERT",
        "refunded more than was recharged",
        PART_OVER,
        lock_recharge,
    )
    guard(
        "evcs_order_within",
        "refund_request",
        "AFTER INSERT OR UPDATE",
        "refunded more than the order",
        ORDER_OVER,
        lock_order,
    )
    for table, fixed, final in (("part", PART_FIXED, FINAL), ("request", REQUEST_FIXED, DECIDED)):
        guard(
            f"evcs_{table}_fixed",
            f"refund_{table}",
            "BEFORE UPDATE",
            f"what a refund {table} says is never changed",
            f"({_changed(fixed)}) OR ({final})",
        )
        op.execute(
            f"CREATE TRIGGER refund_{table}_no_delete BEFORE DELETE ON refund_{table} "
            "FOR EACH ROW EXECUTE FUNCTION evcs_append_only()"
        )
