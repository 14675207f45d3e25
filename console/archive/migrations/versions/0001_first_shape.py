"""First shape."""

import sqlalchemy as sa
from alembic import op

import console.archive.tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring a database of the version before to this one."""
    op.create_table(
        "account",
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("password_hash", sa.String(length=256), nullable=True),
        sa.Column("oidc_subject", sa.String(length=512), nullable=True),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("is_disabled", sa.Boolean(), nullable=False),
        sa.Column("made_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_account")),
        sa.UniqueConstraint("name", name=op.f("uq_account_name")),
        sa.UniqueConstraint("oidc_subject", name=op.f("uq_account_oidc_subject")),
    )
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=256), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("object", sa.String(length=1024), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_object"), ["object"], unique=False)

    op.create_table(
        "bulletin",
        sa.Column("bulletin_id", sa.String(length=1024), nullable=False),
        sa.Column("area", sa.String(length=64), nullable=False),
        sa.Column("issued_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("bulletin_id", name=op.f("pk_bulletin")),
    )
    with op.batch_alter_table("bulletin", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bulletin_area"), ["area"], unique=False)
        batch_op.create_index(batch_op.f("ix_bulletin_issued_at"), ["issued_at"], unique=False)

    op.create_table(
        "counter",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("last", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counter")),
    )
    op.create_table(
        "decision",
        sa.Column(
            "sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("decision_id", sa.String(length=256), nullable=False),
        sa.Column("incident_id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("decided_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=256), nullable=False),
        sa.Column("withdraws", sa.String(length=256), nullable=False),
        sa.Column("recorded_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_decision")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_decision_decision_id")),
    )
    with op.batch_alter_table("decision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_decision_incident_id"), ["incident_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_decision_withdraws"), ["withdraws"], unique=False)

    op.create_table(
        "digest",
        sa.Column("digest_id", sa.String(length=256), nullable=False),
        sa.Column("until", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest_id", name=op.f("pk_digest")),
    )
    with op.batch_alter_table("digest", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_digest_until"), ["until"], unique=False)

    op.create_table(
        "evidence",
        sa.Column(
            "evidence_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("incident_id", sa.String(length=128), nullable=False),
        sa.Column("post_id", sa.String(length=32), nullable=False),
        sa.Column("event_time", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("words", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("evidence_id", name=op.f("pk_evidence")),
        sa.UniqueConstraint("incident_id", "post_id", "words", name=op.f("uq_evidence_incident_id_post_id_words")),
    )
    with op.batch_alter_table("evidence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evidence_author_id"), ["author_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_evidence_event_time"), ["event_time"], unique=False)
        batch_op.create_index(batch_op.f("ix_evidence_post_id"), ["post_id"], unique=False)

    op.create_table(
        "heard",
        sa.Column("hazard", sa.String(length=32), nullable=False),
        sa.Column("area", sa.String(length=64), nullable=False),
        sa.Column("post_id", sa.String(length=32), nullable=False),
        sa.Column("begins_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("likelihood_ratio", sa.Float(), nullable=False),
        sa.Column("received_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hazard", "area", "post_id", name=op.f("pk_heard")),
    )
    with op.batch_alter_table("heard", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_heard_received_at"), ["received_at"], unique=False)
        batch_op.create_index("ix_heard_span", ["hazard", "area", "begins_at"], unique=False)

    op.create_table(
        "incident",
        sa.Column("incident_id", sa.String(length=128), nullable=False),
        sa.Column("hazard", sa.String(length=32), nullable=False),
        sa.Column("area", sa.String(length=64), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("recorded_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_incident")),
    )
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_incident_level"), ["level"], unique=False)
        batch_op.create_index(batch_op.f("ix_incident_recorded_at"), ["recorded_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_incident_sequence"), ["sequence"], unique=False)

    op.create_table(
        "message",
        sa.Column("message_id", sa.String(length=64), nullable=False),
        sa.Column("incident_id", sa.String(length=128), nullable=False),
        sa.Column("template_id", sa.String(length=256), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("map_version", sa.String(length=64), nullable=False),
        sa.Column("signed_by", sa.String(length=256), nullable=False),
        sa.Column("signed_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_message")),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_message_incident_id"), ["incident_id"], unique=False)

    op.create_table(
        "notification",
        sa.Column("notification_id", sa.String(length=256), nullable=False),
        sa.Column("incident_id", sa.String(length=128), nullable=False),
        sa.Column("at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("notification_id", name=op.f("pk_notification")),
    )
    with op.batch_alter_table("notification", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notification_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_notification_incident_id"), ["incident_id"], unique=False)

    op.create_table(
        "outgoing",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("object", sa.String(length=1024), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_outgoing")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "pulse",
        sa.Column("source", sa.String(length=256), nullable=False),
        sa.Column("hour", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("minutes", sa.LargeBinary(), nullable=False),
        sa.Column("outcomes", sa.JSON(), nullable=False),
        sa.Column("counted", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("source", "hour", name=op.f("pk_pulse")),
    )
    op.create_table(
        "rate",
        sa.Column("hazard", sa.String(length=32), nullable=False),
        sa.Column("area", sa.String(length=64), nullable=False),
        sa.Column("begins_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("posts", sa.Integer(), nullable=False),
        sa.Column("strong", sa.Integer(), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("hazard", "area", "begins_at", name=op.f("pk_rate")),
    )
    op.create_table(
        "report",
        sa.Column("report_id", sa.String(length=64), nullable=False),
        sa.Column("post_key", sa.String(length=1024), nullable=False),
        sa.Column("what", sa.String(length=32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("place", sa.JSON(), nullable=False),
        sa.Column("seen_by", sa.String(length=256), nullable=False),
        sa.Column("credibility", sa.String(length=16), nullable=False),
        sa.Column("seen_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("photo_note", sa.Text(), nullable=False),
        sa.Column("made_by", sa.String(length=256), nullable=False),
        sa.Column("made_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("is_withdrawn", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_report")),
    )
    with op.batch_alter_table("report", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_report_made_at"), ["made_at"], unique=False)

    op.create_table(
        "revision",
        sa.Column(
            "sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("incident_id", sa.String(length=128), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("raised_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("recorded_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_revision")),
        sa.UniqueConstraint("incident_id", "revision", name=op.f("uq_revision_incident_id_revision")),
    )
    with op.batch_alter_table("revision", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_revision_recorded_at"), ["recorded_at"], unique=False)

    op.create_table(
        "silence",
        sa.Column("silence_id", sa.String(length=256), nullable=False),
        sa.Column("starts_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("ends_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("made_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("silence_id", name=op.f("pk_silence")),
    )
    with op.batch_alter_table("silence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_silence_ends_at"), ["ends_at"], unique=False)

    op.create_table(
        "source",
        sa.Column("source", sa.String(length=256), nullable=False),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_source")),
    )
    op.create_table(
        "source_change",
        sa.Column("source", sa.String(length=256), nullable=False),
        sa.Column("since", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "since", name=op.f("pk_source_change")),
    )
    with op.batch_alter_table("source_change", schema=None) as batch_op:
        batch_op.create_index("ix_source_change_since", ["since"], unique=False)

    op.create_table(
        "tombstone",
        sa.Column("name", sa.String(length=48), nullable=False),
        sa.Column("at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("unless", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_tombstone")),
    )
    with op.batch_alter_table("tombstone", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_tombstone_at"), ["at"], unique=False)

    op.create_table(
        "unshown",
        sa.Column("incident_id", sa.String(length=128), nullable=False),
        sa.Column("post_id", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "post_id", name=op.f("pk_unshown")),
    )
    op.create_table(
        "verification",
        sa.Column("verification_id", sa.String(length=64), nullable=False),
        sa.Column("incident_id", sa.String(length=128), nullable=False),
        sa.Column("report_id", sa.String(length=64), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("finding", sa.String(length=16), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("asked_by", sa.String(length=256), nullable=False),
        sa.Column("asked_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("taken_by", sa.String(length=256), nullable=False),
        sa.Column("taken_at", console.archive.tables.Moment(timezone=True), nullable=True),
        sa.Column("answered_by", sa.String(length=256), nullable=False),
        sa.Column("answered_at", console.archive.tables.Moment(timezone=True), nullable=True),
        sa.Column("passed_on_by", sa.String(length=256), nullable=False),
        sa.Column("passed_on_at", console.archive.tables.Moment(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("verification_id", name=op.f("pk_verification")),
    )
    with op.batch_alter_table("verification", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_verification_incident_id"), ["incident_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_verification_state"), ["state"], unique=False)

    op.create_table(
        "api_token",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("token_id", sa.String(length=32), nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=128), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("made_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("used_at", console.archive.tables.Moment(timezone=True), nullable=True),
        sa.Column("ends_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name=op.f("fk_api_token_account_id_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_id", name=op.f("uq_api_token_token_id")),
    )
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_token_account_id"), ["account_id"], unique=False)

    op.create_table(
        "session",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=64), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("made_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("seen_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.Column("ends_at", console.archive.tables.Moment(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.account_id"], name=op.f("fk_session_account_id_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_session")),
    )
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_session_account_id"), ["account_id"], unique=False)
