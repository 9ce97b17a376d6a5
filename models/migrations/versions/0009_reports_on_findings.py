"""What agencies reported on findings of inspections, and the reminders of what is not mended"""

import sqlalchemy as sa
from alembic import op

import models.base

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Columns that may be empty are added without rebuilding the table.
    op.add_column('finding', sa.Column('last_rung', sa.Integer(), nullable=True))
    op.add_column('finding', sa.Column('next_reminder_on', sa.Date(), nullable=True))
    op.create_table('finding_report',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('finding_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('filed_at', models.base.Instant(timezone=True), nullable=False),
    sa.Column('filed_by', sa.String(length=400), nullable=False),
    sa.Column('stated_name', sa.String(length=400), nullable=True),
    sa.Column('stated_post', sa.String(length=400), nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('document_code', sa.String(length=400), nullable=True),
    sa.Column('issued_on', sa.Date(), nullable=True),
    sa.Column('returned_at', models.base.Instant(timezone=True), nullable=True),
    sa.Column('returned_by', sa.String(length=400), nullable=True),
    sa.Column('return_reason', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['finding_id'], ['finding.id'], name=op.f('fk_finding_report_finding_id_finding')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_finding_report'))
    )
    op.create_index(op.f('ix_finding_report_finding_id'), 'finding_report', ['finding_id'], unique=False)
    op.create_table('finding_file',
    sa.Column('report_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('file_name', sa.String(length=400), nullable=False),
    sa.ForeignKeyConstraint(['report_id'], ['finding_report.id'], name=op.f('fk_finding_file_report_id_finding_report')),
    sa.ForeignKeyConstraint(['sha256'], ['stored_file.sha256'], name=op.f('fk_finding_file_sha256_stored_file')),
    sa.PrimaryKeyConstraint('report_id', 'sha256', name=op.f('pk_finding_file'))
    )
