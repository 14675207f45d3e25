"""Record lines: what each kind of thing in the archive says in a record of what was known when."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from console.archive.dossier import Decided, Message, Recorded, Report, SourceChange, Verification
from console.archive.unheard import Gap
from console.record_file import Said
from records import Alert, Bulletin, Evidence, Notification, Place, Silence

VIGIE = "vigie"
DECISIONS = {"note": "note", "withdraw": "withdrawal"}
"""Kinds of lines for what is no decision on an incident by itself."""
BELIEVED = ("revision", "level", "hazard", "score", "probability", "severity", "urgency", "certainty")
COUNTED = ("posts", "authors", "witnesses", "copies", "usual_per_hour")
GROUNDS = ("onset", "raised_at", "unknowns", "profile", "thresholds", "versions")
BESIDE = ("clock", "declaration", "rumour", "joins", "apart_from", "corrections")


def revision_lines(revisions: Iterable[Recorded]) -> Iterator[Said]:
    """Yield what was told: the words of a post where it is shown for the first time."""
    shown: set[tuple[str, str, str]] = set()
    for one in revisions:
        posts = []
        for post in one.alert.evidence:
            name = one.alert.incident_id, post.post_key, post.text
            posts.append(_post(post, is_new=name not in shown))
            shown.add(name)
        what = {"incident_id": one.alert.incident_id, **_figures(one.alert), "shown": posts}
        yield Said(at=one.recorded_at, kind="revision", who=VIGIE, what=what)


def _figures(alert: Alert) -> dict[str, Any]:
    """Return what was believed, on which grounds, and by which version of the rules."""
    named = {name: getattr(alert, name) for name in (*BELIEVED, *COUNTED, *GROUNDS, *BESIDE)}
    notices = [{"bulletin_id": one.bulletin_id, "source": one.source, "fits": one.fits} for one in alert.context]
    said = {**named, "place": _place(alert.place), "area": alert.area, "context": notices}
    return _plain(said)


def _place(place: Place) -> dict[str, Any]:
    names = ("name", "lat", "lon", "radius_km", "level", "confidence", "insee")
    return {name: getattr(place, name) for name in names}


def _post(post: Evidence, *, is_new: bool) -> dict[str, Any]:
    """Return what a post weighed; its words where they stand and were not given before."""
    names = ("event_time", "platform", "likelihood_ratio", "contribution", "is_witness", "author_tier", "has_image")
    said = {name: getattr(post, name) for name in (*names, "copies", "is_removed")}
    said["doubts"] = list(post.doubts)
    if not post.is_removed:
        said["post_key"] = post.post_key
        if is_new:
            said["text"] = post.text
    return said


def decision_line(one: Decided) -> Said:
    """Return who decided what."""
    verdict = one.verdict
    what: dict[str, Any] = {"incident_id": verdict.incident_id, "decision": verdict.decision}
    for name in ("decision_id", "reason", "withdraws", "read_as", "other"):
        if getattr(verdict, name):
            what[name] = getattr(verdict, name)
    if verdict.place is not None:
        what["place"] = _place(verdict.place)
    if verdict.post_keys:
        what["posts"] = len(verdict.post_keys)
    if one.withdrawn_by is not None:
        what["withdrawn_by"] = one.withdrawn_by.decided_by
        what["withdrawn_at"] = one.withdrawn_by.decided_at
    return Said(
        at=verdict.decided_at, kind=DECISIONS.get(verdict.decision, "decision"), who=verdict.decided_by, what=what
    )


def notification_line(one: Notification) -> Said:
    """Return who was to be told, and what became of it."""
    names = ("incident_id", "revision", "level", "digest_id", "state", "why", "route", "attempts")
    return Said(at=one.at, kind="notification", who=one.receiver, what=_of(one, names))


def bulletin_line(one: Bulletin) -> Said:
    """Return what an authority or an operator stated."""
    names = ("bulletin_id", "kind", "area", "hazard", "colour", "phenomenon", "starts_at", "ends_at", "is_denial")
    what = _of(one, (*names, "text", "received_at"))
    return Said(at=one.issued_at, kind="bulletin", who=one.source, what=what)


def source_line(one: SourceChange) -> Said:
    """Return that a source began to be listened to, or not."""
    return Said(at=one.since, kind="source", who=one.source, what={"state": one.state, "why": one.why})


def gap_line(one: Gap) -> Said:
    """Return that a source was not read for a while."""
    return Said(at=one.since, kind="unheard", who=one.source, what={"until": one.until, "minutes": one.minutes})


def report_line(one: Report) -> Said:
    """Return what somebody told the cell."""
    names = ("report_id", "what", "text", "place", "seen_by", "credibility", "seen_at", "photo_note", "is_withdrawn")
    return Said(at=one.made_at, kind="report", who=one.made_by, what=_of(one, names))


def verification_lines(one: Verification) -> Iterator[Said]:
    """Yield what volunteers were asked, what they found, and that it was passed on."""
    name = {"verification_id": one.verification_id, "incident_id": one.incident_id, "report_id": one.report_id}
    yield Said(at=one.asked_at, kind="verification", who=one.asked_by, what={**name, "question": one.question})
    if one.answered_at is not None:
        found = {**name, "finding": one.finding, "answer": one.answer}
        yield Said(at=one.answered_at, kind="finding", who=one.answered_by, what=found)
    if one.passed_on_at is not None:
        yield Said(at=one.passed_on_at, kind="passed_on", who=one.passed_on_by, what=name)


def message_line(one: Message) -> Said:
    """Return a text that somebody signed."""
    names = ("message_id", "incident_id", "template_id", "channel", "language", "text", "map_version", "state")
    return Said(at=one.signed_at, kind="message", who=one.signed_by, what=_of(one, names))


def silence_line(one: Silence) -> Said:
    """Return which notifications somebody did not want."""
    what = _of(one, ("silence_id", "matchers", "reason", "starts_at", "ends_at"))
    return Said(at=one.made_at, kind="silence", who=one.author, what=what)


def _of(one: Any, names: Iterable[str]) -> dict[str, Any]:
    return _plain({name: getattr(one, name) for name in names})


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values without records in them."""
    plain: dict[str, Any] = msgspec.to_builtins(dict(values), builtin_types=(datetime,))
    return plain
