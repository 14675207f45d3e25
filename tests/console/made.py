"""Records for tests of the console: of that morning at Le Havre where nothing else is said."""

from datetime import UTC, datetime, timedelta
from typing import Any

from records import (
    Alert,
    Bulletin,
    Evidence,
    Matcher,
    Notification,
    Place,
    Post,
    Pulse,
    Retraction,
    Signal,
    Silence,
    SourceStatus,
    Verdict,
)
from records.digest import DigestMade

MORNING = datetime(2012, 1, 30, 7, 37, tzinfo=UTC)  # 08:37 on the wall of Le Havre
DAY = 24 * 60  # minutes
INCIDENT = "fire-0123456789abcdef"
LE_HAVRE = Place(
    place_id="fr:76351",
    name="Le Havre",
    lat=49.49,
    lon=0.11,
    radius_km=6.0,
    level="commune",
    confidence=0.9,
    source="text",
    reasons=("named",),
    country="FR",
    insee="76351",
    dep="76",
)


def minutes(number: float) -> datetime:
    """Return a moment so many minutes into the morning."""
    return MORNING + timedelta(minutes=number)


def some_evidence(number: int = 1, **changes: Any) -> Evidence:
    """Make one post behind an incident."""
    fields: dict[str, Any] = {
        "post_key": f"facebook:e{number:04}",
        "event_time": minutes(number - 5),
        "author_id": f"a{number:015}",
        "likelihood_ratio": 9.5,
        "contribution": 1.25,
        "is_witness": number == 1,
        "platform": "facebook",
        "author_tier": 1,
        "url": f"https://example.org/e{number:04}",
        "text": f"de la fumée noire à la centrale ({number})",
    }
    return Evidence(**{**fields, **changes})


def an_alert(**changes: Any) -> Alert:
    """Make one revision of an incident: a watch by one witness."""
    fields: dict[str, Any] = {
        "incident_id": INCIDENT,
        "revision": 1,
        "level": "watch",
        "hazard": "fire",
        "place": LE_HAVRE,
        "onset": minutes(-17),
        "raised_at": minutes(min(changes.get("revision", 1), DAY) - 1),
        "score": 0.4,
        "probability": 0.8,
        "severity": "Severe",
        "urgency": "Immediate",
        "certainty": "Possible",
        "evidence": (some_evidence(),),
        "posts": 1,
        "authors": 1,
        "witnesses": 1,
        "copies": 0,
        "explanation": {"fr": "Une personne parle d’un feu.", "en": "One person speaks of a fire."},
        "unknowns": ("no_official_word",),
        "thresholds": {"watch": 1000.0, "alert": 50000.0},
        "profile": "city/1",
        "versions": {"rule": "burst/1"},
        "area": "76",
    }
    return Alert(**{**fields, **changes})


def a_verdict(decision: str = "acknowledge", **changes: Any) -> Verdict:
    """Make what somebody decided of the incident."""
    fields: dict[str, Any] = {
        "incident_id": INCIDENT,
        "hazard": "fire",
        "area": "76",
        "decision": decision,
        "decided_at": minutes(3),
        "decided_by": "astreinte (operator)",
        "decision_id": f"{decision}-1",
    }
    return Verdict(**{**fields, **changes})


def a_notification(**changes: Any) -> Notification:
    """Make that somebody was told of the incident."""
    fields: dict[str, Any] = {
        "notification_id": "worker-1/1",
        "incident_id": INCIDENT,
        "revision": 1,
        "level": "watch",
        "receiver": "astreinte",
        "route": "cellule",
        "state": "sent",
        "at": minutes(1),
        "attempts": 1,
    }
    return Notification(**{**fields, **changes})


def a_status(source: str = "bluesky", state: str = "listening", **changes: Any) -> SourceStatus:
    """Make how a source is."""
    fields: dict[str, Any] = {
        "source": source,
        "way": "network",
        "state": state,
        "at": minutes(0),
        "since": minutes(-60),
    }
    return SourceStatus(**{**fields, **changes})


def a_silence(**changes: Any) -> Silence:
    """Make a silence on fires of the département, for an hour."""
    fields: dict[str, Any] = {
        "silence_id": "5f1e0a2b",
        "matchers": (Matcher(name="hazard", value="fire"), Matcher(name="area", value="76")),
        "author": "astreinte (operator)",
        "reason": "exercice du SDIS",
        "starts_at": minutes(0),
        "ends_at": minutes(60),
        "made_at": minutes(0),
    }
    return Silence(**{**fields, **changes})


def a_bulletin(**changes: Any) -> Bulletin:
    """Make what the operator of a plant states."""
    fields: dict[str, Any] = {
        "bulletin_id": "allo:1",
        "source": "allo-industrie",
        "kind": "operator_notice",
        "area": "76",
        "issued_at": minutes(10),
        "received_at": minutes(11),
        "text": "Torche visible jusqu’à midi.",
    }
    return Bulletin(**{**fields, **changes})


def a_pulse(number: int = 0, **changes: Any) -> Pulse:
    """Make what a source read in one minute of the morning."""
    fields: dict[str, Any] = {
        "source": "bluesky",
        "minute": minutes(number),
        "language": "fr",
        "area": "",
        "outcomes": {"kept": 1, "gated": 40},
    }
    return Pulse(**{**fields, **changes})


def a_signal(number: int = 1, **changes: Any) -> Signal:
    """Make a post read as evidence."""
    fields: dict[str, Any] = {
        "post_key": f"facebook:e{number:04}",
        "source": "facebook",
        "hazard": "fire",
        "place": LE_HAVRE,
        "event_time": minutes(number),
        "received_at": minutes(number),
        "probability": 0.9,
        "likelihood_ratio": 9.5,
        "witness_probability": 0.7,
        "actuality": "now",
        "author_id": f"a{number:015}",
        "platform": "facebook",
        "text": f"de la fumée noire à la centrale ({number})",
    }
    return Signal(**{**fields, **changes})


def a_retraction(post_key: str = "facebook:e0001", **changes: Any) -> Retraction:
    """Make that a post was taken back."""
    return Retraction(**{"at": minutes(30), "post_key": post_key, **changes})


def a_digest(**changes: Any) -> DigestMade:
    """Make that a shift had its digest."""
    fields: dict[str, Any] = {
        "digest_id": "digest/2012-01-30T07:00Z",
        "since": minutes(-757),
        "until": minutes(-37),
        "ends": (),
    }
    return DigestMade(**{**fields, **changes})


def a_post(**changes: Any) -> Post:
    """Make a report of watch staff, as it is sent."""
    fields: dict[str, Any] = {
        "source": "intake",
        "platform": "vigie",
        "id": "r1",
        "posted_at": minutes(5),
        "received_at": minutes(5),
        "author_id": "0f0f0f0f0f0f0f0f",
        "text": "Flammes à la centrale, vues par un agent.",
        "is_trusted": True,
    }
    return Post(**{**fields, **changes})


def a_report_row(**changes: Any) -> dict[str, Any]:
    """Make the row of that report."""
    row = {
        "report_id": "r1",
        "post_key": "vigie:r1",
        "what": "fire",
        "text": "Flammes à la centrale, vues par un agent.",
        "place": {"name": "Le Havre", "lat": 49.49, "lon": 0.11, "radius_km": 1.0},
        "seen_by": "colleague",
        "credibility": "high",
        "seen_at": minutes(4),
        "url": None,
        "photo_note": "",
        "made_by": "astreinte (operator)",
        "made_at": minutes(5),
        "is_withdrawn": False,
    }
    return {**row, **changes}
