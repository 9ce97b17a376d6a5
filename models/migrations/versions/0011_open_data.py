"""Which kinds of data are open to everybody"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('open_data_switch',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('is_open', sa.Boolean(), nullable=False),
    sa.Column('items', sa.String(length=400), nullable=False),
    sa.Column('basis', sa.Text(), nullable=False),
    sa.Column('set_on', sa.Date(), nullable=False),
    sa.Column('set_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('set_by', sa.String(length=400), nullable=False),
    sa.CheckConstraint("kind IN ('dates', 'materials', 'results')", name=op.f('ck_open_data_switch_kind')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_open_data_switch'))
    )
    op.create_index('ix_open_data_switch_kind', 'open_data_switch', ['kind'], unique=False)
