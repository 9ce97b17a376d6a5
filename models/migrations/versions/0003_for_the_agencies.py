"""Who works on a piece of work at its agency, and the secret addresses of calendars"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Columns that may be empty are added without rebuilding the table.
    op.add_column('assignment', sa.Column('handler_account', sa.String(length=80), nullable=True))
    op.add_column('assignment', sa.Column('handler_mailbox', sa.String(length=400), nullable=True))
    op.create_table('calendar_feed',
    sa.Column('agency_key', sa.String(length=80), nullable=False),
    sa.Column('handle', sa.String(length=80), nullable=False),
    sa.Column('renewed_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('renewed_by', sa.String(length=400), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['agency_key'], ['agency.key'], name=op.f('fk_calendar_feed_agency_key_agency')),
    sa.PrimaryKeyConstraint('agency_key', name=op.f('pk_calendar_feed')),
    sa.UniqueConstraint('handle', name=op.f('uq_calendar_feed_handle'))
    )
