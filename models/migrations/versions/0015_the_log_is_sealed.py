"""Subtrees of the log, and who verified it when"""

import sqlalchemy as sa
from alembic import op

import models.base
from models.triggers import create_log_triggers

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    op.create_table('log_subtree',
    sa.Column('tier', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('index', big, autoincrement=False, nullable=False),
    sa.Column('root', sa.LargeBinary(length=32), nullable=False),
    sa.PrimaryKeyConstraint('tier', 'index', name=op.f('pk_log_subtree'))
    )
    op.create_table('verification',
    sa.Column('id', big, nullable=False),
    sa.Column('at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('finished_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('by', sa.String(length=400), nullable=False),
    sa.Column('sealed', big, nullable=False),
    sa.Column('pending', big, nullable=False),
    sa.Column('outside', sa.Integer(), nullable=False),
    sa.Column('wrong', big, nullable=False),
    sa.Column('said', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_verification'))
    )
    op.create_index(op.f('ix_verification_at'), 'verification', ['at'], unique=False)
    create_log_triggers(op.get_bind())
