"""Money planned and spent"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('money',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('assignment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('line', sa.String(length=80), nullable=False),
    sa.Column('source', sa.String(length=80), nullable=False),
    sa.Column('planned', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('spent', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('updated_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('updated_by', sa.String(length=400), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint('planned >= 0 AND spent >= 0 AND version >= 1', name=op.f('ck_money_amounts')),
    sa.ForeignKeyConstraint(['assignment_id'], ['assignment.id'], name=op.f('fk_money_assignment_id_assignment')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_money')),
    sa.UniqueConstraint('assignment_id', 'line', 'source', name=op.f('uq_money_assignment_id_line_source'))
    )
    op.create_index(op.f('ix_money_assignment_id'), 'money', ['assignment_id'], unique=False)
