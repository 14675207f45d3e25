"""Tables: everything that the console keeps.

What came on topics can be filled again from them. What begins here can not (accounts, reports, signed messages,
the audit): that is what a backup is for.

Units   moments are UTC; SQLite has no zones, so they are put back on reading
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Moment(TypeDecorator[datetime]):
    """A moment in UTC, whatever the database makes of zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a moment without a zone; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value}: a moment without a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


SEQUENCE = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts by itself in INTEGER columns only

metadata = MetaData(naming_convention=NAMES)

counter = Table(
    "counter",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("last", SEQUENCE, nullable=False),
)
"""The last number that was given out; none is given out twice, whatever is deleted or filled again."""

incident = Table(
    "incident",
    metadata,
    Column("incident_id", String(128), primary_key=True),
    Column("hazard", String(32), nullable=False),
    Column("area", String(64), nullable=False),
    Column("level", String(16), nullable=False, index=True),
    Column("revision", Integer, nullable=False),
    Column("sequence", SEQUENCE, nullable=False, index=True),  # of the newest change of it
    Column("place", Text, nullable=False),  # its name without accents and capitals, to be searched
    Column("recorded_at", Moment, nullable=False, index=True),  # when the newest revision came
)
"""The newest revision of each incident, for lists; all it says stands in `revision`."""

revision = Table(
    "revision",
    metadata,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=False),  # of all changes of incidents
    Column("incident_id", String(128), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("level", String(16), nullable=False),
    Column("raised_at", Moment, nullable=False),
    Column("recorded_at", Moment, nullable=False, index=True),  # when it was told
    Column("record", LargeBinary, nullable=False),  # the Alert, its evidence without words, links and authors
    Column("words", JSON, nullable=False),  # for each post of its evidence the row of `evidence`; 0: shown without
    UniqueConstraint("incident_id", "revision"),
    Index("ix_revision_level_incident_id_revision", "level", "incident_id", "revision"),
)
"""Every revision, in the order in which we heard of it; its number is what a page asks to go on from."""

evidence = Table(
    "evidence",
    metadata,
    Column("evidence_id", SEQUENCE, primary_key=True, autoincrement=False),
    Column("incident_id", String(128), nullable=False),
    Column("post_id", String(32), nullable=False, index=True),  # stands for the post's key
    Column("event_time", Moment, nullable=False, index=True),
    Column("author_id", Text, nullable=False, index=True),
    Column("words", String(16), nullable=False),  # by what the text is known again
    Column("text", Text, nullable=False),
    Column("url", Text),
    UniqueConstraint("incident_id", "post_id", "words"),
)
"""The words of posts, apart from the revisions that show them: a row that is gone is gone from all of them."""

tombstone = Table(
    "tombstone",
    metadata,
    Column("name", String(48), primary_key=True),
    Column("at", Moment, nullable=False, index=True),
    Column("unless", String(16), nullable=False),
)
"""Posts, and authors until a moment, whose words were taken back: whatever comes late must not bring them back."""

unshown = Table(
    "unshown",
    metadata,
    Column("incident_id", String(128), primary_key=True),
    Column("post_id", String(32), primary_key=True),
    Column("revision", Integer, nullable=False),
)
"""Up to which of its revisions an incident shows no words of a post, because that one says that they are gone."""

decision = Table(
    "decision",
    metadata,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=False),  # of all changes of incidents
    Column("decision_id", String(256), nullable=False, unique=True),
    Column("incident_id", String(128), nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("decided_at", Moment, nullable=False),
    Column("decided_by", String(256), nullable=False),
    Column("withdraws", String(256), nullable=False, index=True),
    Column("recorded_at", Moment, nullable=False),
    Column("record", LargeBinary, nullable=False),
)
"""What people decided of incidents, their notes among it."""

silence = Table(
    "silence",
    metadata,
    Column("silence_id", String(256), primary_key=True),
    Column("starts_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False, index=True),
    Column("made_at", Moment, nullable=False),
    Column("record", LargeBinary, nullable=False),
)

notification = Table(
    "notification",
    metadata,
    Column("notification_id", String(256), primary_key=True),
    Column("incident_id", String(128), nullable=False, index=True),
    Column("at", Moment, nullable=False, index=True),
    Column("record", LargeBinary, nullable=False),
)
"""Who was told what, who could not be, and what is held back: the newest state of each."""

source = Table(
    "source",
    metadata,
    Column("source", String(256), primary_key=True),
    Column("record", LargeBinary, nullable=False),
)

source_change = Table(
    "source_change",
    metadata,
    Column("source", String(256), primary_key=True),
    Column("since", Moment, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("why", Text, nullable=False),
    Index("ix_source_change_since", "since"),
)
"""When each source began to be listened to, or not: for the record of what could be known."""

bulletin = Table(
    "bulletin",
    metadata,
    Column("bulletin_id", String(1024), primary_key=True),
    Column("area", String(64), nullable=False, index=True),
    Column("issued_at", Moment, nullable=False, index=True),
    Column("record", LargeBinary, nullable=False),
)

pulse = Table(
    "pulse",
    metadata,
    Column("source", String(256), primary_key=True),
    Column("hour", Moment, primary_key=True),
    Column("minutes", LargeBinary, nullable=False),  # a bit for each minute of the hour that was heard
    Column("outcomes", JSON, nullable=False),  # outcome -> values, in each minute of the hour
    Column("counted", LargeBinary, nullable=False),  # eight bytes for each pulse that is in it, so that none is twice
)
"""What each source read in each minute, an hour a row, and in which minutes it was read at all."""

heard = Table(
    "heard",
    metadata,
    Column("hazard", String(32), primary_key=True),
    Column("area", String(64), primary_key=True),
    Column("post_id", String(32), primary_key=True),  # stands for the post's key
    Column("begins_at", Moment, nullable=False),
    Column("likelihood_ratio", Float, nullable=False),
    Column("received_at", Moment, nullable=False, index=True),
    Index("ix_heard_span", "hazard", "area", "begins_at"),
)
"""Signals as long as they may be read again: each counts once. Then they are counted in `rate`, and forgotten."""

rate = Table(
    "rate",
    metadata,
    Column("hazard", String(32), primary_key=True),
    Column("area", String(64), primary_key=True),
    Column("begins_at", Moment, primary_key=True),
    Column("posts", Integer, nullable=False),  # signals of this hazard and area
    Column("strong", Integer, nullable=False),  # of them, such as say a lot
    Column("weight", Float, nullable=False),  # sum of their likelihood ratios
)
"""How much was said, in spans of ten minutes: counts alone."""

digest = Table(
    "digest",
    metadata,
    Column("digest_id", String(256), primary_key=True),
    Column("until", Moment, nullable=False, index=True),
    Column("record", LargeBinary, nullable=False),
)

outgoing = Table(
    "outgoing",
    metadata,
    Column("sequence", SEQUENCE, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False),  # verdict, silence, post, profile
    Column("object", String(1024), nullable=False),
    Column("record", LargeBinary, nullable=False),
    Column("made_at", Moment, nullable=False),
    sqlite_autoincrement=True,
)
"""What people said here and the broker does not have yet; a row goes when it has."""

account = Table(
    "account",
    metadata,
    Column("account_id", String(64), primary_key=True),
    Column("name", String(128), nullable=False, unique=True),  # what is signed with: a role of the cell, or a person
    Column("role", String(16), nullable=False),
    Column("language", String(8), nullable=False),
    Column("password_hash", String(256)),  # None: logs in through OIDC alone
    Column("oidc_subject", String(512), unique=True),
    Column("must_change", Boolean, nullable=False),
    Column("is_disabled", Boolean, nullable=False),
    Column("made_at", Moment, nullable=False),
)

session = Table(
    "session",
    metadata,
    Column("token_hash", String(64), primary_key=True),  # the cookie itself is stored nowhere
    Column("account_id", String(64), ForeignKey("account.account_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("csrf", String(64), nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("seen_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
)

api_token = Table(
    "api_token",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("token_id", String(32), nullable=False, unique=True),
    Column("account_id", String(64), ForeignKey("account.account_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("label", String(128), nullable=False),
    Column("role", String(16), nullable=False),  # no more than its account's
    Column("made_at", Moment, nullable=False),
    Column("used_at", Moment),
    Column("ends_at", Moment, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("number", SEQUENCE, primary_key=True, autoincrement=False),  # without a gap: each bears the hash of the last
    Column("at", Moment, nullable=False, index=True),
    Column("actor", String(256), nullable=False),
    Column("action", String(64), nullable=False),
    Column("object", String(1024), nullable=False, index=True),
    Column("detail", JSON, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
"""Who did what, in a chain: a line that is changed or taken out later shows."""

report = Table(
    "report",
    metadata,
    Column("report_id", String(64), primary_key=True),
    Column("post_key", String(1024), nullable=False),
    Column("what", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Column("place", JSON, nullable=False),  # name, lat, lon, radius_km as far as they are known
    Column("seen_by", String(256), nullable=False),
    Column("credibility", String(16), nullable=False),  # high, medium, low
    Column("seen_at", Moment, nullable=False),
    Column("url", Text),
    Column("photo_note", Text, nullable=False),
    Column("made_by", String(256), nullable=False),
    Column("made_at", Moment, nullable=False, index=True),
    Column("is_withdrawn", Boolean, nullable=False),
)
"""What watch staff and volunteers were told, or saw."""

verification = Table(
    "verification",
    metadata,
    Column("verification_id", String(64), primary_key=True),
    Column("incident_id", String(128), nullable=False, index=True),  # "" where it is of a report alone
    Column("report_id", String(64), nullable=False),
    Column("question", Text, nullable=False),
    Column("state", String(16), nullable=False, index=True),  # to_verify, verified, passed_on, withdrawn
    Column("finding", String(16), nullable=False),  # "", true, false, unclear
    Column("answer", Text, nullable=False),
    Column("url", Text),
    Column("asked_by", String(256), nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("taken_by", String(256), nullable=False),  # who works on it, so that nobody else does
    Column("taken_at", Moment),
    Column("answered_by", String(256), nullable=False),
    Column("answered_at", Moment),
    Column("passed_on_by", String(256), nullable=False),
    Column("passed_on_at", Moment),
)
"""What volunteers are asked to verify, and what they found."""

message = Table(
    "message",
    metadata,
    Column("message_id", String(64), primary_key=True),
    Column("incident_id", String(128), nullable=False, index=True),
    Column("template_id", String(256), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("language", String(8), nullable=False),
    Column("text", Text, nullable=False),
    Column("map_version", String(64), nullable=False),
    Column("signed_by", String(256), nullable=False),
    Column("signed_at", Moment, nullable=False),
    Column("state", String(16), nullable=False),  # signed, withdrawn
)
"""Messages that somebody answers for; Vigie sends none of them to the public."""

candidate = Table(
    "candidate",
    metadata,
    Column("candidate_id", String(64), primary_key=True),
    Column("name", String(256), nullable=False),  # of the profile, as its text says
    Column("version", String(256), nullable=False),
    Column("toml", Text, nullable=False),  # the whole text
    Column("state", String(16), nullable=False, index=True),  # draft, proposed, promoted, dropped
    Column("reason", Text, nullable=False),  # why it is proposed
    Column("made_by", String(256), nullable=False),
    Column("made_at", Moment, nullable=False),
    Column("changed_by", String(256), nullable=False),
    Column("changed_at", Moment, nullable=False, index=True),
    Column("proposed_by", String(256), nullable=False),
    Column("proposed_at", Moment),
)
"""Profiles that analysts work on."""

trial = Table(
    "trial",
    metadata,
    Column("trial_id", String(64), primary_key=True),
    Column("candidate_id", String(64), nullable=False, index=True),
    Column("candidate_text", String(64), nullable=False),  # stands for the text that was tried
    Column("in_force_text", String(64), nullable=False),
    Column("asked", LargeBinary, nullable=False),  # TrialAsked
    Column("state", String(16), nullable=False, index=True),  # waiting, running, done, stopped, failed, broken_off
    Column("part", String(256), nullable=False),  # what is being worked on
    Column("done", Float, nullable=False),  # 0 to 1
    Column("why", Text, nullable=False),  # it failed
    Column("verdict", String(16), nullable=False),  # better, worse, …; "" until it is done
    Column("report", LargeBinary),  # Trial, posts by what stands for their keys
    Column("shadow_id", String(64), nullable=False, index=True),  # "": somebody asked for it
    Column("made_by", String(256), nullable=False),
    Column("made_at", Moment, nullable=False, index=True),
    Column("ended_at", Moment),
)
"""What became of a candidate beside the profile in force, on the recording and on scenarios."""

shadow = Table(
    "shadow",
    metadata,
    Column("shadow_id", String(64), primary_key=True),
    Column("candidate_id", String(64), nullable=False, index=True),
    Column("candidate_text", String(64), nullable=False),
    Column("state", String(16), nullable=False, index=True),  # running, over, stopped
    Column("made_by", String(256), nullable=False),
    Column("starts_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("ran_at", Moment),  # when it was last looked at what it would have said
)
"""Candidates that decide beside the live profile for some days, and notify nobody."""

promotion = Table(
    "promotion",
    metadata,
    Column("change_id", String(256), primary_key=True),
    Column("decided_at", Moment, nullable=False, index=True),
    Column("recorded_at", Moment, nullable=False),
    Column("verdict", String(16), nullable=False),  # of its trial; "": there was none
    Column("trial_id", String(64), nullable=False),
    Column("record", LargeBinary, nullable=False),  # ProfileChange
)
"""Every change of the profile in force, those that came on the topic as well; the newest one holds."""

missed = Table(
    "missed",
    metadata,
    Column("missed_id", String(64), primary_key=True),
    Column("hazard", String(32), nullable=False),
    Column("place", JSON, nullable=False),  # a whole Place
    Column("began_at", Moment, nullable=False, index=True),
    Column("known_by", String(32), nullable=False),  # by which way it became known
    Column("words", Text, nullable=False),
    Column("made_by", String(256), nullable=False),
    Column("made_at", Moment, nullable=False, index=True),
    Column("withdrawn_by", String(256), nullable=False),  # "": it stands
)
"""What happened and Vigie never told of, as analysts note it."""
