"""The metrics of the edge, of the notifications and of the console: what each means when it moves.

Those of the notifications are the worker's, which tells people.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from streams.metrics import SLOW, WORKER

EDGE = CollectorRegistry()
"""What an edge counts."""
CONSOLE = CollectorRegistry()
"""What the console counts."""

READ = Counter(
    "vigie_read_total",
    "Values read from a source, each in one outcome. `refused` rising: the source has changed its format. "
    "Nothing rising: we are blind there.",
    ["source", "outcome", "reason"],
    registry=EDGE,
)
UNAVAILABLE = Counter(
    "vigie_source_unavailable_total",
    "Times a source could not be read. Rising: it is down or refuses us.",
    ["source"],
    registry=EDGE,
)
GAP_SECONDS = Counter(
    "vigie_source_gap_seconds_total",
    "Seconds of a source that nobody will ever have seen. Above zero: say so.",
    ["source"],
    registry=EDGE,
)
SOURCE_STATE = Gauge(
    "vigie_source_state",
    "1 for the state that a source is in. `blind`: no post from there means nothing; `unsure`: it tells by itself and "
    "has said nothing for long.",
    ["source", "state"],
    registry=EDGE,
)
LOOKED = Gauge(
    "vigie_sources_looked_at_timestamp_seconds",
    "When the edge last looked how its sources stand, which it does every five seconds. A minute ago: it stands still, "
    "and what its other metrics say is old.",
    registry=EDGE,
)
LAST_SIGN = Gauge(
    "vigie_source_last_sign_timestamp_seconds",
    "When a source last gave any sign of life, heartbeats and answered polls included.",
    ["source"],
    registry=EDGE,
)
LAST_POST = Gauge(
    "vigie_source_last_post_timestamp_seconds",
    "When a source last brought a post. Long ago while it shows signs of life: nobody writes there, or we "
    "ask for the wrong things.",
    ["source"],
    registry=EDGE,
)
LAG = Gauge(
    "vigie_source_lag_seconds",
    "Between the saying and the hearing of a source's last post. Growing: the platform, or our line, is behind.",
    ["source"],
    registry=EDGE,
)
AHEAD = Gauge(
    "vigie_source_ahead_seconds",
    "How far ahead of our clock a source's last post claims to have been said. Above a minute for long: its clock or "
    "ours is wrong, and times of incidents with it.",
    ["source"],
    registry=EDGE,
)
SPENT = Gauge(
    "vigie_source_spent_usd",
    "What a source's posts have cost this month. Near vigie_source_ceiling_usd: it will stop there.",
    ["source"],
    registry=EDGE,
)
CEILING = Gauge(
    "vigie_source_ceiling_usd",
    "What they may cost a month; the source stops there.",
    ["source"],
    registry=EDGE,
)
OLDEST = Gauge(
    "vigie_topic_oldest_seconds",
    "Age of the oldest record on a topic, at the last sweep. Beyond the topic's retention: somebody was promised less.",
    ["topic"],
    registry=EDGE,
)
RETENTION = Gauge(
    "vigie_topic_retention_seconds",
    "For how long a topic may keep a record. It moves with a new version of Vigie alone.",
    ["topic"],
    registry=EDGE,
)
SWEPT = Gauge(
    "vigie_swept_timestamp_seconds",
    "When what was deleted was last followed up on all topics; at first, when this process began. Hours ago: "
    "deletions are overdue, look at the edge's log and at the broker.",
    registry=EDGE,
)
TAKEN_BACK = Counter(
    "vigie_taken_back_total",
    "Posts and told alerts from which a sweep took what somebody had deleted. Zero for months beside `delete` and "
    "`purge` in vigie_posts_total: nothing was left to be followed up.",
    ["what"],
    registry=EDGE,
)
HOME = Gauge(
    "vigie_home",
    "1 at the home commune, where one is set: where a map with nothing on it should look.",
    ["place", "geohash"],
    registry=WORKER,
)
BLIND = Gauge(
    "vigie_blind",
    "1 where no source of this process listens on a way that witnesses take: say so wherever alerts are shown.",
    ["way"],
    registry=EDGE,
)
NOTIFICATIONS = Counter(
    "vigie_notifications_total",
    "Notifications by outcome. `failed` above zero: somebody must be told by hand.",
    ["receiver", "outcome"],
    registry=WORKER,
)
ALERT_TO_NOTIFICATION = Histogram(
    "vigie_alert_to_notification_seconds",
    "Seconds from the outbox's having an alert revision to its receiver's having it, without those that something kept "
    "back. Rising: a receiver is slow or not well.",
    ["receiver"],
    buckets=SLOW,
    registry=WORKER,
)
OUTBOX_ROWS = Gauge(
    "vigie_outbox_rows",
    "Notifications of the last 30 days in the outbox, each in one state. `failed` rising: somebody must be "
    "told by hand.",
    ["receiver", "state"],
    registry=WORKER,
)
OUTBOX_WAITING = Gauge(
    "vigie_outbox_waiting",
    "Notifications that wait for a receiver although nothing keeps them back. Growing: it cannot be told.",
    ["receiver"],
    registry=WORKER,
)
OUTBOX_OLDEST = Gauge(
    "vigie_outbox_oldest_seconds",
    "For how long the oldest of these has waited. Minutes: somebody does not know yet, tell them by hand.",
    ["receiver"],
    registry=WORKER,
)
HELD = Counter(
    "vigie_notifications_held_total",
    "Notifications kept back, or needless (`words`, `never_told`), by why. `silence` rising long after an exercise: "
    "somebody forgot to end one.",
    ["receiver", "cause"],
    registry=WORKER,
)
ESCALATED = Counter(
    "vigie_escalations_total",
    "Incidents that nobody acknowledged in time, so that others were called. Rising: nobody is on duty.",
    ["route"],
    registry=WORKER,
)
DRIFT_INDEX = Gauge(
    "vigie_drift_index",
    "How far this week's scores are from those of the four weeks before (population stability index). From 0.25 on, or "
    "more where posts are few: the model, a source or the language of posts has changed.",
    ["hazard", "score"],
    registry=CONSOLE,
)
DRIFT_WARNINGS = Gauge(
    "vigie_drift_warnings",
    "What the console's page of trust warns of now. `score`: readings have shifted, so probabilities may be wrong; "
    "`baseline`: areas say far more or less than is usual, so false alarms may come, or watches late.",
    ["kind"],
    registry=CONSOLE,
)
UNTOLD = Counter(
    "vigie_alerts_untold_total",
    "Alert revisions that took no route, so that nobody was told. Not meant? Look at the matchers in `[[routes]]`.",
    ["level"],
    registry=WORKER,
)
VIEWERS = Gauge(
    "vigie_console_viewers",
    "Pages of the console that are open just now. Zero during an incident: nobody looks.",
    registry=CONSOLE,
)
READY = Gauge(
    "vigie_console_ready",
    "1 once the console has taken in all that stood on the topics when it began. 0 for minutes: it is far behind, or "
    "the broker does not answer.",
    registry=CONSOLE,
)
DECISIONS_WAITING = Gauge(
    "vigie_decisions_waiting",
    "What people said on the console and the broker does not have yet, 500 at most. Above zero for a minute: workers "
    "do not hear it, look at the broker.",
    registry=CONSOLE,
)
RECORDING_WAITING = Gauge(
    "vigie_recording_waiting",
    "Rows of the recording that are not on disk yet. Growing: the disk is full or slow.",
    registry=CONSOLE,
)
RECORDING_LOST = Gauge(
    "vigie_recording_lost",
    "Records that the recording will never have, since the console began. Above zero: a backtest of these days "
    "lacks them.",
    registry=CONSOLE,
)
RECORDING_FAILING = Gauge(
    "vigie_recording_failing",
    "1 while the recording cannot be written. Look at the log of the console, and at the disk.",
    registry=CONSOLE,
)
