"""What travels between the rooms: records, their codec, errors and event time. Imports nothing of ours."""

from records.alert import (
    Alert,
    Certainty,
    Context,
    Correction,
    CrisisClock,
    Declaration,
    Evidence,
    Level,
    Rumour,
    Severity,
    Urgency,
)
from records.bulletin import Bulletin
from records.claim import Claim, Claimed
from records.codec import decode, encode
from records.dead_letter import DeadLetter
from records.doubt import DOUBTS, Doubt
from records.errors import (
    BrokenInvariant,
    MalformedRecord,
    SettingsError,
    SourceUnavailable,
    VigieError,
)
from records.model_change import ModelChange
from records.notification import Notification, NotificationState
from records.place import Place
from records.post import Geo, Media, Post
from records.profile_change import ProfileChange
from records.pulse import Pulse
from records.report import Report, report_in
from records.retraction import Retraction, words_of
from records.signal import ACTUALITIES, HAZARDS, Signal, Tick
from records.silence import Matcher, Silence
from records.source_status import SourceStatus
from records.statement import Statement
from records.time import Clock, ManualClock, SystemClock
from records.truth import TrueIncident, Truth
from records.verdict import ANSWERING, Verdict

__all__ = [
    "ACTUALITIES",
    "ANSWERING",
    "DOUBTS",
    "HAZARDS",
    "Alert",
    "BrokenInvariant",
    "Bulletin",
    "Certainty",
    "Claim",
    "Claimed",
    "Clock",
    "Context",
    "Correction",
    "CrisisClock",
    "DeadLetter",
    "Declaration",
    "Doubt",
    "Evidence",
    "Geo",
    "Level",
    "MalformedRecord",
    "ManualClock",
    "Matcher",
    "Media",
    "ModelChange",
    "Notification",
    "NotificationState",
    "Place",
    "Post",
    "ProfileChange",
    "Pulse",
    "Report",
    "Retraction",
    "Rumour",
    "SettingsError",
    "Severity",
    "Signal",
    "Silence",
    "SourceStatus",
    "SourceUnavailable",
    "Statement",
    "SystemClock",
    "Tick",
    "TrueIncident",
    "Truth",
    "Urgency",
    "Verdict",
    "VigieError",
    "decode",
    "encode",
    "report_in",
    "words_of",
]
