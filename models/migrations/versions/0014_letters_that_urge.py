"""Issued letters that urge, and what each covers"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('urging',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('assignment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('round', sa.Integer(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('document_code', sa.String(length=400), nullable=False),
    sa.Column('issued_on', sa.Date(), nullable=False),
    sa.Column('issuer', sa.String(length=24), nullable=False),
    sa.Column('data_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('recorded_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('recorded_by', sa.String(length=400), nullable=False),
    sa.Column('state', sa.String(length=24), nullable=False),
    sa.CheckConstraint("state IN ('recorded', 'withdrawn')", name=op.f('ck_urging_state')),
    sa.ForeignKeyConstraint(['assignment_id'], ['assignment.id'], name=op.f('fk_urging_assignment_id_assignment')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_urging'))
    )
    op.create_index('uq_urging_recorded', 'urging', ['assignment_id', 'document_code', 'issued_on'], unique=True, sqlite_where=sa.text("state = 'recorded'"), postgresql_where=sa.text("state = 'recorded'"))
    op.create_index(op.f('ix_urging_document_code'), 'urging', ['document_code'], unique=False)
