"""the books and what they rest on"""

import sqlalchemy as sa
from alembic import op

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('bridge_live',
    sa.Column('bridge', sa.String(length=32), nullable=False),
    sa.Column('online', sa.Boolean(), nullable=False),
    sa.Column('started_ms', sa.BigInteger(), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('address', sa.String(length=64), nullable=False),
    sa.PrimaryKeyConstraint('bridge', name=op.f('pk_bridge_live'))
    )
    op.create_table('charge_record',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('serial', sa.String(length=32), nullable=False),
    sa.Column('content_hash', sa.String(length=64), nullable=False, comment='SHA-256 of the decoded record, without sequence'),
    sa.Column('pile_number', sa.String(length=32), nullable=False),
    sa.Column('gun_no', sa.Integer(), nullable=False),
    sa.Column('frame_hex', sa.Text(), nullable=False),
    sa.Column('decoded_json', sa.Text(), nullable=False),
    sa.Column('energy_kwh', sa.BigInteger(), nullable=False),
    sa.Column('pile_amount_e4', sa.BigInteger(), nullable=False, comment='0.0001 yuan'),
    sa.Column('verdict', sa.String(length=24), nullable=False),
    sa.Column('verdict_reason', sa.String(length=64), nullable=True),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False, comment='first received by the bridge'),
    sa.Column('stored_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('repeats', sa.Integer(), nullable=False, comment='how often the same content came again'),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True, comment='G/confirm last published and acknowledged'),
    sa.Column('confirm_sent_at', sa.DateTime(timezone=True), nullable=True, comment='0x40 is written'),
    sa.CheckConstraint("verdict IN ('settled', 'corrected', 'review', 'orphan')", name=op.f('ck_charge_record_verdict')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_charge_record')),
    sa.UniqueConstraint('serial', 'content_hash', name=op.f('uq_charge_record_serial_content_hash'))
    )
    with op.batch_alter_table('charge_record', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_charge_record_confirm_sent_at'), ['confirm_sent_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_charge_record_pile_number_gun_no_received_at'), ['pile_number', 'gun_no', 'received_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_charge_record_verdict_received_at_id'), ['verdict', 'received_at', 'id'], unique=False)

    op.create_table('handled_event',
    sa.Column('event_id', sa.String(length=128), nullable=False),
    sa.Column('handled_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('event_id', name=op.f('pk_handled_event'))
    )
    with op.batch_alter_table('handled_event', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_handled_event_handled_at'), ['handled_at'], unique=False)

    op.create_table('idempotency_key',
    sa.Column('owner', sa.String(length=64), nullable=False, comment='user:7, customer:12'),
    sa.Column('key', sa.String(length=255), nullable=False),
    sa.Column('request_hash', sa.String(length=64), nullable=False, comment='SHA-256 of method, path and body'),
    sa.Column('state', sa.String(length=24), nullable=False),
    sa.Column('response_status', sa.Integer(), nullable=True),
    sa.Column('response_headers_json', sa.Text(), nullable=True),
    sa.Column('response_body', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("state IN ('in_flight', 'done')", name=op.f('ck_idempotency_key_state')),
    sa.PrimaryKeyConstraint('owner', 'key', name=op.f('pk_idempotency_key'))
    )
    with op.batch_alter_table('idempotency_key', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_idempotency_key_created_at'), ['created_at'], unique=False)

    op.create_table('ledger_seal',
    sa.Column('transaction_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.PrimaryKeyConstraint('transaction_id', name=op.f('pk_ledger_seal'))
    )
    op.create_table('outbox',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('shard', sa.String(length=2), nullable=False, comment='of the station; 00 where there is none'),
    sa.Column('station_code', sa.String(length=32), nullable=True),
    sa.Column('topic', sa.String(length=255), nullable=False),
    sa.Column('payload', sa.LargeBinary(), nullable=False),
    sa.Column('retain', sa.Boolean(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True, comment='not published after it'),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.create_index('ix_outbox_pending', ['shard', 'id'], unique=False, sqlite_where=sa.text('published_at IS NULL'), postgresql_where=sa.text('published_at IS NULL'))
        batch_op.create_index(batch_op.f('ix_outbox_published_at'), ['published_at'], unique=False)

    op.create_table('sign_in_attempt',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('identity', sa.String(length=64), nullable=False, comment='as typed, lower case; also of users that do not exist'),
    sa.Column('address', sa.String(length=64), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('succeeded', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_in_attempt'))
    )
    with op.batch_alter_table('sign_in_attempt', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sign_in_attempt_address_at'), ['address', 'at'], unique=False)
        batch_op.create_index(batch_op.f('ix_sign_in_attempt_identity_at'), ['identity', 'at'], unique=False)

    op.create_table('tenant',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tenant')),
    sa.UniqueConstraint('code', name=op.f('uq_tenant_code'))
    )
    op.create_table('audit',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('actor', sa.String(length=64), nullable=False, comment='user:7, customer:12, worker, nobody'),
    sa.Column('action', sa.String(length=64), nullable=False, comment='e.g. sign_in, recharge, order_create, order_stop'),
    sa.Column('outcome', sa.String(length=64), nullable=False, comment='done, or the code of the refusal'),
    sa.Column('tenant_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('station_code', sa.String(length=32), nullable=True),
    sa.Column('object_kind', sa.String(length=32), nullable=True, comment='order, customer, station …'),
    sa.Column('object_id', sa.String(length=64), nullable=True),
    sa.Column('address', sa.String(length=64), nullable=True, comment='from where'),
    sa.Column('request_id', sa.String(length=64), nullable=True),
    sa.Column('details_json', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenant.id'], name=op.f('fk_audit_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('audit', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_audit_object_kind_object_id_id'), ['object_kind', 'object_id', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_audit_station_code'), ['station_code'], unique=False)
        batch_op.create_index(batch_op.f('ix_audit_tenant_id_at_id'), ['tenant_id', 'at', 'id'], unique=False)

    op.create_table('console_user',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('tenant_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True, comment='none: platform'),
    sa.Column('username', sa.String(length=64), nullable=False, comment='lower case'),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('password_hash', sa.String(length=200), nullable=False, comment='argon2id'),
    sa.Column('role', sa.String(length=24), nullable=False),
    sa.Column('all_stations', sa.Boolean(), nullable=False, comment='every station of the tenant; else user_station'),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('disabled_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("role IN ('platform_admin', 'tenant_admin', 'operator', 'finance', 'viewer')", name=op.f('ck_console_user_role')),
    sa.CheckConstraint("tenant_id IS NOT NULL OR role = 'platform_admin'", name=op.f('ck_console_user_tenant')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenant.id'], name=op.f('fk_console_user_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_console_user')),
    sa.UniqueConstraint('username', name=op.f('uq_console_user_username'))
    )
    with op.batch_alter_table('console_user', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_console_user_tenant_id'), ['tenant_id'], unique=False)

    op.create_table('station',
    sa.Column('code', sa.String(length=32), nullable=False),
    sa.Column('shard', sa.String(length=2), nullable=False, comment='evcs.contracts.ids.shard_of(code)'),
    sa.Column('tenant_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('address', sa.String(length=200), nullable=True),
    sa.Column('longitude', sa.Numeric(precision=9, scale=6), nullable=True, comment='WGS-84 degrees'),
    sa.Column('latitude', sa.Numeric(precision=9, scale=6), nullable=True, comment='WGS-84 degrees'),
    sa.Column('bucket', sa.String(length=64), nullable=False, comment='where its telemetry is kept'),
    sa.Column('station_stop_by', sa.String(length=64), nullable=True, comment='全站停止: who'),
    sa.Column('station_stop_reason', sa.String(length=200), nullable=True),
    sa.Column('station_stop_since', sa.DateTime(timezone=True), nullable=True, comment='empty = not stopped'),
    sa.Column('revision', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('archived_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lockout_by', sa.String(length=64), nullable=True),
    sa.Column('lockout_reason', sa.String(length=200), nullable=True),
    sa.Column('lockout_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lockout_until', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenant.id'], name=op.f('fk_station_tenant_id')),
    sa.PrimaryKeyConstraint('code', name=op.f('pk_station'))
    )
    with op.batch_alter_table('station', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_station_shard'), ['shard'], unique=False)
        batch_op.create_index(batch_op.f('ix_station_tenant_id_code'), ['tenant_id', 'code'], unique=False)

    op.create_table('tariff',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('tenant_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('archived_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenant.id'], name=op.f('fk_tariff_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tariff'))
    )
    with op.batch_alter_table('tariff', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_tariff_tenant_id'), ['tenant_id'], unique=False)

    op.create_table('alarm',
    sa.Column('id', sa.String(length=64), nullable=False),
    sa.Column('station_code', sa.String(length=32), nullable=False),
    sa.Column('transformer_code', sa.String(length=32), nullable=True),
    sa.Column('pile_number', sa.String(length=32), nullable=True),
    sa.Column('gun_no', sa.Integer(), nullable=True),
    sa.Column('order_serial', sa.String(length=32), nullable=True),
    sa.Column('kind', sa.String(length=16), nullable=False, comment='fault (reported) or warning (rule)'),
    sa.Column('code', sa.String(length=64), nullable=False),
    sa.Column('severity', sa.String(length=16), nullable=False),
    sa.Column('action', sa.String(length=16), nullable=True, comment='derate, stop, lock …'),
    sa.Column('text_zh', sa.String(length=200), nullable=False),
    sa.Column('text_en', sa.String(length=200), nullable=False),
    sa.Column('raised_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('cleared_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.ForeignKeyConstraint(['station_code'], ['station.code'], name=op.f('fk_alarm_station_code')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_alarm'))
    )
    with op.batch_alter_table('alarm', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_alarm_station_code_cleared_at_raised_at'), ['station_code', 'cleared_at', 'raised_at'], unique=False)

    op.create_table('customer',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('tenant_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('phone', sa.String(length=20), nullable=True),
    sa.Column('first_station_code', sa.String(length=32), nullable=True, comment='where first scanned'),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False, comment='开户'),
    sa.Column('blocked_at', sa.DateTime(timezone=True), nullable=True, comment='冻结账户: starts nothing'),
    sa.Column('blocked_reason', sa.String(length=200), nullable=True),
    sa.Column('archived_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['first_station_code'], ['station.code'], name=op.f('fk_customer_first_station_code')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenant.id'], name=op.f('fk_customer_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_customer'))
    )
    with op.batch_alter_table('customer', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_customer_tenant_id_opened_at_id'), ['tenant_id', 'opened_at', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_customer_tenant_id_phone'), ['tenant_id', 'phone'], unique=True)

    op.create_table('tariff_version',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('tariff_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('model_no', sa.Integer(), nullable=False),
    sa.Column('slots', sa.String(length=48), nullable=False, comment='48 letters: S 尖 P 峰 F 平 V 谷 D 深谷'),
    sa.Column('valid_from', sa.DateTime(timezone=True), nullable=False, comment='from when piles shall be given it'),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_by', sa.String(length=64), nullable=False),
    sa.CheckConstraint('length(slots) = 48', name=op.f('ck_tariff_version_slots')),
    sa.CheckConstraint('model_no BETWEEN 1 AND 9999', name=op.f('ck_tariff_version_model_no')),
    sa.ForeignKeyConstraint(['tariff_id'], ['tariff.id'], name=op.f('fk_tariff_version_tariff_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tariff_version')),
    sa.UniqueConstraint('model_no', name=op.f('uq_tariff_version_model_no'))
    )
    with op.batch_alter_table('tariff_version', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_tariff_version_tariff_id'), ['tariff_id'], unique=False)

    op.create_table('transformer',
    sa.Column('code', sa.String(length=32), nullable=False),
    sa.Column('station_code', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('rated_kva', sa.BigInteger(), nullable=False),
    sa.Column('base_load_kw', sa.BigInteger(), nullable=False, comment='used by the estimate'),
    sa.Column('max_base_load_kw', sa.BigInteger(), nullable=True, comment='used in degraded mode'),
    sa.Column('power_factor', sa.BigInteger(), nullable=False),
    sa.Column('limited_pct', sa.BigInteger(), nullable=False),
    sa.Column('limited_release_pct', sa.BigInteger(), nullable=False),
    sa.Column('limited_release_s', sa.Integer(), nullable=False),
    sa.Column('blocked_pct', sa.BigInteger(), nullable=False),
    sa.Column('blocked_release_pct', sa.BigInteger(), nullable=False),
    sa.Column('blocked_release_s', sa.Integer(), nullable=False),
    sa.Column('overload_pct', sa.BigInteger(), nullable=False),
    sa.Column('overload_s', sa.Integer(), nullable=False),
    sa.Column('cap_share', sa.BigInteger(), nullable=False, comment="of the gun's rating, if capped"),
    sa.Column('release_apart_s', sa.Integer(), nullable=False),
    sa.Column('shown_after_s', sa.Integer(), nullable=False),
    sa.Column('has_meter', sa.Boolean(), nullable=False),
    sa.Column('degraded_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('degraded_by', sa.String(length=64), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('archived_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('limited_pct <= blocked_pct', name=op.f('ck_transformer_thresholds')),
    sa.CheckConstraint('rated_kva > 0', name=op.f('ck_transformer_rated')),
    sa.ForeignKeyConstraint(['station_code'], ['station.code'], name=op.f('fk_transformer_station_code')),
    sa.PrimaryKeyConstraint('code', name=op.f('pk_transformer'))
    )
    with op.batch_alter_table('transformer', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_transformer_station_code'), ['station_code'], unique=False)

    op.create_table('user_session',
    sa.Column('token_hash', sa.String(length=64), nullable=False, comment='SHA-256 of the cookie, hex'),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('csrf_token', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('address', sa.String(length=64), nullable=True),
    sa.Column('agent', sa.String(length=200), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['console_user.id'], name=op.f('fk_user_session_user_id')),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('pk_user_session'))
    )
    with op.batch_alter_table('user_session', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_user_session_user_id'), ['user_id'], unique=False)

    op.create_table('user_station',
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('station_code', sa.String(length=32), nullable=False),
    sa.ForeignKeyConstraint(['station_code'], ['station.code'], name=op.f('fk_user_station_station_code')),
    sa.ForeignKeyConstraint(['user_id'], ['console_user.id'], name=op.f('fk_user_station_user_id')),
    sa.PrimaryKeyConstraint('user_id', 'station_code', name=op.f('pk_user_station'))
    )
    with op.batch_alter_table('user_station', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_user_station_station_code'), ['station_code'], unique=False)

    op.create_table('api_token',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=False, comment='SHA-256, hex'),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('customer_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('(user_id IS NULL) <> (customer_id IS NULL)', name=op.f('ck_api_token_owner')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_api_token_customer_id')),
    sa.ForeignKeyConstraint(['user_id'], ['console_user.id'], name=op.f('fk_api_token_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_token')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_api_token_token_hash'))
    )
    with op.batch_alter_table('api_token', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_api_token_customer_id'), ['customer_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_api_token_user_id'), ['user_id'], unique=False)

    op.create_table('pile',
    sa.Column('number', sa.String(length=32), nullable=False, comment='YKC: 14 digits'),
    sa.Column('station_code', sa.String(length=32), nullable=False),
    sa.Column('transformer_code', sa.String(length=32), nullable=False),
    sa.Column('name', sa.String(length=100), nullable=False),
    sa.Column('maker', sa.String(length=64), nullable=True),
    sa.Column('model', sa.String(length=64), nullable=True),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('rated_kw', sa.BigInteger(), nullable=False),
    sa.Column('efficiency', sa.BigInteger(), nullable=False, comment='AC piles: 1'),
    sa.Column('meter_step_kwh', sa.BigInteger(), nullable=False, comment="resolution of the model's meter, 0.0001 to 0.01"),
    sa.Column('protocol', sa.String(length=16), nullable=False),
    sa.Column('fault_bit_base', sa.Integer(), nullable=False, comment='whether its fault bits count from 0 or 1'),
    sa.Column('number_only_login', sa.Boolean(), nullable=False, comment='login by number alone, from the networks'),
    sa.Column('source_networks', sa.JSON(), nullable=False, comment='CIDR, e.g. 127.0.0.0/8'),
    sa.Column('wrapped_credentials', sa.String(), nullable=True, comment='wrapped by the key file, never in clear'),
    sa.Column('wanted_tariff_version_id', sa.String(length=32), nullable=True),
    sa.Column('confirmed_tariff_version_id', sa.String(length=32), nullable=True, comment='what it last confirmed; orders are billed with it; none = no start'),
    sa.Column('hand_limit_kw', sa.BigInteger(), nullable=True, comment='功率设置 by a person; empty = no limit'),
    sa.Column('revision', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('archived_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lockout_by', sa.String(length=64), nullable=True),
    sa.Column('lockout_reason', sa.String(length=200), nullable=True),
    sa.Column('lockout_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lockout_until', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("kind IN ('dc', 'ac')", name=op.f('ck_pile_kind')),
    sa.CheckConstraint('efficiency > 0 AND efficiency <= 10000', name=op.f('ck_pile_efficiency')),
    sa.CheckConstraint('rated_kw > 0', name=op.f('ck_pile_rated')),
    sa.ForeignKeyConstraint(['confirmed_tariff_version_id'], ['tariff_version.id'], name=op.f('fk_pile_confirmed_tariff_version_id')),
    sa.ForeignKeyConstraint(['station_code'], ['station.code'], name=op.f('fk_pile_station_code')),
    sa.ForeignKeyConstraint(['transformer_code'], ['transformer.code'], name=op.f('fk_pile_transformer_code')),
    sa.ForeignKeyConstraint(['wanted_tariff_version_id'], ['tariff_version.id'], name=op.f('fk_pile_wanted_tariff_version_id')),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_pile'))
    )
    with op.batch_alter_table('pile', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pile_station_code'), ['station_code'], unique=False)
        batch_op.create_index(batch_op.f('ix_pile_transformer_code'), ['transformer_code'], unique=False)

    op.create_table('tariff_price',
    sa.Column('version_id', sa.String(length=32), nullable=False),
    sa.Column('band', sa.String(length=24), nullable=False),
    sa.Column('energy_price_e5', sa.Integer(), nullable=False),
    sa.Column('service_price_e5', sa.Integer(), nullable=False),
    sa.CheckConstraint("band IN ('sharp', 'peak', 'flat', 'valley', 'deep_valley')", name=op.f('ck_tariff_price_band')),
    sa.CheckConstraint('energy_price_e5 >= 0 AND service_price_e5 >= 0', name=op.f('ck_tariff_price_prices')),
    sa.ForeignKeyConstraint(['version_id'], ['tariff_version.id'], name=op.f('fk_tariff_price_version_id')),
    sa.PrimaryKeyConstraint('version_id', 'band', name=op.f('pk_tariff_price'))
    )
    op.create_table('wallet',
    sa.Column('customer_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('available_fen', sa.BigInteger(), nullable=False),
    sa.Column('held_fen', sa.BigInteger(), nullable=False),
    sa.Column('gift_fen', sa.BigInteger(), nullable=False),
    sa.Column('debt_fen', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('available_fen >= 0', name=op.f('ck_wallet_available')),
    sa.CheckConstraint('debt_fen >= 0', name=op.f('ck_wallet_debt')),
    sa.CheckConstraint('gift_fen >= 0', name=op.f('ck_wallet_gift')),
    sa.CheckConstraint('held_fen >= 0', name=op.f('ck_wallet_held')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_wallet_customer_id')),
    sa.PrimaryKeyConstraint('customer_id', name=op.f('pk_wallet'))
    )
    op.create_table('gun',
    sa.Column('pile_number', sa.String(length=32), nullable=False),
    sa.Column('no', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('rated_kw', sa.BigInteger(), nullable=False),
    sa.Column('hand_limit_kw', sa.BigInteger(), nullable=True, comment='功率设置 by a person; empty = no limit'),
    sa.Column('serial_counter', sa.Integer(), nullable=False),
    sa.Column('archived_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lockout_by', sa.String(length=64), nullable=True),
    sa.Column('lockout_reason', sa.String(length=200), nullable=True),
    sa.Column('lockout_since', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lockout_until', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('no BETWEEN 1 AND 99', name=op.f('ck_gun_no')),
    sa.CheckConstraint('rated_kw > 0', name=op.f('ck_gun_rated')),
    sa.CheckConstraint('serial_counter BETWEEN 0 AND 9999', name=op.f('ck_gun_serial_counter')),
    sa.ForeignKeyConstraint(['pile_number'], ['pile.number'], name=op.f('fk_gun_pile_number')),
    sa.PrimaryKeyConstraint('pile_number', 'no', name=op.f('pk_gun'))
    )
    op.create_table('ledger_account',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('tenant_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.String(length=64), nullable=False, comment='e.g. customer:12:available, revenue:electricity'),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('customer_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.CheckConstraint("(kind IN ('available', 'held', 'gift', 'debt')) = (customer_id IS NOT NULL)", name=op.f('ck_ledger_account_customer')),
    sa.CheckConstraint("kind IN ('available', 'held', 'gift', 'debt', 'clearing', 'revenue', 'discount', 'payable', 'bank', 'channel_fee', 'rounding', 'writeoff')", name=op.f('ck_ledger_account_kind')),
    sa.ForeignKeyConstraint(['customer_id'], ['wallet.customer_id'], name=op.f('fk_ledger_account_customer_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenant.id'], name=op.f('fk_ledger_account_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ledger_account')),
    sa.UniqueConstraint('tenant_id', 'code', name=op.f('uq_ledger_account_tenant_id_code'))
    )
    with op.batch_alter_table('ledger_account', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ledger_account_customer_id_kind'), ['customer_id', 'kind'], unique=True)

    op.create_table('pile_live',
    sa.Column('pile_number', sa.String(length=32), nullable=False),
    sa.Column('online', sa.Boolean(), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('version', sa.BigInteger(), nullable=False, comment='version of the level; an older one is ignored'),
    sa.Column('bridge', sa.String(length=32), nullable=True),
    sa.Column('bridge_started_ms', sa.BigInteger(), nullable=True),
    sa.Column('link', sa.String(length=64), nullable=True, comment='the login that commands are for'),
    sa.Column('login_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('confirmed_tariff_version', sa.String(length=32), nullable=True),
    sa.Column('protocol', sa.String(length=32), nullable=True),
    sa.Column('firmware', sa.String(length=64), nullable=True),
    sa.Column('address', sa.String(length=64), nullable=True),
    sa.Column('proof', sa.String(length=16), nullable=True, comment='evcs.contracts.states.Proof'),
    sa.Column('power_control_json', sa.Text(), nullable=True),
    sa.Column('clock_offset_s', sa.Float(), nullable=True, comment='pile clock minus receive time'),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['pile_number'], ['pile.number'], name=op.f('fk_pile_live_pile_number')),
    sa.PrimaryKeyConstraint('pile_number', name=op.f('pk_pile_live'))
    )
    op.create_table('tariff_delivery',
    sa.Column('pile_number', sa.String(length=32), nullable=False),
    sa.Column('model_no', sa.Integer(), nullable=False),
    sa.Column('delivered_at', sa.DateTime(timezone=True), nullable=False, comment='when the pile confirmed it'),
    sa.ForeignKeyConstraint(['model_no'], ['tariff_version.model_no'], name=op.f('fk_tariff_delivery_model_no')),
    sa.ForeignKeyConstraint(['pile_number'], ['pile.number'], name=op.f('fk_tariff_delivery_pile_number')),
    sa.PrimaryKeyConstraint('pile_number', 'model_no', name=op.f('pk_tariff_delivery'))
    )
    op.create_table('charging_order',
    sa.Column('serial', sa.String(length=32), nullable=False, comment='pile 14, gun 2, time 12, counter 4'),
    sa.Column('tenant_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('station_code', sa.String(length=32), nullable=False),
    sa.Column('pile_number', sa.String(length=32), nullable=False),
    sa.Column('gun_no', sa.Integer(), nullable=False),
    sa.Column('customer_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True, comment='none: adopted, nobody known'),
    sa.Column('source', sa.String(length=24), nullable=False),
    sa.Column('created_by', sa.String(length=64), nullable=False, comment='user:7, customer:12, worker …'),
    sa.Column('goal_kind', sa.String(length=24), nullable=False),
    sa.Column('goal_duration_s', sa.Integer(), nullable=True, comment='from the first charging frame'),
    sa.Column('goal_amount_fen', sa.BigInteger(), nullable=True),
    sa.Column('goal_energy_kwh', sa.BigInteger(), nullable=True),
    sa.Column('may_queue', sa.Boolean(), nullable=False),
    sa.Column('state', sa.String(length=24), nullable=False),
    sa.Column('state_since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('deadline_at', sa.DateTime(timezone=True), nullable=True, comment='when life.py must look again by itself'),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('tariff_version_id', sa.String(length=32), nullable=True, comment='frozen at start'),
    sa.Column('covered_energy_kwh', sa.BigInteger(), nullable=True, comment='what the hold pays for'),
    sa.Column('pile_balance_fen', sa.BigInteger(), nullable=True, comment='balance in 0x34'),
    sa.Column('card_number', sa.String(length=32), nullable=True),
    sa.Column('card_request_id', sa.String(length=64), nullable=True),
    sa.Column('vin', sa.String(length=17), nullable=True),
    sa.Column('requested_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('admitted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True, comment='first charging frame, server time'),
    sa.Column('stop_requested_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('end_observed_at', sa.DateTime(timezone=True), nullable=True, comment='when the end was first seen here'),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True, comment='end of charging, server time'),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('request_id', sa.String(length=64), nullable=True, comment='id of the G/request in force'),
    sa.Column('stop_id', sa.String(length=64), nullable=True, comment='id of the G/stop in force'),
    sa.Column('stop_asked_by', sa.String(length=64), nullable=True, comment='rules, user:7, customer:12 …'),
    sa.Column('bridge', sa.String(length=32), nullable=True),
    sa.Column('bridge_started_ms', sa.BigInteger(), nullable=True),
    sa.Column('link', sa.String(length=64), nullable=True),
    sa.Column('cap_kw', sa.BigInteger(), nullable=True, comment='last power cap; none = no cap'),
    sa.Column('verdict_json', sa.Text(), nullable=True, comment="the gate's verdict as it came"),
    sa.Column('refusal_code', sa.String(length=64), nullable=True, comment='evcs.contracts.reasons.Reason'),
    sa.Column('refusal_figures_json', sa.Text(), nullable=True),
    sa.Column('exception_code', sa.String(length=64), nullable=True, comment='why exception or review'),
    sa.Column('stop_reason', sa.String(length=64), nullable=True, comment='ours'),
    sa.Column('stop_code', sa.Integer(), nullable=True, comment="the pile's, raw (YKC V1.6 §9)"),
    sa.Column('stop_class', sa.String(length=24), nullable=True, comment='evcs.contracts.states.StopClass'),
    sa.Column('last_mark_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_mark_energy_kwh', sa.BigInteger(), nullable=True),
    sa.Column('energy_kwh', sa.BigInteger(), nullable=True, comment='billed'),
    sa.Column('electricity_fen', sa.BigInteger(), nullable=False),
    sa.Column('service_fen', sa.BigInteger(), nullable=False),
    sa.Column('occupancy_fen', sa.BigInteger(), nullable=False),
    sa.Column('discount_fen', sa.BigInteger(), nullable=False),
    sa.Column('total_fen', sa.BigInteger(), nullable=False),
    sa.Column('pile_total_fen', sa.BigInteger(), nullable=True, comment="what the pile's own screen said"),
    sa.Column('provisional', sa.Boolean(), nullable=False, comment='settled by marks, no record yet'),
    sa.Column('business_date', sa.Date(), nullable=True, comment='Beijing day of the charging end by server time'),
    sa.CheckConstraint("(goal_kind = 'amount') = (goal_amount_fen IS NOT NULL)", name=op.f('ck_charging_order_goal_amount')),
    sa.CheckConstraint("(goal_kind = 'energy') = (goal_energy_kwh IS NOT NULL)", name=op.f('ck_charging_order_goal_energy')),
    sa.CheckConstraint("(goal_kind = 'time') = (goal_duration_s IS NOT NULL)", name=op.f('ck_charging_order_goal_time')),
    sa.CheckConstraint("goal_kind IN ('full', 'time', 'amount', 'energy')", name=op.f('ck_charging_order_goal_kind')),
    sa.CheckConstraint("source IN ('app', 'card', 'offline_card', 'vin', 'platform', 'partner')", name=op.f('ck_charging_order_source')),
    sa.CheckConstraint("state IN ('holding', 'queued', 'commanded', 'starting', 'charging', 'stopping', 'ended', 'settled', 'refused', 'start_failed', 'cancelled', 'exception', 'review', 'refunded')", name=op.f('ck_charging_order_state')),
    sa.CheckConstraint('electricity_fen >= 0 AND service_fen >= 0 AND occupancy_fen >= 0 AND discount_fen >= 0', name=op.f('ck_charging_order_amounts')),
    sa.CheckConstraint('length(serial) = 32', name=op.f('ck_charging_order_serial')),
    sa.CheckConstraint('total_fen = electricity_fen + service_fen + occupancy_fen - discount_fen', name=op.f('ck_charging_order_total')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_charging_order_customer_id')),
    sa.ForeignKeyConstraint(['pile_number', 'gun_no'], ['gun.pile_number', 'gun.no'], name=op.f('fk_charging_order_pile_number_gun_no')),
    sa.ForeignKeyConstraint(['pile_number'], ['pile.number'], name=op.f('fk_charging_order_pile_number')),
    sa.ForeignKeyConstraint(['station_code'], ['station.code'], name=op.f('fk_charging_order_station_code')),
    sa.ForeignKeyConstraint(['tariff_version_id'], ['tariff_version.id'], name=op.f('fk_charging_order_tariff_version_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenant.id'], name=op.f('fk_charging_order_tenant_id')),
    sa.PrimaryKeyConstraint('serial', name=op.f('pk_charging_order'))
    )
    with op.batch_alter_table('charging_order', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_charging_order_customer_id_requested_at_serial'), ['customer_id', 'requested_at', 'serial'], unique=False)
        batch_op.create_index(batch_op.f('ix_charging_order_pile_number_gun_no_state'), ['pile_number', 'gun_no', 'state'], unique=False)
        batch_op.create_index(batch_op.f('ix_charging_order_state_deadline_at'), ['state', 'deadline_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_charging_order_station_code_business_date'), ['station_code', 'business_date'], unique=False)
        batch_op.create_index(batch_op.f('ix_charging_order_station_code_requested_at_serial'), ['station_code', 'requested_at', 'serial'], unique=False)
        batch_op.create_index(batch_op.f('ix_charging_order_tenant_id_requested_at_serial'), ['tenant_id', 'requested_at', 'serial'], unique=False)

    op.create_table('gun_live',
    sa.Column('pile_number', sa.String(length=32), nullable=False),
    sa.Column('gun_no', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('state', sa.String(length=24), nullable=False),
    sa.Column('serial', sa.String(length=32), nullable=True, comment="the session's serial, also a foreign one"),
    sa.Column('plugged', sa.Boolean(), nullable=True),
    sa.Column('fault_bits', sa.BigInteger(), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('login_ms', sa.BigInteger(), nullable=False, comment="with version: the level's age; an older one is ignored"),
    sa.Column('version', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("state IN ('offline', 'idle', 'plugged', 'starting', 'charging', 'finished', 'faulted', 'reserved', 'disabled')", name=op.f('ck_gun_live_state')),
    sa.ForeignKeyConstraint(['pile_number', 'gun_no'], ['gun.pile_number', 'gun.no'], name=op.f('fk_gun_live_pile_number_gun_no')),
    sa.PrimaryKeyConstraint('pile_number', 'gun_no', name=op.f('pk_gun_live'))
    )
    with op.batch_alter_table('gun_live', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_gun_live_state'), ['state'], unique=False)

    op.create_table('bill',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('order_serial', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('route', sa.String(length=24), nullable=False),
    sa.Column('tariff_version_id', sa.String(length=32), nullable=True),
    sa.Column('record_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('energy_kwh', sa.BigInteger(), nullable=False),
    sa.Column('electricity_fen', sa.BigInteger(), nullable=False),
    sa.Column('service_fen', sa.BigInteger(), nullable=False),
    sa.Column('occupancy_fen', sa.BigInteger(), nullable=False),
    sa.Column('discount_fen', sa.BigInteger(), nullable=False),
    sa.Column('discount_code', sa.String(length=32), nullable=True, comment='overshoot …'),
    sa.Column('total_fen', sa.BigInteger(), nullable=False),
    sa.Column('pile_total_fen', sa.BigInteger(), nullable=True),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("kind IN ('provisional', 'final', 'correction', 'decision')", name=op.f('ck_bill_kind')),
    sa.CheckConstraint("route IN ('record', 'marks', 'none')", name=op.f('ck_bill_route')),
    sa.CheckConstraint('total_fen = electricity_fen + service_fen + occupancy_fen - discount_fen', name=op.f('ck_bill_total')),
    sa.ForeignKeyConstraint(['order_serial'], ['charging_order.serial'], name=op.f('fk_bill_order_serial')),
    sa.ForeignKeyConstraint(['record_id'], ['charge_record.id'], name=op.f('fk_bill_record_id')),
    sa.ForeignKeyConstraint(['tariff_version_id'], ['tariff_version.id'], name=op.f('fk_bill_tariff_version_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bill')),
    sa.UniqueConstraint('order_serial', 'kind', name=op.f('uq_bill_order_serial_kind'))
    )
    op.create_table('hold',
    sa.Column('order_serial', sa.String(length=32), nullable=False),
    sa.Column('customer_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('placed_fen', sa.BigInteger(), nullable=False, comment='all that was ever held for the order'),
    sa.Column('captured_fen', sa.BigInteger(), nullable=False),
    sa.Column('released_fen', sa.BigInteger(), nullable=False),
    sa.Column('extensions', sa.Integer(), nullable=False, comment='how often it was lengthened; numbers the postings'),
    sa.Column('state', sa.String(length=24), nullable=False),
    sa.Column('placed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(state = 'open') OR (captured_fen + released_fen = placed_fen)", name=op.f('ck_hold_closed')),
    sa.CheckConstraint("state IN ('open', 'captured', 'released')", name=op.f('ck_hold_state')),
    sa.CheckConstraint('captured_fen + released_fen <= placed_fen', name=op.f('ck_hold_rest')),
    sa.CheckConstraint('placed_fen > 0 AND captured_fen >= 0 AND released_fen >= 0', name=op.f('ck_hold_amounts')),
    sa.ForeignKeyConstraint(['customer_id'], ['wallet.customer_id'], name=op.f('fk_hold_customer_id')),
    sa.ForeignKeyConstraint(['order_serial'], ['charging_order.serial'], name=op.f('fk_hold_order_serial')),
    sa.PrimaryKeyConstraint('order_serial', name=op.f('pk_hold'))
    )
    with op.batch_alter_table('hold', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_hold_customer_id_state'), ['customer_id', 'state'], unique=False)

    op.create_table('ledger_transaction',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('tenant_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('key', sa.String(length=120), nullable=False),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('posting_date', sa.Date(), nullable=False, comment='Beijing day on which it was made'),
    sa.Column('customer_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('order_serial', sa.String(length=32), nullable=True),
    sa.Column('note', sa.String(length=200), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_by', sa.String(length=64), nullable=False, comment='user:7, customer:12, worker …'),
    sa.CheckConstraint("kind IN ('recharge', 'hold', 'extend_hold', 'release', 'settlement', 'correction', 'decision', 'debt_paid')", name=op.f('ck_ledger_transaction_kind')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_ledger_transaction_customer_id')),
    sa.ForeignKeyConstraint(['id'], ['ledger_seal.transaction_id'], name=op.f('fk_ledger_transaction_id'), initially='DEFERRED', deferrable=True),
    sa.ForeignKeyConstraint(['order_serial'], ['charging_order.serial'], name=op.f('fk_ledger_transaction_order_serial')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenant.id'], name=op.f('fk_ledger_transaction_tenant_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ledger_transaction')),
    sa.UniqueConstraint('key', name=op.f('uq_ledger_transaction_key')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('ledger_transaction', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ledger_transaction_customer_id_id'), ['customer_id', 'id'], unique=False)
        batch_op.create_index(batch_op.f('ix_ledger_transaction_order_serial'), ['order_serial'], unique=False)
        batch_op.create_index(batch_op.f('ix_ledger_transaction_tenant_id_posting_date_id'), ['tenant_id', 'posting_date', 'id'], unique=False)

    op.create_table('order_mark',
    sa.Column('order_serial', sa.String(length=32), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False, comment='receive time at the bridge'),
    sa.Column('energy_kwh', sa.BigInteger(), nullable=False, comment='of the session so far'),
    sa.Column('register_kwh', sa.BigInteger(), nullable=True, comment='total of the meter, where given'),
    sa.Column('why', sa.String(length=24), nullable=False),
    sa.CheckConstraint("why IN ('begin', 'half_hour', 'periodic', 'end', 'link_lost')", name=op.f('ck_order_mark_why')),
    sa.ForeignKeyConstraint(['order_serial'], ['charging_order.serial'], name=op.f('fk_order_mark_order_serial')),
    sa.PrimaryKeyConstraint('order_serial', 'at', name=op.f('pk_order_mark'))
    )
    op.create_table('bill_line',
    sa.Column('bill_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('band', sa.String(length=24), nullable=False),
    sa.Column('energy_kwh', sa.BigInteger(), nullable=False, comment='billed (with 计损 where used)'),
    sa.Column('metered_kwh', sa.BigInteger(), nullable=False, comment='without 计损'),
    sa.Column('energy_price_e5', sa.Integer(), nullable=False),
    sa.Column('service_price_e5', sa.Integer(), nullable=False),
    sa.Column('electricity_fen', sa.BigInteger(), nullable=False),
    sa.Column('service_fen', sa.BigInteger(), nullable=False),
    sa.CheckConstraint("band IN ('sharp', 'peak', 'flat', 'valley', 'deep_valley')", name=op.f('ck_bill_line_band')),
    sa.ForeignKeyConstraint(['bill_id'], ['bill.id'], name=op.f('fk_bill_line_bill_id')),
    sa.PrimaryKeyConstraint('bill_id', 'band', name=op.f('pk_bill_line'))
    )
    op.create_table('ledger_entry',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('transaction_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('account_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('amount_fen', sa.BigInteger(), nullable=False),
    sa.CheckConstraint('amount_fen <> 0', name=op.f('ck_ledger_entry_amount')),
    sa.ForeignKeyConstraint(['account_id'], ['ledger_account.id'], name=op.f('fk_ledger_entry_account_id')),
    sa.ForeignKeyConstraint(['transaction_id'], ['ledger_transaction.id'], name=op.f('fk_ledger_entry_transaction_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ledger_entry')),
    sa.UniqueConstraint('transaction_id', 'account_id', name=op.f('uq_ledger_entry_transaction_id_account_id')),
    sqlite_autoincrement=True
    )
    with op.batch_alter_table('ledger_entry', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ledger_entry_account_id_id'), ['account_id', 'id'], unique=False)

    op.create_table('recharge',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('tenant_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('customer_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('channel', sa.String(length=16), nullable=False, comment='manual, wechat, alipay'),
    sa.Column('number', sa.String(length=64), nullable=False),
    sa.Column('amount_fen', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('voucher', sa.String(length=100), nullable=True),
    sa.Column('paid_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_by', sa.String(length=64), nullable=False),
    sa.Column('transaction_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint('amount_fen > 0', name=op.f('ck_recharge_amount')),
    sa.ForeignKeyConstraint(['customer_id'], ['customer.id'], name=op.f('fk_recharge_customer_id')),
    sa.ForeignKeyConstraint(['tenant_id'], ['tenant.id'], name=op.f('fk_recharge_tenant_id')),
    sa.ForeignKeyConstraint(['transaction_id'], ['ledger_transaction.id'], name=op.f('fk_recharge_transaction_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recharge')),
    sa.UniqueConstraint('tenant_id', 'channel', 'number', name=op.f('uq_recharge_tenant_id_channel_number'))
    )
    with op.batch_alter_table('recharge', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_recharge_customer_id_paid_at_id'), ['customer_id', 'paid_at', 'id'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('recharge', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_recharge_customer_id_paid_at_id'))

    op.drop_table('recharge')
    with op.batch_alter_table('ledger_entry', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_ledger_entry_account_id_id'))

    op.drop_table('ledger_entry')
    op.drop_table('bill_line')
    op.drop_table('order_mark')
    with op.batch_alter_table('ledger_transaction', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_ledger_transaction_tenant_id_posting_date_id'))
        batch_op.drop_index(batch_op.f('ix_ledger_transaction_order_serial'))
        batch_op.drop_index(batch_op.f('ix_ledger_transaction_customer_id_id'))

    op.drop_table('ledger_transaction')
    with op.batch_alter_table('hold', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_hold_customer_id_state'))

    op.drop_table('hold')
    op.drop_table('bill')
    with op.batch_alter_table('gun_live', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_gun_live_state'))

    op.drop_table('gun_live')
    with op.batch_alter_table('charging_order', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_charging_order_tenant_id_requested_at_serial'))
        batch_op.drop_index(batch_op.f('ix_charging_order_station_code_requested_at_serial'))
        batch_op.drop_index(batch_op.f('ix_charging_order_station_code_business_date'))
        batch_op.drop_index(batch_op.f('ix_charging_order_state_deadline_at'))
        batch_op.drop_index(batch_op.f('ix_charging_order_pile_number_gun_no_state'))
        batch_op.drop_index(batch_op.f('ix_charging_order_customer_id_requested_at_serial'))

    op.drop_table('charging_order')
    op.drop_table('tariff_delivery')
    op.drop_table('pile_live')
    with op.batch_alter_table('ledger_account', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_ledger_account_customer_id_kind'))

    op.drop_table('ledger_account')
    op.drop_table('gun')
    op.drop_table('wallet')
    op.drop_table('tariff_price')
    with op.batch_alter_table('pile', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_pile_transformer_code'))
        batch_op.drop_index(batch_op.f('ix_pile_station_code'))

    op.drop_table('pile')
    with op.batch_alter_table('api_token', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_api_token_user_id'))
        batch_op.drop_index(batch_op.f('ix_api_token_customer_id'))

    op.drop_table('api_token')
    with op.batch_alter_table('user_station', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_user_station_station_code'))

    op.drop_table('user_station')
    with op.batch_alter_table('user_session', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_user_session_user_id'))

    op.drop_table('user_session')
    with op.batch_alter_table('transformer', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_transformer_station_code'))

    op.drop_table('transformer')
    with op.batch_alter_table('tariff_version', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_tariff_version_tariff_id'))

    op.drop_table('tariff_version')
    with op.batch_alter_table('customer', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_customer_tenant_id_phone'))
        batch_op.drop_index(batch_op.f('ix_customer_tenant_id_opened_at_id'))

    op.drop_table('customer')
    with op.batch_alter_table('alarm', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_alarm_station_code_cleared_at_raised_at'))

    op.drop_table('alarm')
    with op.batch_alter_table('tariff', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_tariff_tenant_id'))

    op.drop_table('tariff')
    with op.batch_alter_table('station', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_station_tenant_id_code'))
        batch_op.drop_index(batch_op.f('ix_station_shard'))

    op.drop_table('station')
    with op.batch_alter_table('console_user', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_console_user_tenant_id'))

    op.drop_table('console_user')
    with op.batch_alter_table('audit', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_audit_tenant_id_at_id'))
        batch_op.drop_index(batch_op.f('ix_audit_station_code'))
        batch_op.drop_index(batch_op.f('ix_audit_object_kind_object_id_id'))

    op.drop_table('audit')
    op.drop_table('tenant')
    with op.batch_alter_table('sign_in_attempt', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sign_in_attempt_identity_at'))
        batch_op.drop_index(batch_op.f('ix_sign_in_attempt_address_at'))

    op.drop_table('sign_in_attempt')
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_outbox_published_at'))
        batch_op.drop_index('ix_outbox_pending', sqlite_where=sa.text('published_at IS NULL'), postgresql_where=sa.text('published_at IS NULL'))

    op.drop_table('outbox')
    op.drop_table('ledger_seal')
    with op.batch_alter_table('idempotency_key', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_idempotency_key_created_at'))

    op.drop_table('idempotency_key')
    with op.batch_alter_table('handled_event', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_handled_event_handled_at'))

    op.drop_table('handled_event')
    with op.batch_alter_table('charge_record', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_charge_record_verdict_received_at_id'))
        batch_op.drop_index(batch_op.f('ix_charge_record_pile_number_gun_no_received_at'))
        batch_op.drop_index(batch_op.f('ix_charge_record_confirm_sent_at'))

    op.drop_table('charge_record')
    op.drop_table('bridge_live')
