"""What was missed: incidents that an analyst notes afterwards; and when incidents reached a level, found at once."""

import sqlalchemy as sa
from alembic import op

import console.archive.tables

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring a database of the version before to this one."""
    op.create_table(
        "missed",
        sa.Column("missed_id", sa.String(length=64), nullable=False),
        sa.Column("hazard", sa.String(length=32), nullable=False),
        sa.Column("place", sa.JSON(), nullable=False),
        sa.Column("began_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("known_by", sa.String(length=32), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("made_by", sa.String(length=256), nullable=False),
        sa.Column("made_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("withdrawn_by", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("missed_id", name=op.f("pk_missed")),
    )
    with op.batch_alter_table("missed", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_missed_began_at"), ["began_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_missed_made_at"), ["made_at"], unique=False)

    with op.batch_alter_table("revision", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_revision_level_incident_id_revision"), ["level", "incident_id", "revision"], unique=False
        )
