"""Messages: what may be said of an incident now, and what was signed. Nothing is ever sent from here to the public."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from starlette.exceptions import HTTPException
from starlette.responses import Response

from console.archive import looking
from console.archive.dossier import Message as Kept
from console.messages import signed_messages
from console.messages.channels import Length, length_on, page_length, paged_length
from console.messages.facts import facts_from_alert, facts_of_the_clock, typed
from console.messages.filling import WHY_WORDS, Filled, Words, fill, without_blanks
from console.messages.message_map import CHANNELS, LANGUAGES, STAGES, Message, MessageMap
from console.messages.message_sheet import AUDIENCE_WORDS
from console.messages.selection import Selection, phenomena_of, select
from console.messages.signed import NotSignable, SignedText, sign
from console.messages.signed_messages import is_out_of_date, stages_of, stages_said
from console.once import nonce
from console.pages.page import Page, Visit
from console.reports.intake_form import cleaned
from records import Alert

NONCE = re.compile(r"[0-9a-f]{16}")
MESSAGE_ID = re.compile(r"[0-9a-f]{16}-[a-z]{2}-[a-z]+")
FACT = "fact."
LONGEST_FACT = 200
MOST_INCIDENTS = 50


@dataclass(frozen=True)
class Wanted:
    """What somebody at the desk asks for, as an address or a form has it."""

    incident_id: str
    message_id: str
    language: str  # "": both
    channel: str  # "": all
    phenomenon: str
    nonce: str
    stage: str  # of which one speaks; "": as the incident stands
    given: Mapping[str, str]  # placeholder to what was typed


@dataclass(frozen=True)
class Shown:
    """One text with how long it is on its channel."""

    words: Words
    length: Length
    pages: tuple[tuple[str, Length], ...]
    fits: bool


@dataclass(frozen=True)
class Proposal:
    """What may be said of an incident, and the message that was chosen, filled in."""

    alert: Alert
    selection: Selection
    wanted: Wanted
    filled: Filled | None
    texts: tuple[Shown, ...]
    said: frozenset[str]  # stages that were spoken of already
    possible: tuple[str, ...]  # stages that may be spoken of


async def messages(visit: Visit) -> Response:
    """Show what was signed, by incident."""
    return await _list(visit)


async def new(visit: Visit) -> Response:
    """Show what may be said of an incident now."""
    query = visit.request.query_params
    return _page(visit, await _proposal(visit, _wanted(visit, query)))


async def write(visit: Visit) -> Response:
    """Fill in what was typed, and sign it where that is asked for."""
    form = {name: str(value) for name, value in (await visit.form()).items()}
    proposal = await _proposal(visit, _wanted(visit, form))
    if form.get("step") != "sign":
        return _page(visit, proposal)
    return await _sign(visit, proposal)


async def withdraw(visit: Visit) -> Response:
    """Withdraw a text: nobody answers for it any more."""
    return await _set(visit, is_withdrawn=True)


async def restore(visit: Visit) -> Response:
    """Take back that a text was withdrawn."""
    return await _set(visit, is_withdrawn=False)


async def _sign(visit: Visit, proposal: Proposal) -> Response:
    wanted, filled, alert = proposal.wanted, proposal.filled, proposal.alert
    if filled is None or not NONCE.fullmatch(wanted.nonce):
        return _page(visit, proposal, status=422)
    if wanted.stage not in proposal.possible:
        return _page(visit, proposal, status=409, has_moved_on=True)
    try:
        signed = sign(
            filled,
            signed_by=visit.visitor.name,
            signed_at=visit.desk.clock.now(),
            map_version=visit.desk.messages.version,
            incident_id=alert.incident_id,
        )
    except NotSignable:
        return _page(visit, proposal, status=422, is_refused=True)
    chosen = {(one.words.language, one.words.channel) for one in proposal.texts}
    texts: list[SignedText] = [one for one in signed.texts if (one.language, one.channel) in chosen]
    if not texts:
        return _page(visit, proposal, status=422, is_refused=True)
    await signed_messages.keep(visit.desk, visit.visitor, signed, texts, nonce=wanted.nonce)
    return visit.go("/messages", done="signed", incident=alert.incident_id)


async def _proposal(visit: Visit, wanted: Wanted) -> Proposal:
    desk, found = visit.desk, visit.desk.messages
    alert = (await looking.newest_of(desk.engine, [wanted.incident_id])).get(wanted.incident_id)
    if alert is None:
        raise HTTPException(404, "there is no incident of this id")
    said = stages_said(await signed_messages.kept(desk.engine, incident_id=alert.incident_id), found)
    possible = stages_of(alert)
    stage = wanted.stage if wanted.stage in possible else possible[0]
    selection = select(found, alert, phenomenon=wanted.phenomenon, stage=stage)
    message = next((one for one in selection.messages if one.id == wanted.message_id), None)
    filled = _filled(visit, alert, message, wanted) if message else None
    texts = _texts(filled, wanted) if filled else ()
    return Proposal(alert, selection, wanted, filled, texts, said, possible)


def _filled(visit: Visit, alert: Alert, message: Message, wanted: Wanted) -> Filled:
    placeholders, zone = visit.desk.messages.placeholders, ZoneInfo(visit.desk.setup.zone)
    facts = (
        *(typed(name, value, by=visit.visitor.name) for name, value in wanted.given.items() if value),
        *facts_of_the_clock(visit.desk.clock.now(), placeholders, zone),
        *facts_from_alert(alert, placeholders, zone),
    )
    return fill(message, facts, placeholders)


def _texts(filled: Filled, wanted: Wanted) -> tuple[Shown, ...]:
    return tuple(
        _shown(one)
        for one in filled.texts
        if wanted.language in ("", one.language) and wanted.channel in ("", one.channel)
    )


def _shown(words: Words) -> Shown:
    """Return a text with its length; a blank counts nothing, for what will stand there is not known."""
    text, pages = without_blanks(words.text), tuple(map(without_blanks, words.pages))
    if words.channel != "cell":
        length = length_on(words.channel, text)
        return Shown(words, length, (), length.fits)
    lengths = tuple(map(page_length, pages))
    whole = paged_length(pages)
    return Shown(words, whole, tuple(zip(words.pages, lengths, strict=True)), whole.fits)


def _wanted(visit: Visit, given: Mapping[str, str]) -> Wanted:
    found = visit.desk.messages
    phenomenon = given.get("phenomenon", "")
    return Wanted(
        incident_id=given.get("incident", ""),
        message_id=given.get("message", ""),
        language=_one_of(given.get("language", ""), LANGUAGES),
        channel=_one_of(given.get("channel", ""), CHANNELS),
        phenomenon=_one_of(phenomenon, phenomena_of(found)),
        nonce=given.get("nonce", ""),
        stage=given.get("stage", ""),
        given={name: cleaned(given[FACT + name])[:LONGEST_FACT] for name in found.placeholders if FACT + name in given},
    )


def _one_of(text: str, known: tuple[str, ...]) -> str:
    return text if text in known else ""


def _page(
    visit: Visit,
    proposal: Proposal,
    *,
    status: int = 200,
    is_refused: bool = False,
    has_moved_on: bool = False,
) -> Response:
    filled, found = proposal.filled, visit.desk.messages
    return visit.render(
        "messages_new.html",
        status=status,
        proposal=proposal,
        alert=proposal.alert,
        wanted=proposal.wanted,
        nonce=proposal.wanted.nonce if NONCE.fullmatch(proposal.wanted.nonce) else nonce(),
        is_refused=is_refused,
        has_moved_on=has_moved_on,
        blanks=_blanks(filled, found) if filled else [],
        phenomena=_phenomena(proposal.alert, found),
        channels=CHANNELS,
        reading_languages=LANGUAGES,
        version=found.version,
        **_words(visit),
    )


def _phenomena(alert: Alert, found: MessageMap) -> list[str]:
    """Return what people may perceive of such a danger, as far as the map has texts for it."""
    fitting = (one for one in found.situations.values() if alert.hazard in one.hazards)
    return sorted({phenomenon for one in fitting for phenomenon in one.phenomena})


def _blanks(filled: Filled, found: MessageMap) -> list[dict[str, Any]]:
    """Return what a message leaves to be filled in, the missing first, with what stands there and why not."""
    missing = {one.name: one for one in filled.missing}
    used = {one.name: one for one in filled.used}
    names = [name for name in filled.message.placeholders if name in found.placeholders]
    return [
        {
            "name": name,
            "called": found.placeholders[name],
            "why": WHY_WORDS[missing[name].why] if name in missing else None,
            "fact": used.get(name),
            "most": found.placeholders[name].most,
        }
        for name in sorted(names, key=lambda one: one not in missing)
    ]


def _words(visit: Visit) -> dict[str, Any]:
    language = visit.language
    stages = {name: stage.fr if language == "fr" else stage.en for name, stage in STAGES.items()}
    situations = {name: one.fr if language == "fr" else one.en for name, one in visit.desk.messages.situations.items()}
    audiences = {name: words[language] for name, words in AUDIENCE_WORDS.items()}
    return {"stages": stages, "situations": situations, "audiences": audiences, "map": visit.desk.messages}


async def _list(visit: Visit, *, status: int = 200) -> Response:
    desk = visit.desk
    by_incident: dict[str, list[Kept]] = {}
    for one in await signed_messages.kept(desk.engine):
        by_incident.setdefault(one.incident_id, []).append(one)
    shown = dict(list(by_incident.items())[:MOST_INCIDENTS])
    alerts = await looking.newest_of(desk.engine, shown)
    return visit.render(
        "messages.html",
        status=status,
        by_incident=shown,
        alerts=alerts,
        open_now=await looking.heads(desk.engine),
        old={
            one.message_id
            for incident_id, texts in shown.items()
            for one in texts
            if (alert := alerts.get(incident_id)) is None or is_out_of_date(one, alert, desk.messages)
        },
        done=visit.request.query_params.get("done", ""),
        item=visit.request.query_params.get("item", ""),
        version=desk.messages.version,
        **_words(visit),
    )


async def _set(visit: Visit, *, is_withdrawn: bool) -> Response:
    message_id = str(visit.request.path_params["message_id"])
    if not MESSAGE_ID.fullmatch(message_id):
        raise HTTPException(404, "there is no message of this id")
    if not await signed_messages.set_state(visit.desk, visit.visitor, message_id, is_withdrawn=is_withdrawn):
        return await _list(visit, status=409)
    return visit.go("/messages", done="withdrawn" if is_withdrawn else "restored", item=message_id)


PAGES = (
    Page(path="/messages", name="messages", needs="see", handler=messages),
    Page(path="/messages/new", name="messages_new", needs="see", handler=new),
    Page(path="/messages/new", name="messages_write", needs="decide", handler=write, methods=("POST",)),
    Page(
        path="/messages/{message_id}/withdraw",
        name="messages_withdraw",
        needs="decide",
        handler=withdraw,
        methods=("POST",),
    ),
    Page(
        path="/messages/{message_id}/restore",
        name="messages_restore",
        needs="decide",
        handler=restore,
        methods=("POST",),
    ),
)
