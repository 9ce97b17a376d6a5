"""What was found in filed PDFs: signatures, or pictures of papers"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('file_check',
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('basis', sa.String(length=400), nullable=False),
    sa.Column('checked_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('verdict', sa.String(length=24), nullable=False),
    sa.Column('signatures', sa.Text(), nullable=False),
    sa.CheckConstraint("verdict IN ('broken', 'locked', 'scan', 'unexamined', 'unreadable', 'unsigned', 'untrusted', 'valid')", name=op.f('ck_file_check_verdict')),
    sa.ForeignKeyConstraint(['sha256'], ['stored_file.sha256'], name=op.f('fk_file_check_sha256_stored_file')),
    sa.PrimaryKeyConstraint('sha256', name=op.f('pk_file_check'))
    )
