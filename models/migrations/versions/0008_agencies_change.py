"""Changes of agencies that people recorded (rule 35)"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    op.create_table('reorganisation',
    sa.Column('id', big, nullable=False),
    sa.Column('kind', sa.String(length=24), nullable=False),
    sa.Column('effective_on', sa.Date(), nullable=False),
    sa.Column('document_code', sa.String(length=400), nullable=False),
    sa.Column('document_issued_on', sa.Date(), nullable=True),
    sa.Column('content', sa.Text(), nullable=False),
    sa.Column('recorded_on', sa.Date(), nullable=False),
    sa.Column('recorded_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('recorded_by', sa.String(length=400), nullable=False),
    sa.Column('settled_on', sa.Date(), nullable=True),
    sa.Column('settled_at', models.base.Instant(timezone=True), nullable=True),
    sa.CheckConstraint("kind IN ('end', 'found', 'merge', 'rename', 'split')", name=op.f('ck_reorganisation_kind')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reorganisation'))
    )
