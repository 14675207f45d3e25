"""The analyst's bench: candidates, trials, shadows, and every change of the profile in force."""

import sqlalchemy as sa
from alembic import op

import console.archive.tables

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring a database of the version before to this one."""
    op.create_table(
        "candidate",
        sa.Column("candidate_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("version", sa.String(length=256), nullable=False),
        sa.Column("toml", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by", sa.String(length=256), nullable=False),
        sa.Column("made_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=256), nullable=False),
        sa.Column("changed_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("proposed_by", sa.String(length=256), nullable=False),
        sa.Column("proposed_at", console.archive.tables.Moment(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("candidate_id", name=op.f("pk_candidate")),
    )
    with op.batch_alter_table("candidate", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_candidate_changed_at"), ["changed_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_candidate_state"), ["state"], unique=False)

    op.create_table(
        "promotion",
        sa.Column("change_id", sa.String(length=256), nullable=False),
        sa.Column("decided_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("recorded_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("trial_id", sa.String(length=64), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_promotion")),
    )
    with op.batch_alter_table("promotion", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_promotion_decided_at"), ["decided_at"], unique=False)

    op.create_table(
        "shadow",
        sa.Column("shadow_id", sa.String(length=64), nullable=False),
        sa.Column("candidate_id", sa.String(length=64), nullable=False),
        sa.Column("candidate_text", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("made_by", sa.String(length=256), nullable=False),
        sa.Column("starts_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("ends_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("ran_at", console.archive.tables.Moment(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("shadow_id", name=op.f("pk_shadow")),
    )
    with op.batch_alter_table("shadow", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_shadow_candidate_id"), ["candidate_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_shadow_state"), ["state"], unique=False)

    op.create_table(
        "trial",
        sa.Column("trial_id", sa.String(length=64), nullable=False),
        sa.Column("candidate_id", sa.String(length=64), nullable=False),
        sa.Column("candidate_text", sa.String(length=64), nullable=False),
        sa.Column("in_force_text", sa.String(length=64), nullable=False),
        sa.Column("asked", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("part", sa.String(length=256), nullable=False),
        sa.Column("done", sa.Float(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("report", sa.LargeBinary(), nullable=True),
        sa.Column("shadow_id", sa.String(length=64), nullable=False),
        sa.Column("made_by", sa.String(length=256), nullable=False),
        sa.Column("made_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("ended_at", console.archive.tables.Moment(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("trial_id", name=op.f("pk_trial")),
    )
    with op.batch_alter_table("trial", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trial_candidate_id"), ["candidate_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_trial_made_at"), ["made_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_trial_shadow_id"), ["shadow_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_trial_state"), ["state"], unique=False)
