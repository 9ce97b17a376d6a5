"""Webhooks and group chats, what they are told, and each attempt"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('outlet',
    sa.Column('id', BIG, nullable=False),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('name', sa.String(length=400), nullable=False),
    sa.Column('host', sa.String(length=400), nullable=False),
    sa.Column('address_sealed', sa.Text(), nullable=False),
    sa.Column('secret_sealed', sa.Text(), nullable=True),
    sa.Column('topics', sa.String(length=400), nullable=False),
    sa.Column('agency_key', sa.String(length=80), nullable=True),
    sa.Column('basis', sa.Text(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('event_cursor', BIG, nullable=False),
    sa.Column('failing_since', models.base.Instant(timezone=True), nullable=True),
    sa.Column('off_reason', sa.String(length=400), nullable=True),
    sa.Column('created_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('created_by', sa.String(length=400), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("kind IN ('chat', 'webhook')", name=op.f('ck_outlet_kind')),
    sa.ForeignKeyConstraint(['agency_key'], ['agency.key'], name=op.f('fk_outlet_agency_key_agency')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outlet'))
    )
    op.create_table('outward_message',
    sa.Column('id', BIG, nullable=False),
    sa.Column('outlet_id', BIG, nullable=False),
    sa.Column('key', sa.String(length=400), nullable=False),
    sa.Column('topic', sa.String(length=24), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('state', sa.String(length=24), nullable=False),
    sa.Column('queued_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('claimed_at', models.base.Instant(timezone=True), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('next_attempt_at', models.base.Instant(timezone=True), nullable=True),
    sa.Column('sent_at', models.base.Instant(timezone=True), nullable=True),
    sa.Column('answer', sa.String(length=400), nullable=True),
    sa.CheckConstraint("state IN ('failed', 'queued', 'retrying', 'sending', 'sent')", name=op.f('ck_outward_message_state')),
    sa.ForeignKeyConstraint(['outlet_id'], ['outlet.id'], name=op.f('fk_outward_message_outlet_id_outlet')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outward_message')),
    sa.UniqueConstraint('outlet_id', 'key', name=op.f('uq_outward_message_outlet_id'))
    )
    op.create_index('ix_outward_message_state', 'outward_message', ['state', 'next_attempt_at'], unique=False)
    op.create_table('outward_attempt',
    sa.Column('id', BIG, nullable=False),
    sa.Column('message_id', BIG, nullable=False),
    sa.Column('at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('answer', sa.String(length=400), nullable=False),
    sa.ForeignKeyConstraint(['message_id'], ['outward_message.id'], name=op.f('fk_outward_attempt_message_id_outward_message')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outward_attempt'))
    )
    op.create_index(op.f('ix_outward_attempt_message_id'), 'outward_attempt', ['message_id'], unique=False)
