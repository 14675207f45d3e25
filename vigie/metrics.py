"""The metrics of the edge and of the notifications: what each means when it moves, for the person on call."""

from prometheus_client import Counter

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
NOTIFICATIONS = Counter(
    "vigie_notifications_total",
    "Notifications by outcome. `failed` above zero: somebody must be told by hand.",
    ["receiver", "outcome"],
)
