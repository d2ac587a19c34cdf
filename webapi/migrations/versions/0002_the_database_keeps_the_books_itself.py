"""the database keeps the books itself

Triggers, the same rules on both databases: entries, transactions, seals, accounts, bills, audit, tariff versions and
what a charge record said are never changed or deleted; a transaction is sealed only when it sums to zero and takes no
entry after that; the balances of a wallet move by entries alone. PostgreSQL also wakes the worker for the outbox.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "ledger_entry",
    "ledger_transaction",
    "ledger_seal",
    "ledger_account",
    "bill",
    "bill_line",
    "audit",
    "tariff_version",
    "tariff_price",
)
RECORD_FACTS = "serial, content_hash, pile_number, gun_no, frame_hex, decoded_json, received_at"
BALANCES = ("available_fen", "held_fen", "gift_fen", "debt_fen")
CHANGED = " OR ".join(f"OLD.{balance} <> NEW.{balance}" for balance in BALANCES)
NOT_EMPTY = " OR ".join(f"NEW.{balance} <> 0" for balance in BALANCES)

SQLITE_DELTA = """{column} = {column} + CASE
            (SELECT kind FROM ledger_account WHERE id = NEW.account_id)
            WHEN '{kind}' THEN {sign}NEW.amount_fen ELSE 0 END"""


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        _postgresql()
    else:
        _sqlite()


def _sqlite() -> None:
    def refuse(name: str, when: str, message: str, condition: str = "1") -> None:
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {when} WHEN {condition} BEGIN SELECT RAISE(ABORT, '{message}'); END"
        )

    for table in APPEND_ONLY:
        refuse(f"{table}_no_update", f"UPDATE ON {table}", f"{table} is append only")
        refuse(f"{table}_no_delete", f"DELETE ON {table}", f"{table} is append only")
    refuse("charge_record_no_delete", "DELETE ON charge_record", "a charge record is never deleted")
    refuse(
        "charge_record_no_update",
        f"UPDATE OF {RECORD_FACTS} ON charge_record",
        "what a charge record said is never changed",
    )
    refuse(
        "ledger_seal_sum",
        "INSERT ON ledger_seal",
        "the entries of a transaction sum to zero",
        "(SELECT coalesce(sum(amount_fen), 1) FROM ledger_entry WHERE transaction_id = NEW.transaction_id) <> 0",
    )
    refuse(
        "ledger_entry_sealed",
        "INSERT ON ledger_entry",
        "a sealed transaction takes no further entry",
        "EXISTS (SELECT 1 FROM ledger_seal WHERE transaction_id = NEW.transaction_id)",
    )
    refuse("wallet_starts_empty", "INSERT ON wallet", "a wallet starts empty", NOT_EMPTY)
    refuse("wallet_no_delete", "DELETE ON wallet", "a wallet is never deleted")
    # SQLite has no pg_trigger_depth: an update made by the entry's trigger is known by the entry just written,
    # which is the newest of all and not sealed yet.
    refuse(
        "wallet_by_entry",
        f"UPDATE OF {', '.join(BALANCES)} ON wallet",
        "balances move by entries only",
        f"""({CHANGED}) AND NOT EXISTS (
            SELECT 1 FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
            WHERE e.id = (SELECT max(id) FROM ledger_entry) AND a.customer_id = NEW.customer_id
              AND NOT EXISTS (SELECT 1 FROM ledger_seal s WHERE s.transaction_id = e.transaction_id))""",
    )
    deltas = ", ".join(
        SQLITE_DELTA.format(column=f"{kind}_fen", kind=kind, sign="-" if kind == "debt" else "")
        for kind in ("available", "held", "gift", "debt")
    )
    op.execute(
        f"""CREATE TRIGGER ledger_entry_moves_wallet AFTER INSERT ON ledger_entry BEGIN
            UPDATE wallet SET {deltas}
            WHERE customer_id = (SELECT customer_id FROM ledger_account WHERE id = NEW.account_id); END"""
    )


def _postgresql() -> None:
    def function(name: str, body: str) -> None:
        op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$")

    def refusal(name: str, message: str, condition: str = "true") -> None:
        function(
            name, f"IF {condition} THEN RAISE EXCEPTION '{message}' USING ERRCODE = '23001'; END IF; RETURN NEW;"
        )

    function(
        "evcs_append_only",
        "RAISE EXCEPTION '% is append only', TG_TABLE_NAME USING ERRCODE = '23001'; RETURN NULL;",
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION evcs_append_only()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION evcs_append_only()"
        )
    for table, when, name in (
        ("charge_record", "DELETE", "charge_record_no_delete"),
        ("charge_record", f"UPDATE OF {RECORD_FACTS}", "charge_record_no_update"),
        ("wallet", "DELETE", "wallet_no_delete"),
    ):
        op.execute(f"CREATE TRIGGER {name} BEFORE {when} ON {table} FOR EACH ROW EXECUTE FUNCTION evcs_append_only()")

    refusal(
        "evcs_seal_sum",
        "the entries of a transaction sum to zero",
        "(SELECT coalesce(sum(amount_fen), 1) FROM ledger_entry WHERE transaction_id = NEW.transaction_id) <> 0",
    )
    refusal(
        "evcs_entry_sealed",
        "a sealed transaction takes no further entry",
        "EXISTS (SELECT 1 FROM ledger_seal WHERE transaction_id = NEW.transaction_id)",
    )
    refusal("evcs_wallet_empty", "a wallet starts empty", NOT_EMPTY)
    refusal("evcs_wallet_by_entry", "balances move by entries only", f"({CHANGED}) AND pg_trigger_depth() < 2")
    for table, when, name in (
        ("ledger_seal", "INSERT", "evcs_seal_sum"),
        ("ledger_entry", "INSERT", "evcs_entry_sealed"),
        ("wallet", "INSERT", "evcs_wallet_empty"),
        ("wallet", "UPDATE", "evcs_wallet_by_entry"),
    ):
        op.execute(
            f"CREATE TRIGGER {table}_{when.lower()} BEFORE {when} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
        )
    deltas = ", ".join(
        f"{kind}_fen = w.{kind}_fen + CASE a.kind WHEN '{kind}' "
        f"THEN {'-' if kind == 'debt' else ''}NEW.amount_fen ELSE 0 END"
        for kind in ("available", "held", "gift", "debt")
    )
    function(
        "evcs_entry_moves_wallet",
        f"UPDATE wallet w SET {deltas} FROM ledger_account a "
        "WHERE a.id = NEW.account_id AND w.customer_id = a.customer_id; RETURN NULL;",
    )
    op.execute(
        "CREATE TRIGGER ledger_entry_moves_wallet AFTER INSERT ON ledger_entry "
        "FOR EACH ROW EXECUTE FUNCTION evcs_entry_moves_wallet()"
    )
    function("evcs_outbox_wakes", "PERFORM pg_notify('evcs_outbox', ''); RETURN NULL;")
    op.execute(
        "CREATE TRIGGER outbox_wakes AFTER INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION evcs_outbox_wakes()"
    )


def downgrade() -> None:
    raise NotImplementedError("the books are not taken apart; restore a backup instead")
