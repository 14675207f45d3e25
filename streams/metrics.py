"""The metrics of the stream program: what each means when it moves, for the person on call.

Each process serves what it counts itself (`served`); what is here of others would stand at zero for ever.
"""

import time
from collections.abc import Iterable
from importlib.metadata import version
from itertools import product
from typing import get_args

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, Info

from records import Level
from records.signal import ACTUALITIES
from streams.topics import ALERTS as ALERTS_TOPIC
from streams.topics import CONTEXT, DECISIONS, TOPICS
from streams.topics import POSTS as POSTS_TOPIC
from streams.topics import SIGNALS as SIGNALS_TOPIC

WORKER = CollectorRegistry()
"""What a worker counts."""
EVERYWHERE = CollectorRegistry()
"""What every process tells of itself."""

QUICK = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30, 60, 300)
SLOW = (0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 14_400, 86_400)
"""Seconds, from what is over at once to what took a day."""

CLOCK = Gauge(
    "vigie_clock_timestamp_seconds",
    "What time it is here. Off from Prometheus's own by more than a few seconds: a clock is wrong, and posts look late "
    "or early.",
    registry=EVERYWHERE,
)
CLOCK.set_function(time.time)
BUILD = Info(
    "vigie_build", "Which Vigie this is. More than one version for long: an upgrade got stuck.", registry=EVERYWHERE
)
BUILD.info({"version": version("vigie")})

SEND_SECONDS = Histogram(
    "vigie_kafka_send_seconds",
    "Seconds until the broker had what was sent to a topic at once. Rising: the broker is slow, and all with it.",
    ["topic"],
    buckets=QUICK,
    registry=EVERYWHERE,
)
SEND_FAILURES = Counter(
    "vigie_kafka_send_failures_total",
    "Times the broker did not take what was sent to a topic; it is sent again. Rising: the broker is away or full.",
    ["topic"],
    registry=EVERYWHERE,
)

STEP_SECONDS = Histogram(
    "vigie_step_seconds",
    "Seconds that a step took for one batch, of posts with the wait for the batch before it. Rising: its lag follows; "
    "look at the processors, the disk, the broker.",
    ["step"],
    buckets=QUICK,
    registry=WORKER,
)
STEP_RECORDS = Counter(
    "vigie_step_records_total",
    "Records that a step has handled: as many as its outcomes together. Not so: the counting is broken, report it.",
    ["step"],
    registry=WORKER,
)
POSTS = Counter(
    "vigie_posts_total",
    "Posts read from posts.v1, each in one outcome. `dead_letter` rising: a source has changed its format.",
    ["outcome"],
    registry=WORKER,
)
READINGS = Counter(
    "vigie_readings_total",
    "Posts that the hazard model has read, by the likeliest hazard over its threshold and by when or how they speak "
    "of it. The share of `none` moving for days: look at the page of trust, the model or the posts have changed.",
    ["hazard", "actuality"],
    registry=WORKER,
)
MODEL_LACKING = Gauge(
    "vigie_model_lacking",
    "1: the hazard model in force is not on this machine, and the one before it reads. Copy its folder here.",
    registry=WORKER,
)
IN_FORCE = Info(
    "vigie_in_force",
    "By which profile is decided, and which model reads. Not the same on all workers for more than a minute: one of "
    "them has not heard of a change.",
    registry=WORKER,
)
SIGNALS = Counter(
    "vigie_signals_total",
    "Values read from signals.v1, each in one outcome. `dead_letter` rising: our own records do not fit, act now.",
    ["outcome"],
    registry=WORKER,
)
SIGNALS_SENT = Counter(
    "vigie_signals_sent_total",
    "Signals made of posts. Flat while posts come in: nothing is read as danger.",
    ["hazard"],
    registry=WORKER,
)
CLAIMS_SENT = Counter(
    "vigie_claims_sent_total",
    "Needs and offers read in posts; `closed`: no longer so. Rising with no incident: the words mislead, read some.",
    ["kind", "state"],
    registry=WORKER,
)
STATEMENTS = Counter(
    "vigie_statements_total",
    "What authorities state (context.v1) and people decide (decisions.v1), each in one outcome. `dead_letter`: one was "
    "not heard, look at whoever sent it.",
    ["topic", "outcome"],
    registry=WORKER,
)
ALERTS = Counter(
    "vigie_alerts_total",
    "Alert revisions raised. A jump: many incidents, or one model or baseline gone wrong.",
    ["level"],
    registry=WORKER,
)
RAISED = Counter(
    "vigie_incidents_raised_total",
    "Incidents that reached a level for the first time, true and false ones alike. Above `vigie_budget_per_week` for "
    "more than a week, and little of it true: look at the page of trust.",
    ["hazard", "level"],
    registry=WORKER,
)
BUDGET = Gauge(
    "vigie_budget_per_week",
    "False ones a week that the profile in force accepts, over everything watched. It moves when people "
    "change the profile.",
    ["level"],
    registry=WORKER,
)
NOTICES = Counter(
    "vigie_alerts_read_total",
    "Alert revisions taken over by the outbox, each in one outcome. Behind vigie_alerts_total for minutes: nobody "
    "is told of what is raised, look at the lag of alerts.v1.",
    ["outcome"],
    registry=WORKER,
)
DEAD_LETTERS = Counter(
    "vigie_dead_letters_total",
    "Values set aside unread. Above zero for long: a source or a record has changed.",
    ["topic", "reason"],
    registry=WORKER,
)
LATENCY = Histogram(
    "vigie_post_to_decision_seconds",
    "Seconds from our receiving a post to the decision on its signal. Rising: we lag behind.",
    buckets=QUICK,
    registry=WORKER,
)
POST_TO_ALERT = Histogram(
    "vigie_post_to_alert_seconds",
    "Seconds from our receiving a post to the broker's having the alert revision that it caused. Rising: people are "
    "warned later; look at the lag.",
    ["hazard", "level"],
    buckets=QUICK,
    registry=WORKER,
)
RETRACTION = Histogram(
    "vigie_retraction_seconds",
    "Seconds from our hearing of a deletion to its words having left the detectors. Rising: what people took back is "
    "kept for longer than need be.",
    buckets=SLOW,
    registry=WORKER,
)
LAG = Gauge(
    "vigie_lag_records",
    "Records on a topic not yet handled, committed or not. Growing: the worker is too slow or stuck.",
    ["topic"],
    registry=WORKER,
)
OPEN_INCIDENTS = Gauge(
    "vigie_incidents_due",
    "Areas where time alone will change something: an incident falls quiet or is over, or something is forgotten. Only "
    "ever rising: ticks do not arrive.",
    registry=WORKER,
)
AREAS = Gauge(
    "vigie_detector_areas",
    "Areas of which the detectors have heard anything since this worker took them over. A drop: it was started again, "
    "or another worker has taken some over.",
    ["hazard"],
    registry=WORKER,
)
USUAL = Gauge(
    "vigie_expected_signals_per_hour",
    "Posts of a hazard that are usual now, over these areas: what the baselines have learned, by the hour of the week. "
    "A jump without a change of profile: a baseline has gone wrong.",
    ["hazard"],
    registry=WORKER,
)
CAME = Gauge(
    "vigie_observed_signals_per_hour",
    "Posts of a hazard that came within the last hour, over the same areas, counted as the baselines count. Zero while "
    "some are usual: we are deaf, look at the sources.",
    ["hazard"],
    registry=WORKER,
)
COMMIT_SECONDS = Histogram(
    "vigie_faust_commit_seconds",
    "Seconds that Faust took to commit offsets. Rising: the broker is slow; a crash now would repeat more.",
    buckets=QUICK,
    registry=WORKER,
)
REBALANCES = Counter(
    "vigie_faust_rebalances_total",
    "Times partitions were handed out anew among workers. Rising without a start or a stop: workers lose the broker.",
    registry=WORKER,
)
REBALANCING = Gauge(
    "vigie_faust_rebalancing",
    "1 while partitions are handed out and tables restored: nothing is handled. For minutes: look at the "
    "other workers.",
    registry=WORKER,
)
BUFFER_FULL = Counter(
    "vigie_faust_buffer_full_total",
    "Times reading a topic had to wait for a step. Rising: the worker cannot keep up; see vigie_step_seconds.",
    ["topic"],
    registry=WORKER,
)
PROGRESS_AGE = Gauge(
    "vigie_progress_age_seconds",
    "Seconds without progress while something waits, or since the loop last came round. Past the limit the worker is "
    "restarted.",
    registry=WORKER,
)


def start_at_zero(metric: Counter | Histogram, *labels: Iterable[str]) -> None:
    """Have every combination of labels there from the start: an alert on what is absent never fires."""
    for values in product(*labels):
        metric.labels(*values)


STEPS = ("enrich", "detect", "context", "decide", "notify")
POST_OUTCOMES = ("signal", "no_hazard", "unplaced", "delete", "purge", "dead_letter")
SIGNAL_OUTCOMES = ("taken", "tick", "statement", "retraction", "profile", "dead_letter")
REASONS = ("empty", "invalid", "undecodable", "step_failed")
READ = [topic.name for topic in (POSTS_TOPIC, SIGNALS_TOPIC, CONTEXT, DECISIONS, ALERTS_TOPIC)]

IN_FORCE.info({"profile": "", "model": ""})
start_at_zero(STEP_SECONDS, STEPS)
start_at_zero(STEP_RECORDS, STEPS)
start_at_zero(POSTS, POST_OUTCOMES)
start_at_zero(READINGS, ("fire", "flood", "industrial", "none"), ACTUALITIES)
start_at_zero(SIGNALS, SIGNAL_OUTCOMES)
start_at_zero(STATEMENTS, (CONTEXT.name, DECISIONS.name), ("taken", "dead_letter"))
start_at_zero(ALERTS, get_args(Level))
start_at_zero(NOTICES, ("taken", "dead_letter"))
start_at_zero(DEAD_LETTERS, READ, REASONS)
start_at_zero(BUFFER_FULL, READ)
start_at_zero(SEND_FAILURES, [topic.name for topic in TOPICS])


def served(own: CollectorRegistry) -> CollectorRegistry:
    """Return what a process serves: what it counts, what every process tells, and how Python and the process do."""
    registry = CollectorRegistry()
    for one in (own, EVERYWHERE, REGISTRY):
        registry.register(one)
    return registry
