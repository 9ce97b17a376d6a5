"""Work outside the appendix (rule 44), and policies set in the system (rules 8, 20)"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    op.create_table('added_work',
    sa.Column('id', big, nullable=False),
    sa.Column('plan_key', sa.String(length=80), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('code', sa.String(length=80), nullable=False),
    sa.Column('basis_code', sa.String(length=400), nullable=False),
    sa.Column('basis_on', sa.Date(), nullable=False),
    sa.Column('content', sa.Text(), nullable=False),
    sa.Column('created_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('created_by', sa.String(length=400), nullable=False),
    sa.Column('updated_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('updated_by', sa.String(length=400), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint('number >= 1 AND version >= 1', name=op.f('ck_added_work_counts')),
    sa.ForeignKeyConstraint(['plan_key'], ['plan.key'], name=op.f('fk_added_work_plan_key_plan')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_added_work')),
    sa.UniqueConstraint('plan_key', 'code', name=op.f('uq_added_work_plan_key_code')),
    sa.UniqueConstraint('plan_key', 'year', 'number', name=op.f('uq_added_work_plan_key_year_number'))
    )
    op.create_table('policy_setting',
    sa.Column('id', big, nullable=False),
    sa.Column('plan_key', sa.String(length=80), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.Column('value', sa.Text(), nullable=True),
    sa.Column('basis', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('set_on', sa.Date(), nullable=False),
    sa.Column('set_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('set_by', sa.String(length=400), nullable=False),
    sa.ForeignKeyConstraint(['plan_key'], ['plan.key'], name=op.f('fk_policy_setting_plan_key_plan')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_policy_setting'))
    )
    op.create_index(op.f('ix_policy_setting_plan_key_name'), 'policy_setting', ['plan_key', 'name'], unique=False)
