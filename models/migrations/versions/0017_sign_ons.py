"""Single sign-ons on their way"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('sign_on',
    sa.Column('id', sa.String(length=80), nullable=False),
    sa.Column('browser', sa.String(length=80), nullable=False),
    sa.Column('nonce', sa.String(length=80), nullable=False),
    sa.Column('verifier', sa.String(length=80), nullable=False),
    sa.Column('onward', sa.Text(), nullable=False),
    sa.Column('kept', sa.Text(), nullable=False),
    sa.Column('expires_at', models.base.Instant(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_on'))
    )
    op.create_index(op.f('ix_sign_on_expires_at'), 'sign_on', ['expires_at'], unique=False)
