"""One-time codes of accounts, their recovery codes, and one-time links to the door"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    big = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    instant = models.base.Instant(timezone=True)
    # Every password of before was set without a code beside it, and is long.
    op.add_column('account', sa.Column('password_short', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column('account', sa.Column('totp_pending', sa.String(length=400), nullable=True))
    op.add_column('account', sa.Column('totp_last_step', sa.Integer(), nullable=True))
    op.add_column('account', sa.Column('totp_reset_at', instant, nullable=True))
    op.create_index(op.f('ix_access_log_actor'), 'access_log', ['actor'], unique=False)
    op.create_table('recovery_code',
    sa.Column('id', big, nullable=False),
    sa.Column('account_id', big, nullable=False),
    sa.Column('digest', sa.LargeBinary(length=32), nullable=False),
    sa.Column('used_at', instant, nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_recovery_code_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_recovery_code')),
    sa.UniqueConstraint('account_id', 'digest', name=op.f('uq_recovery_code_account_id_digest'))
    )
    op.create_table('account_link',
    sa.Column('id', sa.String(length=80), nullable=False),
    sa.Column('purpose', sa.String(length=24), nullable=False),
    sa.Column('account_id', big, nullable=True),
    sa.Column('session_epoch', sa.Integer(), nullable=True),
    sa.Column('issued_at', instant, nullable=False),
    sa.Column('issued_by', sa.String(length=400), nullable=False),
    sa.Column('expires_at', instant, nullable=False),
    sa.Column('used_at', instant, nullable=True),
    sa.Column('replaced_at', instant, nullable=True),
    sa.CheckConstraint("purpose IN ('first', 'password')", name=op.f('ck_account_link_purpose')),
    sa.ForeignKeyConstraint(['account_id'], ['account.id'], name=op.f('fk_account_link_account_id_account')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_account_link'))
    )
    op.create_index(op.f('ix_account_link_account_id'), 'account_link', ['account_id'], unique=False)
