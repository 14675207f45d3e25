"""The metrics of the edge and of the notifications: what each means when it moves, for the person on call."""

from prometheus_client import Counter, Gauge

READ = Counter(
    "vigie_read_total",
    "Values read from a source, each in one outcome. `refused` rising: the source has changed its format. "
    "Nothing rising: we are blind there.",
    ["source", "outcome", "reason"],
)
UNAVAILABLE = Counter(
    "vigie_source_unavailable_total", "Times a source could not be read. Rising: it is down or refuses us.", ["source"]
)
GAP_SECONDS = Counter(
    "vigie_source_gap_seconds_total",
    "Seconds of a source that nobody will ever have seen. Above zero: say so.",
    ["source"],
)
SOURCE_STATE = Gauge(
    "vigie_source_state",
    "1 for the state that a source is in. `blind`: no post from there means nothing; `unsure`: it tells by itself and "
    "has said nothing for long.",
    ["source", "state"],
)
LAST_SIGN = Gauge(
    "vigie_source_last_sign_timestamp_seconds",
    "When a source last gave any sign of life, heartbeats and answered polls included.",
    ["source"],
)
LAST_POST = Gauge("vigie_source_last_post_timestamp_seconds", "When a source last brought a post.", ["source"])
LAG = Gauge(
    "vigie_source_lag_seconds",
    "Between the saying and the hearing of a source's last post. Growing: the platform, or our line, is behind.",
    ["source"],
)
SPENT = Gauge("vigie_source_spent_usd", "What a source's posts have cost this month.", ["source"])
CEILING = Gauge("vigie_source_ceiling_usd", "What they may cost a month; the source stops there.", ["source"])
OLDEST = Gauge(
    "vigie_topic_oldest_seconds",
    "Age of the oldest record on a topic, at the last sweep. Beyond the topic's retention: somebody was promised less.",
    ["topic"],
)
BLIND = Gauge(
    "vigie_blind",
    "1 where no source of this process listens on a way that witnesses take: say so wherever alerts are shown.",
    ["way"],
)
NOTIFICATIONS = Counter(
    "vigie_notifications_total",
    "Notifications by outcome. `failed` above zero: somebody must be told by hand.",
    ["receiver", "outcome"],
)
HELD = Counter(
    "vigie_notifications_held_total",
    "Notifications kept back, or needless (`words`, `never_told`), by why. `silence` rising long after an exercise: "
    "somebody forgot to end one.",
    ["receiver", "cause"],
)
ESCALATED = Counter(
    "vigie_escalations_total",
    "Incidents that nobody acknowledged in time, so that others were called. Rising: nobody is on duty.",
    ["route"],
)
DRIFT_INDEX = Gauge(
    "vigie_drift_index",
    "How far this week's scores are from those of the four weeks before (population stability index). From 0.25 on, or "
    "more where posts are few: the model, a source or the language of posts has changed.",
    ["hazard", "score"],
)
DRIFT_WARNINGS = Gauge(
    "vigie_drift_warnings",
    "What the console's page of trust warns of now. `score`: readings have shifted, so probabilities may be wrong; "
    "`baseline`: areas say far more or less than is usual, so false alarms may come, or watches late.",
    ["kind"],
)
UNTOLD = Counter(
    "vigie_alerts_untold_total",
    "Alert revisions that took no route, so that nobody was told. Not meant? Look at the matchers in `[[routes]]`.",
    ["level"],
)
