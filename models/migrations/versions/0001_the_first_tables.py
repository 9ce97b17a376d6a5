"""The first tables"""

import sqlalchemy as sa
from alembic import op

import models.base
from models.triggers import create_triggers

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('access_log',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('actor', sa.String(length=400), nullable=False),
    sa.Column('method', sa.String(length=24), nullable=False),
    sa.Column('path', sa.Text(), nullable=False),
    sa.Column('token_id', sa.String(length=80), nullable=True),
    sa.Column('address', sa.String(length=400), nullable=True),
    sa.Column('agent', sa.Text(), nullable=True),
    sa.Column('maybe_scanner', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_access_log'))
    )
    with op.batch_alter_table('access_log', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_access_log_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_access_log_token_id'), ['token_id'], unique=False)

    op.create_table('agency',
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=400), nullable=False),
    sa.Column('formal_name', sa.String(length=400), nullable=True),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('code', sa.String(length=24), nullable=True),
    sa.Column('valid_from', sa.Date(), nullable=True),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('letters', sa.Boolean(), nullable=False),
    sa.Column('pilot', sa.Boolean(), nullable=False),
    sa.Column('certainty', sa.String(length=24), nullable=False),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("certainty IN ('GENERAL', 'SEEN', 'UNSURE')", name=op.f('ck_agency_certainty')),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_agency'))
    )
    op.create_table('agency_group',
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=400), nullable=False),
    sa.Column('letters', sa.Boolean(), nullable=False),
    sa.Column('certainty', sa.String(length=24), nullable=False),
    sa.Column('note', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_agency_group'))
    )
    op.create_table('checkpoint',
    sa.Column('size', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('root', sa.LargeBinary(length=32), nullable=False),
    sa.Column('at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('note', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('size', name=op.f('pk_checkpoint'))
    )
    op.create_table('database_fact',
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('updated_at', models.base.Instant(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_database_fact'))
    )
    op.create_table('day',
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('working', sa.Boolean(), nullable=False),
    sa.Column('name', sa.String(length=400), nullable=False),
    sa.Column('source', sa.String(length=24), nullable=False),
    sa.Column('document', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('day', name=op.f('pk_day'))
    )
    op.create_table('event',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('effective_on', sa.Date(), nullable=False),
    sa.Column('entity', sa.String(length=24), nullable=False),
    sa.Column('entity_id', sa.String(length=80), nullable=False),
    sa.Column('action', sa.String(length=24), nullable=False),
    sa.Column('plan_key', sa.String(length=80), nullable=True),
    sa.Column('item_key', sa.String(length=80), nullable=True),
    sa.Column('period_key', sa.String(length=24), nullable=True),
    sa.Column('agency_key', sa.String(length=80), nullable=True),
    sa.Column('actor_kind', sa.String(length=24), nullable=False),
    sa.Column('actor_name', sa.String(length=400), nullable=False),
    sa.Column('actor_post', sa.String(length=400), nullable=True),
    sa.Column('actor_account', sa.String(length=400), nullable=True),
    sa.Column('actor_mailbox', sa.String(length=400), nullable=True),
    sa.Column('actor_agency', sa.String(length=80), nullable=True),
    sa.Column('on_behalf_of', sa.String(length=80), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('document', sa.String(length=400), nullable=True),
    sa.Column('run', sa.String(length=400), nullable=True),
    sa.Column('address', sa.String(length=400), nullable=True),
    sa.Column('snapshot', sa.Text(), nullable=False),
    sa.Column('canonical_version', sa.Integer(), nullable=False),
    sa.Column('digest', sa.LargeBinary(length=32), nullable=False),
    sa.CheckConstraint("actor_kind IN ('flow', 'mailbox', 'operator', 'person')", name=op.f('ck_event_actor_kind')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_event'))
    )
    with op.batch_alter_table('event', schema=None) as batch_op:
        batch_op.create_index('ix_event_at', ['at'], unique=False)
        batch_op.create_index('ix_event_entity', ['entity', 'entity_id', 'at'], unique=False)

    op.create_table('mailbox',
    sa.Column('address', sa.String(length=400), nullable=False),
    sa.Column('state', sa.String(length=24), nullable=False),
    sa.Column('answer', sa.Text(), nullable=True),
    sa.Column('updated_at', models.base.Instant(timezone=True), nullable=False),
    sa.CheckConstraint("state IN ('ok', 'undeliverable')", name=op.f('ck_mailbox_state')),
    sa.PrimaryKeyConstraint('address', name=op.f('pk_mailbox'))
    )
    op.create_table('plan',
    sa.Column('key', sa.String(length=80), nullable=False),
    sa.Column('current_version', sa.Integer(), nullable=False),
    sa.Column('tracking_start', sa.Date(), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_plan'))
    )
    op.create_table('run_log',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('run', sa.String(length=400), nullable=True),
    sa.Column('job', sa.String(length=24), nullable=False),
    sa.Column('plan_key', sa.String(length=80), nullable=True),
    sa.Column('item_key', sa.String(length=80), nullable=True),
    sa.Column('as_of', sa.Date(), nullable=False),
    sa.Column('started_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('finished_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('state', sa.String(length=400), nullable=False),
    sa.Column('figures', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_run_log'))
    )
    with op.batch_alter_table('run_log', schema=None) as batch_op:
        batch_op.create_index('ix_run_log_job_as_of', ['job', 'item_key', 'as_of'], unique=False)

    op.create_table('stored_file',
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('size', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('media_type', sa.String(length=400), nullable=False),
    sa.Column('stored_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('quarantined_at', models.base.Instant(timezone=True), nullable=True),
    sa.Column('quarantine_reason', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('sha256', name=op.f('pk_stored_file'))
    )
    op.create_table('account',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('username', sa.String(length=80), nullable=False),
    sa.Column('name', sa.String(length=400), nullable=False),
    sa.Column('post', sa.String(length=400), nullable=True),
    sa.Column('email', sa.String(length=400), nullable=True),
    sa.Column('agency_key', sa.String(length=80), nullable=True),
    sa.Column('role', sa.String(length=24), nullable=False),
    sa.Column('password_hash', sa.String(length=400), nullable=True),
    sa.Column('totp_secret', sa.String(length=400), nullable=True),
    sa.Column('basis', sa.String(length=400), nullable=True),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('locked_until', models.base.Instant(timezone=True), nullable=True),
    sa.Column('last_login_at', models.base.Instant(timezone=True), nullable=True),
    sa.Column('enabled_at', models.base.Instant(timezone=True), nullable=True),
    sa.Column('session_epoch', sa.Integer(), nullable=False),
    sa.Column('created_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("role IN ('admin', 'agency', 'auditor', 'coordinator', 'leadership')", name=op.f('ck_account_role')),
    sa.ForeignKeyConstraint(['agency_key'], ['agency.key'], name=op.f('fk_account_agency_key_agency')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_account')),
    sa.UniqueConstraint('username', name=op.f('uq_account_username'))
    )
    op.create_table('contact',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('agency_key', sa.String(length=80), nullable=False),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('name', sa.String(length=400), nullable=True),
    sa.Column('post', sa.String(length=400), nullable=True),
    sa.Column('email', sa.String(length=400), nullable=True),
    sa.Column('phone', sa.String(length=400), nullable=True),
    sa.Column('sample', sa.Boolean(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('updated_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("kind IN ('deputy', 'focal', 'head', 'mailbox', 'registry')", name=op.f('ck_contact_kind')),
    sa.ForeignKeyConstraint(['agency_key'], ['agency.key'], name=op.f('fk_contact_agency_key_agency')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_contact'))
    )
    with op.batch_alter_table('contact', schema=None) as batch_op:
        batch_op.create_index('ix_contact_agency_key_kind', ['agency_key', 'kind'], unique=False)

    op.create_table('group_member',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('group_key', sa.String(length=80), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('ref', sa.String(length=80), nullable=False),
    sa.Column('valid_from', sa.Date(), nullable=True),
    sa.Column('valid_to', sa.Date(), nullable=True),
    sa.ForeignKeyConstraint(['group_key'], ['agency_group.key'], name=op.f('fk_group_member_group_key_agency_group')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_group_member'))
    )
    with op.batch_alter_table('group_member', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_group_member_group_key'), ['group_key'], unique=False)

    op.create_table('letter',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('key', sa.String(length=400), nullable=False),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('mailbox', sa.String(length=400), nullable=False),
    sa.Column('agency_key', sa.String(length=80), nullable=True),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('state', sa.String(length=24), nullable=False),
    sa.Column('held_reason', sa.String(length=400), nullable=True),
    sa.Column('payload', sa.Text(), nullable=False),
    sa.Column('queued_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('claimed_by', sa.String(length=400), nullable=True),
    sa.Column('claimed_at', models.base.Instant(timezone=True), nullable=True),
    sa.Column('sending_at', models.base.Instant(timezone=True), nullable=True),
    sa.Column('sent_at', models.base.Instant(timezone=True), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('next_attempt_at', models.base.Instant(timezone=True), nullable=True),
    sa.Column('answer', sa.Text(), nullable=True),
    sa.Column('message_id', sa.String(length=400), nullable=False),
    sa.Column('subject', sa.Text(), nullable=True),
    sa.Column('body_text', sa.Text(), nullable=True),
    sa.Column('body_html', sa.Text(), nullable=True),
    sa.Column('ics', sa.Text(), nullable=True),
    sa.Column('run', sa.String(length=400), nullable=True),
    sa.CheckConstraint("state IN ('claimed', 'dropped', 'held', 'queued', 'retrying', 'sending', 'sent', 'superseded', 'undeliverable', 'unknown')", name=op.f('ck_letter_state')),
    sa.ForeignKeyConstraint(['agency_key'], ['agency.key'], name=op.f('fk_letter_agency_key_agency')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_letter')),
    sa.UniqueConstraint('key', name=op.f('uq_letter_key'))
    )
    with op.batch_alter_table('letter', schema=None) as batch_op:
        batch_op.create_index('ix_letter_mailbox_day', ['mailbox', 'day'], unique=False)
        batch_op.create_index('ix_letter_work', ['state', 'next_attempt_at'], unique=False, sqlite_where=sa.text("state IN ('queued', 'claimed', 'sending', 'retrying')"), postgresql_where=sa.text("state IN ('queued', 'claimed', 'sending', 'retrying')"))

    op.create_table('log_leaf',
    sa.Column('index', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('event_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('digest', sa.LargeBinary(length=32), nullable=False),
    sa.ForeignKeyConstraint(['event_id'], ['event.id'], name=op.f('fk_log_leaf_event_id_event')),
    sa.PrimaryKeyConstraint('index', name=op.f('pk_log_leaf')),
    sa.UniqueConstraint('event_id', name=op.f('uq_log_leaf_event_id'))
    )
    op.create_table('log_pending',
    sa.Column('event_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['event_id'], ['event.id'], name=op.f('fk_log_pending_event_id_event')),
    sa.PrimaryKeyConstraint('event_id', name=op.f('pk_log_pending'))
    )
    op.create_table('occurrence',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('plan_key', sa.String(length=80), nullable=False),
    sa.Column('plan_version', sa.Integer(), nullable=False),
    sa.Column('item_key', sa.String(length=80), nullable=False),
    sa.Column('period_key', sa.String(length=24), nullable=False),
    sa.Column('period_first', sa.Date(), nullable=False),
    sa.Column('period_last', sa.Date(), nullable=False),
    sa.Column('opens_on', sa.Date(), nullable=False),
    sa.Column('nominal_due_on', sa.Date(), nullable=False),
    sa.Column('original_due_on', sa.Date(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('mode', sa.String(length=24), nullable=False),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('lead_mode', sa.String(length=24), nullable=False),
    sa.Column('confirmation', sa.String(length=24), nullable=False),
    sa.Column('ladder', sa.String(length=80), nullable=False),
    sa.Column('milestone', sa.String(length=24), nullable=True),
    sa.Column('opened_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('touched', sa.Boolean(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("confirmation IN ('accept', 'required')", name=op.f('ck_occurrence_confirmation')),
    sa.CheckConstraint("due_on >= opens_on OR mode = 'imported'", name=op.f('ck_occurrence_due_after_opening')),
    sa.CheckConstraint("kind IN ('check_in', 'task')", name=op.f('ck_occurrence_kind')),
    sa.CheckConstraint("lead_mode IN ('each', 'joint', 'joint_or_separate', 'single')", name=op.f('ck_occurrence_lead_mode')),
    sa.CheckConstraint("mode IN ('full', 'imported', 'record')", name=op.f('ck_occurrence_mode')),
    sa.ForeignKeyConstraint(['plan_key'], ['plan.key'], name=op.f('fk_occurrence_plan_key_plan')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_occurrence')),
    sa.UniqueConstraint('plan_key', 'item_key', 'period_key', name=op.f('uq_occurrence_plan_key_item_key_period_key'))
    )
    op.create_table('period_date',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('plan_key', sa.String(length=80), nullable=False),
    sa.Column('item_key', sa.String(length=80), nullable=False),
    sa.Column('period_key', sa.String(length=24), nullable=False),
    sa.Column('opens_on', sa.Date(), nullable=True),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('authority', sa.String(length=24), nullable=False),
    sa.Column('document_code', sa.String(length=400), nullable=False),
    sa.Column('document_issued_on', sa.Date(), nullable=True),
    sa.Column('set_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('set_by', sa.String(length=400), nullable=False),
    sa.CheckConstraint("authority IN ('coordinator', 'ministry', 'province', 'provisional')", name=op.f('ck_period_date_authority')),
    sa.ForeignKeyConstraint(['plan_key'], ['plan.key'], name=op.f('fk_period_date_plan_key_plan')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_period_date')),
    sa.UniqueConstraint('plan_key', 'item_key', 'period_key', name=op.f('uq_period_date_plan_key_item_key_period_key'))
    )
    op.create_table('plan_version',
    sa.Column('plan_key', sa.String(length=80), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('effective_from', sa.Date(), nullable=False),
    sa.Column('content', sa.Text(), nullable=False),
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('applied_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('applied_by', sa.String(length=400), nullable=False),
    sa.ForeignKeyConstraint(['plan_key'], ['plan.key'], name=op.f('fk_plan_version_plan_key_plan')),
    sa.PrimaryKeyConstraint('plan_key', 'version', name=op.f('pk_plan_version'))
    )
    op.create_table('succession',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('predecessor', sa.String(length=80), nullable=False),
    sa.Column('successor', sa.String(length=80), nullable=True),
    sa.Column('effective_on', sa.Date(), nullable=False),
    sa.Column('document', sa.Text(), nullable=True),
    sa.Column('items', sa.Text(), nullable=False),
    sa.Column('certainty', sa.String(length=24), nullable=False),
    sa.Column('note', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['predecessor'], ['agency.key'], name=op.f('fk_succession_predecessor_agency')),
    sa.ForeignKeyConstraint(['successor'], ['agency.key'], name=op.f('fk_succession_successor_agency')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_succession')),
    sa.UniqueConstraint('predecessor', 'successor', 'effective_on', name=op.f('uq_succession_predecessor_successor_effective_on'))
    )
    op.create_table('assignment',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('occurrence_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('agency_key', sa.String(length=80), nullable=False),
    sa.Column('agency_name', sa.String(length=400), nullable=False),
    sa.Column('role', sa.String(length=24), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('status', sa.String(length=24), nullable=False),
    sa.Column('status_before', sa.String(length=24), nullable=True),
    sa.Column('nominal_due_on', sa.Date(), nullable=False),
    sa.Column('original_due_on', sa.Date(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('authority', sa.String(length=24), nullable=False),
    sa.Column('document_code', sa.String(length=400), nullable=True),
    sa.Column('respond_by', sa.Date(), nullable=True),
    sa.Column('request_text', sa.Text(), nullable=True),
    sa.Column('request_form', sa.String(length=400), nullable=True),
    sa.Column('request_document', sa.String(length=400), nullable=True),
    sa.Column('requested_by', sa.String(length=80), nullable=True),
    sa.Column('suspended_on', sa.Date(), nullable=True),
    sa.Column('submitted_at', models.base.Instant(timezone=True), nullable=True),
    sa.Column('submitted_on', sa.Date(), nullable=True),
    sa.Column('submitted_by', sa.String(length=400), nullable=True),
    sa.Column('completed_on', sa.Date(), nullable=True),
    sa.Column('late_entry', sa.Boolean(), nullable=False),
    sa.Column('confirmed_at', models.base.Instant(timezone=True), nullable=True),
    sa.Column('confirmed_on', sa.Date(), nullable=True),
    sa.Column('confirmed_by', sa.String(length=400), nullable=True),
    sa.Column('self_confirmed', sa.Boolean(), nullable=False),
    sa.Column('sampled', sa.Boolean(), nullable=False),
    sa.Column('extensions', sa.Integer(), nullable=False),
    sa.Column('returns', sa.Integer(), nullable=False),
    sa.Column('covered_by_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('successor_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('handler', sa.String(length=400), nullable=True),
    sa.Column('last_rung', sa.Integer(), nullable=True),
    sa.Column('next_reminder_on', sa.Date(), nullable=True),
    sa.Column('updated_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('updated_by', sa.String(length=400), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("(role = 'lead' AND status IN ('awaiting_issuance', 'cancelled', 'confirmed', 'covered', 'in_progress', 'lapsed', 'not_applicable', 'not_started', 'submitted', 'suspended', 'transferred')) OR (role = 'partner' AND status IN ('cancelled', 'contributed', 'dormant', 'not_needed', 'requested', 'transferred', 'unanswered'))", name=op.f('ck_assignment_status_of_role')),
    sa.CheckConstraint("authority IN ('coordinator', 'ministry', 'province', 'provisional')", name=op.f('ck_assignment_authority')),
    sa.CheckConstraint("next_reminder_on IS NULL OR status IN ('not_started', 'in_progress', 'awaiting_issuance', 'requested')", name=op.f('ck_assignment_reminds_open_work_only')),
    sa.CheckConstraint("role IN ('lead', 'partner')", name=op.f('ck_assignment_role')),
    sa.CheckConstraint("status IN ('awaiting_issuance', 'cancelled', 'confirmed', 'contributed', 'covered', 'dormant', 'in_progress', 'lapsed', 'not_applicable', 'not_needed', 'not_started', 'requested', 'submitted', 'suspended', 'transferred', 'unanswered')", name=op.f('ck_assignment_status')),
    sa.CheckConstraint('round >= 1 AND extensions >= 0 AND version >= 1', name=op.f('ck_assignment_counts')),
    sa.ForeignKeyConstraint(['agency_key'], ['agency.key'], name=op.f('fk_assignment_agency_key_agency')),
    sa.ForeignKeyConstraint(['covered_by_id'], ['assignment.id'], name=op.f('fk_assignment_covered_by_id_assignment')),
    sa.ForeignKeyConstraint(['occurrence_id'], ['occurrence.id'], name=op.f('fk_assignment_occurrence_id_occurrence')),
    sa.ForeignKeyConstraint(['successor_id'], ['assignment.id'], name=op.f('fk_assignment_successor_id_assignment')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_assignment')),
    sa.UniqueConstraint('occurrence_id', 'agency_key', 'role', name=op.f('uq_assignment_occurrence_id_agency_key_role'))
    )
    with op.batch_alter_table('assignment', schema=None) as batch_op:
        batch_op.create_index('ix_assignment_agency_key_status', ['agency_key', 'status'], unique=False)
        batch_op.create_index('ix_assignment_next_reminder_on', ['next_reminder_on'], unique=False, sqlite_where=sa.text('next_reminder_on IS NOT NULL'), postgresql_where=sa.text('next_reminder_on IS NOT NULL'))
        batch_op.create_index('ix_assignment_status_due_on', ['status', 'due_on'], unique=False)

    op.create_table('link_token',
    sa.Column('id', sa.String(length=80), nullable=False),
    sa.Column('mailbox', sa.String(length=400), nullable=False),
    sa.Column('agency_key', sa.String(length=80), nullable=False),
    sa.Column('purpose', sa.String(length=24), nullable=False),
    sa.Column('letter_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('issued_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('expires_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('revoked_at', models.base.Instant(timezone=True), nullable=True),
    sa.Column('first_post_at', models.base.Instant(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['agency_key'], ['agency.key'], name=op.f('fk_link_token_agency_key_agency')),
    sa.ForeignKeyConstraint(['letter_id'], ['letter.id'], name=op.f('fk_link_token_letter_id_letter')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_link_token'))
    )
    with op.batch_alter_table('link_token', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_link_token_letter_id'), ['letter_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_link_token_mailbox'), ['mailbox'], unique=False)

    op.create_table('extension_request',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('assignment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('asked_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('asked_on', sa.Date(), nullable=False),
    sa.Column('asked_by', sa.String(length=400), nullable=False),
    sa.Column('asked_name', sa.String(length=400), nullable=False),
    sa.Column('requested_due_on', sa.Date(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('explanation', sa.Text(), nullable=True),
    sa.Column('asked_overdue', sa.Boolean(), nullable=False),
    sa.Column('state', sa.String(length=24), nullable=False),
    sa.Column('proposed_by', sa.String(length=400), nullable=True),
    sa.Column('decided_at', models.base.Instant(timezone=True), nullable=True),
    sa.Column('decided_by', sa.String(length=400), nullable=True),
    sa.Column('decision_reason', sa.Text(), nullable=True),
    sa.Column('cap_reason', sa.Text(), nullable=True),
    sa.Column('granted_due_on', sa.Date(), nullable=True),
    sa.Column('document_code', sa.String(length=400), nullable=True),
    sa.CheckConstraint("state IN ('asked', 'granted', 'proposed', 'refused', 'withdrawn')", name=op.f('ck_extension_request_state')),
    sa.ForeignKeyConstraint(['assignment_id'], ['assignment.id'], name=op.f('fk_extension_request_assignment_id_assignment')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_extension_request'))
    )
    with op.batch_alter_table('extension_request', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_extension_request_assignment_id'), ['assignment_id'], unique=False)
        batch_op.create_index('uq_extension_request_open', ['assignment_id'], unique=True, sqlite_where=sa.text("state IN ('asked', 'proposed')"), postgresql_where=sa.text("state IN ('asked', 'proposed')"))

    op.create_table('notice',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('assignment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('agency_key', sa.String(length=80), nullable=False),
    sa.Column('audience', sa.String(length=24), nullable=False),
    sa.Column('at_once', sa.Boolean(), nullable=False),
    sa.Column('to_address', sa.String(length=400), nullable=True),
    sa.Column('payload', sa.Text(), nullable=False),
    sa.Column('created_on', sa.Date(), nullable=False),
    sa.Column('created_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('letter_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('void', sa.Boolean(), nullable=False),
    sa.CheckConstraint("audience IN ('coordinator', 'focal', 'head', 'mailbox')", name=op.f('ck_notice_audience')),
    sa.ForeignKeyConstraint(['agency_key'], ['agency.key'], name=op.f('fk_notice_agency_key_agency')),
    sa.ForeignKeyConstraint(['assignment_id'], ['assignment.id'], name=op.f('fk_notice_assignment_id_assignment')),
    sa.ForeignKeyConstraint(['letter_id'], ['letter.id'], name=op.f('fk_notice_letter_id_letter')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notice'))
    )
    with op.batch_alter_table('notice', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_notice_assignment_id'), ['assignment_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_notice_letter_id'), ['letter_id'], unique=False)
        batch_op.create_index('ix_notice_pending', ['created_on'], unique=False, sqlite_where=sa.text('letter_id IS NULL AND void = 0'), postgresql_where=sa.text('letter_id IS NULL AND NOT void'))

    op.create_table('obstacle',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('assignment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('agency_key', sa.String(length=80), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('raised_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('raised_by', sa.String(length=400), nullable=False),
    sa.Column('state', sa.String(length=24), nullable=False),
    sa.Column('answer', sa.Text(), nullable=True),
    sa.Column('answered_at', models.base.Instant(timezone=True), nullable=True),
    sa.Column('answered_by', sa.String(length=400), nullable=True),
    sa.Column('answer_document', sa.String(length=400), nullable=True),
    sa.Column('document_code', sa.String(length=400), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("state IN ('answered', 'closed', 'consolidated', 'raised')", name=op.f('ck_obstacle_state')),
    sa.ForeignKeyConstraint(['agency_key'], ['agency.key'], name=op.f('fk_obstacle_agency_key_agency')),
    sa.ForeignKeyConstraint(['assignment_id'], ['assignment.id'], name=op.f('fk_obstacle_assignment_id_assignment')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_obstacle'))
    )
    with op.batch_alter_table('obstacle', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_obstacle_agency_key'), ['agency_key'], unique=False)
        batch_op.create_index(batch_op.f('ix_obstacle_assignment_id'), ['assignment_id'], unique=False)

    op.create_table('proposal',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('assignment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('action', sa.String(length=24), nullable=False),
    sa.Column('payload', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('proposed_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('proposed_by', sa.String(length=400), nullable=False),
    sa.Column('state', sa.String(length=24), nullable=False),
    sa.Column('decided_at', models.base.Instant(timezone=True), nullable=True),
    sa.Column('decided_by', sa.String(length=400), nullable=True),
    sa.Column('decision_reason', sa.Text(), nullable=True),
    sa.CheckConstraint("state IN ('approved', 'proposed', 'refused', 'withdrawn')", name=op.f('ck_proposal_state')),
    sa.ForeignKeyConstraint(['assignment_id'], ['assignment.id'], name=op.f('fk_proposal_assignment_id_assignment')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_proposal'))
    )
    with op.batch_alter_table('proposal', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_proposal_assignment_id'), ['assignment_id'], unique=False)

    op.create_table('reminder',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('assignment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('rung', sa.Integer(), nullable=False),
    sa.Column('mailbox', sa.String(length=400), nullable=False),
    sa.Column('letter_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['assignment_id'], ['assignment.id'], name=op.f('fk_reminder_assignment_id_assignment')),
    sa.ForeignKeyConstraint(['letter_id'], ['letter.id'], name=op.f('fk_reminder_letter_id_letter')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reminder')),
    sa.UniqueConstraint('assignment_id', 'round', 'due_on', 'rung', 'mailbox', name=op.f('uq_reminder_assignment_id_round_due_on_rung_mailbox'))
    )
    with op.batch_alter_table('reminder', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_reminder_letter_id'), ['letter_id'], unique=False)

    op.create_table('submission',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('assignment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('revision', sa.Integer(), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('unchanged', sa.Boolean(), nullable=False),
    sa.Column('figures', sa.Text(), nullable=False),
    sa.Column('submitted_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('submitted_on', sa.Date(), nullable=False),
    sa.Column('completed_on', sa.Date(), nullable=False),
    sa.Column('late_entry', sa.Boolean(), nullable=False),
    sa.Column('identity', sa.String(length=400), nullable=False),
    sa.Column('stated_name', sa.String(length=400), nullable=False),
    sa.Column('stated_post', sa.String(length=400), nullable=True),
    sa.Column('entered_channel', sa.String(length=400), nullable=True),
    sa.Column('entered_number', sa.String(length=400), nullable=True),
    sa.Column('outcome', sa.String(length=24), nullable=True),
    sa.ForeignKeyConstraint(['assignment_id'], ['assignment.id'], name=op.f('fk_submission_assignment_id_assignment')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_submission')),
    sa.UniqueConstraint('assignment_id', 'round', 'revision', name=op.f('uq_submission_assignment_id_round_revision'))
    )
    op.create_table('evidence',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('submission_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('document_code', sa.String(length=400), nullable=True),
    sa.Column('issued_on', sa.Date(), nullable=True),
    sa.Column('title', sa.Text(), nullable=True),
    sa.Column('sha256', sa.Text(), nullable=True),
    sa.Column('file_name', sa.String(length=400), nullable=True),
    sa.Column('scan', sa.Boolean(), nullable=False),
    sa.CheckConstraint('document_code IS NOT NULL OR sha256 IS NOT NULL', name=op.f('ck_evidence_something')),
    sa.ForeignKeyConstraint(['sha256'], ['stored_file.sha256'], name=op.f('fk_evidence_sha256_stored_file')),
    sa.ForeignKeyConstraint(['submission_id'], ['submission.id'], name=op.f('fk_evidence_submission_id_submission')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_evidence'))
    )
    with op.batch_alter_table('evidence', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_evidence_sha256'), ['sha256'], unique=False)
        batch_op.create_index(batch_op.f('ix_evidence_submission_id'), ['submission_id'], unique=False)

    op.create_table('letter_line',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('letter_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('assignment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('rung', sa.Integer(), nullable=True),
    sa.Column('notice_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.ForeignKeyConstraint(['assignment_id'], ['assignment.id'], name=op.f('fk_letter_line_assignment_id_assignment')),
    sa.ForeignKeyConstraint(['letter_id'], ['letter.id'], name=op.f('fk_letter_line_letter_id_letter')),
    sa.ForeignKeyConstraint(['notice_id'], ['notice.id'], name=op.f('fk_letter_line_notice_id_notice')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_letter_line'))
    )
    with op.batch_alter_table('letter_line', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_letter_line_assignment_id'), ['assignment_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_letter_line_letter_id'), ['letter_id'], unique=False)

    create_triggers(op.get_bind())
