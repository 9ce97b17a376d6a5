"""Which plans an account and a program's token see"""

import sqlalchemy as sa
from alembic import op

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('account', sa.Column('plans', sa.Text(), nullable=True))
    op.add_column('api_token', sa.Column('plans', sa.Text(), nullable=True))
