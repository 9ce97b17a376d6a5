"""Sessions that were ended before their time"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('ended_session',
    sa.Column('id', sa.String(length=80), nullable=False),
    sa.Column('until', models.base.Instant(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ended_session'))
    )
    op.create_index(op.f('ix_ended_session_until'), 'ended_session', ['until'], unique=False)
