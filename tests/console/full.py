"""An archive with something of everything in it, so that each page shows all that it can show."""

import itertools
from datetime import timedelta
from typing import Any, cast, get_args

import httpx
from msgspec.structs import replace

from console.access import sessions, tokens
from console.access.account_rows import insert_account, named
from console.access.roles import ROLES, Role
from console.access.visitor import Visitor
from console.archive.database import writing
from console.archive.saying import decide, report
from console.archive.taking import take
from console.desk import Desk
from console.reports import verifying
from console.trust.missed import Missed, declare
from records import Context, CrisisClock, Declaration, Matcher, Rumour, Verdict
from records.alert import Correction, Level, RumourSign
from records.bulletin import BulletinKind
from records.doubt import Doubt
from records.notification import NotificationState
from records.post import AuthorKind
from records.source_status import State
from tests.console.entering import csrf_of
from tests.console.made import (
    INCIDENT,
    LE_HAVRE,
    a_digest,
    a_notification,
    a_post,
    a_pulse,
    a_report_row,
    a_retraction,
    a_signal,
    a_silence,
    a_status,
    a_verdict,
    an_alert,
    minutes,
    some_evidence,
)

CELL = Visitor(name="compte operator", role="operator")
ANALYST = Visitor(name="compte analyst", role="analyst")
VOLUNTEER = Visitor(name="compte volunteer", role="volunteer")
NEW = "new"  # who must choose a password
REPORT = "0123456789abcdef"
QUESTION = "aaaaaaaaaaaaaaaa"
NONCE = "0123456789abcdef"
CONFIRMED = "fire-confirmed"
LEVELS: tuple[Level, ...] = get_args(Level)
STATES = get_args(State)
LATE = minutes(60)
"""When it is looked at; a clock stands there."""
MISSED = Missed(
    missed_id="m1",
    hazard="flood",
    place=LE_HAVRE,
    began_at=minutes(-600),
    known_by="caller",
    words="rue sous l’eau",
    made_by=ANALYST.name,
    made_at=minutes(0),
    withdrawn_by="",
)
REPORTED = {
    "report_id": REPORT,
    "what": "fire",
    "words": "Flammes au-dessus du toit",
    "place": "Le Havre",
    "lat": "49.505",
    "lon": "0.130",
    "accuracy": "point",
    "seen_at": "2012-01-30T08:50",
    "seen_by": "caller",
    "credibility": "",
    "url": "https://example.org/photo",
    "photo_note": "Une photo, prise du quai",
}
SIGNED = {"incident": CONFIRMED, "message": "fire-confirmed-population", "stage": "confirmed", "nonce": NONCE}
BLANKS = {"clock": "14:30", "number": "3", "phone": "02 35 00 00 00"}


async def fill(desk: Desk, *, is_empty: bool = False) -> dict[str, str]:
    """Put everything into an archive but what only a form can; return a session of somebody of each role."""
    if not is_empty:
        await _fill(desk)
    return await _people(desk)


async def _fill(desk: Desk) -> None:
    await take(desk.engine, [*_incident(), *_others(), *_heard(), *_judged()], minutes(50))
    await declare(desk.engine, ANALYST, MISSED)
    desk.feed.take(_said(), LATE)
    for number, (decision, more) in enumerate(_decisions().items()):
        at = minutes(20 + number)
        verdict = Verdict(
            incident_id=INCIDENT,
            hazard="fire",
            area="76",
            decision=decision,  # type: ignore[arg-type]  # the keys are decisions
            decided_at=at,
            decided_by=CELL.name,
            decision_id=f"{decision}-{number}",
            reason="parole du SDIS",
            **more,
        )
        await decide(desk, CELL, verdict)
    await report(desk, CELL, a_post(id=REPORT), _report_row())
    await _verify(desk)


def _report_row() -> dict[str, Any]:
    return a_report_row(
        report_id=REPORT,
        post_key=f"vigie:{REPORT}",
        url=REPORTED["url"],
        photo_note=REPORTED["photo_note"],
        made_by=CELL.name,
    )


def _incident() -> list[Any]:
    """Return the revisions of one incident that has all an incident can have, and who was told of it."""
    doubts: tuple[Doubt, ...] = get_args(Doubt)
    evidence = (
        some_evidence(1, has_image=True, author_tier=2, copies=3),
        some_evidence(2, contribution=0.3, likelihood_ratio=1.2, doubts=doubts),
        some_evidence(3, text="", is_removed=True),
        some_evidence(4, text="", url=None, platform="", contribution=0.0, likelihood_ratio=30.0),
    )
    notices = tuple(
        Context(
            bulletin_id=f"b{number}",
            source="allo-industrie",
            kind=kind,
            text="Torche visible jusqu’à midi",
            issued_at=minutes(number),
            fits=fits,
            because={"fr": "même heure", "en": "same time"},
            url="https://example.org/notice",
        )
        for number, (kind, fits) in enumerate(
            zip(get_args(BulletinKind), itertools.cycle((True, False, None)), strict=False)
        )
    )
    clock = CrisisClock(
        first_post=minutes(-17),
        first_witness=minutes(-4),
        first_picture=minutes(2),
        first_press=minutes(4),
        first_operator=minutes(-20),
        minutes=40,
        silent_minutes=40,
    )
    whole = {
        "revision": 2,
        "level": "alert",
        "evidence": evidence,
        "context": notices,
        "clock": clock,
        "usual_per_hour": 0.5,
        "posts": 9,
        "authors": 7,
        "copies": 2,
        "unknowns": ("no_official_word", "place_uncertain", "no_image", "single_witness", "single_platform"),
        "rumour": Rumour(signs=get_args(RumourSign), doubts={"old_link": 2}, relays=4, denied_by="prefecture"),
        "declaration": Declaration(outcome="undeclared", minutes=40, duty="astreinte", number="02 35 00 00 00"),
        "corrections": (Correction(what="place", by=CELL.name, at=minutes(9), reason="appel"),),
        "joins": "fire-watch",
    }
    states = get_args(NotificationState)
    told = [
        a_notification(notification_id=f"w/{number}", state=state, why="HTTP 503", level="watch")
        for number, state in enumerate(states)
    ]
    return [an_alert(), an_alert(**whole), *told, a_silence(), *_silences()]


def _silences() -> list[Any]:
    pattern = (Matcher(name="place", value="Le Havre.*", is_regex=True), Matcher(name="level", value="watch"))
    return [
        a_silence(silence_id="pattern", matchers=pattern, ends_at=minutes(600)),
        a_silence(silence_id="soon", starts_at=minutes(90), ends_at=minutes(120)),
        a_silence(silence_id="gone", starts_at=minutes(-90), ends_at=minutes(-30)),
        a_silence(silence_id="theirs", origin="alertmanager", ends_at=minutes(600)),
    ]


def _others() -> list[Any]:
    """Return an incident of each level, one in each kind of place, and one that is as uncertain as can be."""
    by_level = [an_alert(incident_id=f"fire-{level}", level=level, clock=CrisisClock()) for level in LEVELS]
    floods = [
        an_alert(
            incident_id=f"flood-{level}",
            hazard="flood",
            place=replace(LE_HAVRE, level=level, name="Gonfreville-l’Orcher", lat=49.5 + number / 50),
            declaration=Declaration(outcome="declared", bulletin_id="b1"),
        )
        for number, level in enumerate(("point", "site", "quartier", "epci", "dep"))
    ]
    vague = an_alert(incident_id="industrial-1", hazard="industrial", place=replace(LE_HAVRE, confidence=0.05))
    return [*by_level, *floods, vague]


def _judged() -> list[Any]:
    """Return a dozen older incidents that people judged, every third of them false."""
    found: list[Any] = []
    for number in range(12):
        name, at = f"other-{number:02}", minutes(-1440 * (number + 2))
        known = {"incident_id": name, "hazard": "other", "onset": at, "raised_at": at, "profile": "city/2"}
        found += [
            an_alert(**known, probability=0.95 - number / 20),
            an_alert(**known, revision=2, level="alert", clock=CrisisClock(first_authority=at + timedelta(minutes=9))),
            an_alert(**known, revision=3, level="resolved"),
            a_verdict("confirm" if number % 3 else "reject", incident_id=name, decision_id=name, reason="canular"),
        ]
    return found


def _heard() -> list[Any]:
    """Return sources in each state, what they read, and what was taken back."""
    statuses = [
        a_status(
            f"source-{state}",
            state,
            at=LATE,
            why="HTTP 503",
            last_sign_at=minutes(1),
            last_post_at=minutes(1),
            lag_secs=4.0,
            gap_secs=61.0,
            failures=7,
            read=12345,
            refused=3,
            spent_usd=99.0,
            ceiling_usd=100.0,
        )
        for state in STATES
    ]
    was_blind = [a_status("presse", "blind", way="press", since=minutes(-30)), a_status("presse", way="press", at=LATE)]
    pulses = [a_pulse(number, source="source-listening") for number in range(-60, 60, 2)]
    signals = [a_signal(number) for number in range(-15, 5, 3)]
    return [*was_blind, *statuses, *pulses, *signals, a_retraction("facebook:e0099"), a_digest()]


def _said() -> list[Any]:
    kinds = get_args(AuthorKind)
    return [
        a_signal(number, author_kind=kind, cluster_ids=(f"t:{number}",), event_time=minutes(50))
        for number, kind in enumerate(kinds, 20)
    ]


def _decisions() -> dict[str, dict[str, Any]]:
    return {
        "acknowledge": {},
        "note": {},
        "relocate": {"place": replace(LE_HAVRE, name="Harfleur")},
        "change_hazard": {"read_as": "industrial"},
        "merge": {"other": "fire-watch"},
        "split": {"post_keys": ("facebook:e0002",)},
        "confirm": {},
    }


async def _verify(desk: Desk) -> None:
    """Ask volunteers four things: one is free, one taken, one found, one passed on."""
    asked = [
        await verifying.ask(desk, CELL, incident_id=INCIDENT, question=question, verification_id=number * 16)
        for number, question in (("a", "Voit-on des flammes ?"), ("b", ""), ("c", "Où ?"), ("d", "Depuis quand ?"))
    ]
    for one in asked[1:]:
        await verifying.act(desk, VOLUNTEER, one, "take")
    for one, finding in zip(asked[2:], ("true", "unclear"), strict=True):
        found = {"finding": finding, "answer": "vu du quai", "url": "https://example.org/1"}
        assert await verifying.act(desk, VOLUNTEER, one, "answer", **found)
    assert await verifying.act(desk, CELL, asked[3], "pass_on")


async def _people(desk: Desk) -> dict[str, str]:
    """Make an account of each role, and one that must choose a password; return a session of each."""
    found = {}
    async with writing(desk.engine) as connection:
        for who in (*ROLES, NEW):
            role: Role = "viewer" if who == NEW else cast(Role, who)
            name = f"compte {who}"
            await insert_account(
                connection, name, role, desk.clock.now(), {"must_change": who == NEW}, by="compte admin"
            )
            row = await named(connection, name)
            assert row
            found[who] = await sessions.begin(connection, row["account_id"], desk.clock.now())
            if who == "admin":
                now = desk.clock.now() - timedelta(hours=1)
                await tokens.make(connection, row["account_id"], label="tableau", role="viewer", now=now, days=9)
    return found


async def act(address: str, token: str, desk: Desk) -> None:
    """Send the forms of a watch: a message, a note."""
    async with httpx.AsyncClient(base_url=address, cookies={"vigie": token}, follow_redirects=True) as client:
        csrf = {"csrf": csrf_of(await client.get("/incidents"))}
        blanks = {
            f"fact.{name}": BLANKS.get(desk.messages.placeholders[name].kind, "le SDIS")
            for name in desk.messages.messages[SIGNED["message"]].placeholders
            if desk.messages.placeholders[name].origin == "person"
        }
        for path, fields in (
            ("/messages/new", {**SIGNED, **blanks, "step": "sign"}),
            ("/digests/notes", {"text": "Rappeler l’exploitant.", "since": "2012-01-30T07:00", "nonce": NONCE}),
        ):
            answer = await client.post(path, data={**fields, **csrf})
            assert answer.status_code == 200, (path, answer.text)
