"""Letters are counted by state without being read"""

from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_letter_state', 'letter', ['state', 'queued_at'], unique=False)
