"""fault codes are described and alarms remembered

The dictionary of fault codes with what the platform ships, and one record for each time that an alarm was raised: so
far an alarm raised again was the same row, and its history was lost.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from webapi.faults.shipped import shipped_codes

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ROW = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
SEVERITY = "severity IN ('info', 'warning', 'critical')"
CATEGORIES = (
    "category IN ('emergency', 'electrical', 'insulation', 'thermal', 'module', 'connector', 'communication', "
    "'metering', 'vehicle', 'payment', 'normal_end', 'other')"
)
FIRST_REVISION = 2
"""Above 1, the version under which the table stood that was part of the program."""


def upgrade() -> None:
    _dictionary()
    _records()
    # An alarm that is still open keeps its version: the level that stands at the broker would not be news.
    op.execute(
        "INSERT INTO alarm_record (alarm_id, station_code, transformer_code, pile_number, gun_no, order_serial, kind, "
        "protocol, code, known, severity, action, text_zh, text_en, count, unit, raw, raised_at, cleared_at, version) "
        "SELECT id, station_code, transformer_code, pile_number, gun_no, order_serial, kind, "
        f"'', code, {'1' if op.get_bind().dialect.name == 'sqlite' else 'true'}, severity, "
        "COALESCE(action, 'alarm'), text_zh, text_en, 1, '', '', raised_at, cleared_at, version FROM alarm"
    )
    op.drop_table("alarm")


def _dictionary() -> None:
    codes = op.create_table(
        "fault_code",
        sa.Column("id", ROW, nullable=False),
        sa.Column("protocol", sa.String(16), nullable=False),
        sa.Column("maker", sa.String(64), nullable=False),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("text_zh", sa.String(200), nullable=False),
        sa.Column("text_en", sa.String(200), nullable=False),
        sa.Column("severity", sa.String(24), nullable=False),
        sa.Column("action", sa.String(24), nullable=False),
        sa.Column("category", sa.String(24), nullable=False),
        sa.Column("advice_zh", sa.String(300), nullable=False),
        sa.Column("advice_en", sa.String(300), nullable=False),
        sa.Column("shipped", sa.Boolean(), nullable=False, comment="came with the platform"),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("changed_by", sa.String(64), nullable=False, comment="user:7; evcs: as it was shipped"),
        sa.CheckConstraint(SEVERITY, name=op.f("ck_fault_code_severity")),
        sa.CheckConstraint("action IN ('alarm', 'derate', 'stop', 'lock')", name=op.f("ck_fault_code_action")),
        sa.CheckConstraint(CATEGORIES, name=op.f("ck_fault_code_category")),
        sa.CheckConstraint("model = '' OR maker <> ''", name=op.f("ck_fault_code_model")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fault_code")),
        sa.UniqueConstraint(
            "protocol", "maker", "model", "code", name=op.f("uq_fault_code_protocol_maker_model_code")
        ),
    )
    op.create_index(op.f("ix_fault_code_code"), "fault_code", ["code"])
    dictionary = op.create_table(
        "fault_dictionary",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_fault_dictionary_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fault_dictionary")),
    )
    op.bulk_insert(dictionary, [{"id": 1, "revision": FIRST_REVISION}])
    op.bulk_insert(
        codes,
        [
            {
                "protocol": one.protocol,
                "maker": "",
                "model": "",
                "code": one.code,
                "text_zh": one.zh,
                "text_en": one.en,
                "severity": one.theme.severity.value,
                "action": "alarm",
                "category": one.theme.category.value,
                "advice_zh": one.theme.advice_zh,
                "advice_en": one.theme.advice_en,
                "shipped": True,
                "changed_at": datetime(2026, 11, 24, tzinfo=UTC),
                "changed_by": "evcs",
            }
            for one in shipped_codes()
        ],
    )


def _records() -> None:
    op.create_table(
        "alarm_record",
        sa.Column("id", ROW, nullable=False),
        sa.Column("alarm_id", sa.String(64), nullable=False, comment="of the level S/alarm/{alarm}"),
        sa.Column("station_code", sa.String(32), nullable=False),
        sa.Column("transformer_code", sa.String(32), nullable=True),
        sa.Column("pile_number", sa.String(32), nullable=True),
        sa.Column("gun_no", sa.Integer(), nullable=True),
        sa.Column("order_serial", sa.String(32), nullable=True),
        sa.Column("kind", sa.String(24), nullable=False, comment="fault (reported) or warning (rule)"),
        sa.Column(
            "protocol", sa.String(16), nullable=False, comment="of a reported code; empty: our own rule's"
        ),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column(
            "known", sa.Boolean(), nullable=False, comment="false: waits for somebody to describe the code"
        ),
        sa.Column("severity", sa.String(24), nullable=False),
        sa.Column("action", sa.String(16), nullable=False, comment="derate, stop, lock …"),
        sa.Column("text_zh", sa.String(400), nullable=False),
        sa.Column("text_en", sa.String(400), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False, comment="flaps that were merged, or piles of a storm"),
        sa.Column("value", sa.Float(), nullable=True, comment="the figure that raised it, in unit"),
        sa.Column("limit_value", sa.Float(), nullable=True, comment="what it is measured against, in unit"),
        sa.Column("unit", sa.String(16), nullable=False),
        sa.Column("raw", sa.String(400), nullable=False, comment="what the pile said, as it stood in the frame"),
        sa.Column("raised_at", TIME, nullable=False),
        sa.Column("cleared_at", TIME, nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="of the level; an older one is ignored"),
        sa.Column("described_at", TIME, nullable=True, comment="when its text was applied backwards"),
        sa.Column("acknowledged_at", TIME, nullable=True),
        sa.Column("acknowledged_by", sa.String(64), nullable=True, comment="user:7"),
        sa.Column("acknowledged_name", sa.String(64), nullable=True, comment="the name at that time"),
        sa.Column("acknowledge_note", sa.String(200), nullable=True),
        sa.CheckConstraint("kind IN ('fault', 'warning')", name=op.f("ck_alarm_record_kind")),
        sa.CheckConstraint(SEVERITY, name=op.f("ck_alarm_record_severity")),
        sa.CheckConstraint("count >= 1", name=op.f("ck_alarm_record_count")),
        sa.ForeignKeyConstraint(["station_code"], ["station.code"], name=op.f("fk_alarm_record_station_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm_record")),
        sa.UniqueConstraint("alarm_id", "raised_at", name=op.f("uq_alarm_record_alarm_id_raised_at")),
    )
    for columns in (
        ("station_code", "raised_at", "id"),
        ("cleared_at", "raised_at", "id"),
        ("protocol", "code", "known"),
        ("transformer_code", "raised_at"),
    ):
        op.create_index(op.f(f"ix_alarm_record_{'_'.join(columns)}"), "alarm_record", list(columns))


def downgrade() -> None:
    op.create_table(
        "alarm",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("station_code", sa.String(32), nullable=False),
        sa.Column("transformer_code", sa.String(32), nullable=True),
        sa.Column("pile_number", sa.String(32), nullable=True),
        sa.Column("gun_no", sa.Integer(), nullable=True),
        sa.Column("order_serial", sa.String(32), nullable=True),
        sa.Column("kind", sa.String(16), nullable=False, comment="fault (reported) or warning (rule)"),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("action", sa.String(16), nullable=True, comment="derate, stop, lock …"),
        sa.Column("text_zh", sa.String(200), nullable=False),
        sa.Column("text_en", sa.String(200), nullable=False),
        sa.Column("raised_at", TIME, nullable=False),
        sa.Column("cleared_at", TIME, nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["station_code"], ["station.code"], name=op.f("fk_alarm_station_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm")),
    )
    op.create_index(
        op.f("ix_alarm_station_code_cleared_at_raised_at"), "alarm", ["station_code", "cleared_at", "raised_at"]
    )
    # One row for each alarm again: the newest time that it was raised.
    op.execute(
        "INSERT INTO alarm (id, station_code, transformer_code, pile_number, gun_no, order_serial, kind, code, "
        "severity, action, text_zh, text_en, raised_at, cleared_at, version) "
        "SELECT alarm_id, station_code, transformer_code, pile_number, gun_no, order_serial, kind, code, severity, "
        "action, substr(text_zh, 1, 200), substr(text_en, 1, 200), raised_at, cleared_at, version "
        "FROM alarm_record AS one WHERE version = "
        "(SELECT max(version) FROM alarm_record AS other WHERE other.alarm_id = one.alarm_id)"
    )
    for table in ("alarm_record", "fault_dictionary", "fault_code"):
        op.drop_table(table)
