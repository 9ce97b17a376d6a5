"""Indexes over the history, and findings of inspections"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Indexes are made without touching the table, so the append-only triggers stay.
    op.create_index('ix_event_at_id', 'event', ['at', 'id'], unique=False)
    op.create_index('ix_event_agency_key_at_id', 'event', ['agency_key', 'at', 'id'], unique=False)
    big = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    op.create_table('finding',
    sa.Column('id', big, nullable=False),
    sa.Column('document_code', sa.String(length=400), nullable=False),
    sa.Column('issued_on', sa.Date(), nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('agency_key', sa.String(length=80), nullable=False),
    sa.Column('assignment_id', big, nullable=True),
    sa.Column('due_on', sa.Date(), nullable=True),
    sa.Column('state', sa.String(length=24), nullable=False),
    sa.Column('recorded_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('recorded_by', sa.String(length=400), nullable=False),
    sa.Column('report', sa.Text(), nullable=True),
    sa.Column('report_document', sa.String(length=400), nullable=True),
    sa.Column('closed_at', models.base.Instant(timezone=True), nullable=True),
    sa.Column('closed_by', sa.String(length=400), nullable=True),
    sa.Column('closing_reason', sa.Text(), nullable=True),
    sa.Column('closing_document', sa.String(length=400), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("state IN ('dropped', 'fixed', 'open', 'reported')", name=op.f('ck_finding_state')),
    sa.ForeignKeyConstraint(['agency_key'], ['agency.key'], name=op.f('fk_finding_agency_key_agency')),
    sa.ForeignKeyConstraint(['assignment_id'], ['assignment.id'], name=op.f('fk_finding_assignment_id_assignment')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_finding'))
    )
    op.create_index(op.f('ix_finding_agency_key'), 'finding', ['agency_key'], unique=False)
