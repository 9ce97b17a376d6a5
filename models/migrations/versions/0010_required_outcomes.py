"""Outcomes that an item asks of its results"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('submission', sa.Column('outcomes', sa.Text(), server_default='{}', nullable=False))
