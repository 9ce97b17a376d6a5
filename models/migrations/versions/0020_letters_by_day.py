"""The letters of a day are found without reading those of all years"""

from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_letter_day', 'letter', ['day', 'kind'], unique=False)
