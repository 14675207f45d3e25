"""The metrics of the stream program: what each means when it moves, for the person on call."""

from prometheus_client import Counter, Gauge, Histogram

POSTS = Counter(
    "vigie_posts_total",
    "Posts read from posts.v1, each in one outcome. `dead_letter` rising: a source has changed its format.",
    ["outcome"],
)
MODEL_LACKING = Gauge(
    "vigie_model_lacking",
    "1: the hazard model in force is not on this machine, and the one before it reads. Copy its folder here.",
)
SIGNALS = Counter(
    "vigie_signals_total",
    "Values read from signals.v1, each in one outcome. `dead_letter` rising: our own records do not fit, act now.",
    ["outcome"],
)
SIGNALS_SENT = Counter(
    "vigie_signals_sent_total",
    "Signals made of posts. Flat while posts come in: nothing is read as danger.",
    ["hazard"],
)
CLAIMS_SENT = Counter(
    "vigie_claims_sent_total",
    "Needs and offers read in posts; `closed`: no longer so. Rising with no incident: the words mislead, read some.",
    ["kind", "state"],
)
ALERTS = Counter(
    "vigie_alerts_total",
    "Alert revisions raised. A jump: many incidents, or one model or baseline gone wrong.",
    ["level"],
)
NOTICES = Counter(
    "vigie_alerts_read_total", "Alert revisions taken over by the outbox, each in one outcome.", ["outcome"]
)
DEAD_LETTERS = Counter(
    "vigie_dead_letters_total",
    "Values set aside unread. Above zero for long: a source or a record has changed.",
    ["topic", "reason"],
)
LATENCY = Histogram(
    "vigie_post_to_decision_seconds",
    "Seconds from our receiving a post to the decision on its signal. Rising: we lag behind.",
    buckets=(0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60, 300),
)
LAG = Gauge(
    "vigie_lag_records",
    "Records on a topic not yet handled. Growing: the worker is too slow or stuck.",
    ["topic"],
)
OPEN_INCIDENTS = Gauge("vigie_incidents_due", "Areas with an incident whose next step has a date.", [])
PROGRESS_AGE = Gauge(
    "vigie_progress_age_seconds",
    "Seconds without progress while there is lag. Past the limit the worker is restarted.",
)
