"""Digest wording: a digest in words of French or English, as plain text and as a page.

Shape   the same lines in both; what comes from outside is escaped on the page and stripped of control characters
"""

from collections.abc import Iterable, Mapping
from html import escape
from typing import NamedTuple

from connectors.sinks import rumour_wording, solidarity_wording
from connectors.sinks.wording import WORDS, ZONE, Language, counted, not_known, shown
from records import Alert, Context
from records.digest import Digest, Unseen

LABELS: Mapping[Language, Mapping[str, str]] = {
    "fr": {
        "title": "Vigie : point de situation du {until}",
        "since": "depuis le {since}",
        "missed": "la relève précédente n’a pas eu de point ; le dernier est du {last}",
        "new": "Nouveau",
        "ongoing": "En cours",
        "refuted": "Écarté",
        "over": "Terminé",
        "declared": "Déclaré par un exploitant ou une autorité",
        "unseen": "Ce que nous n’avons pas vu",
        "questions": "Questions ouvertes",
        "figures": "Chiffres",
        "none": "rien",
        "all_seen": "rien ne nous a échappé de ce qui est écouté",
        "minute": "minute sans lecture/minutes sans lecture",
        "blind": "aveugle en ce moment",
        "unheard": "aucune écoute par : {ways}",
        "by": "par",
        "fits": "correspond",
        "fits_not": "ne correspond pas",
        "network": "réseaux ouverts",
        "page": "page de la collectivité",
        "press": "presse",
        "people": "signalements directs",
        "authorities": "autorités et capteurs",
        "read": "lus",
        "kept": "retenus par le filtre",
        "gated": "écartés par le filtre",
        "refused": "illisibles",
        "not_a_post": "autres",
        "signals": "signaux faibles",
        "foot": "Signaux à vérifier : Vigie signale, une personne décide.",
    },
    "en": {
        "title": "Vigie: situation at {until}",
        "since": "since {since}",
        "missed": "the shift before had no digest; the last one is of {last}",
        "new": "New",
        "ongoing": "Ongoing",
        "refuted": "Rejected",
        "over": "Over",
        "declared": "Declared by an operator or an authority",
        "unseen": "What we have not seen",
        "questions": "Open questions",
        "figures": "Figures",
        "none": "nothing",
        "all_seen": "nothing was missed of what is listened to",
        "minute": "minute not read/minutes not read",
        "blind": "blind at this moment",
        "unheard": "nobody listens by: {ways}",
        "by": "by",
        "fits": "fits",
        "fits_not": "does not fit",
        "network": "open networks",
        "page": "the authority’s page",
        "press": "press",
        "people": "direct reports",
        "authorities": "authorities and sensors",
        "read": "read",
        "kept": "passed by the filter",
        "gated": "held back by the filter",
        "refused": "unreadable",
        "not_a_post": "others",
        "signals": "weak signals",
        "foot": "Signals to verify: Vigie points out, a person decides.",
    },
}
SEVERAL_DAYS = "%d/%m %H:%M"


class Part(NamedTuple):
    """A heading and the lines below it."""

    heading: str
    lines: tuple[str, ...]


def title(digest: Digest, language: Language) -> str:
    """Return what a digest is of, in one line."""
    return LABELS[language]["title"].format(until=f"{digest.until.astimezone(ZONE):{SEVERAL_DAYS}}")


def since(digest: Digest, language: Language) -> str:
    """Return from when on a digest tells, and why that is longer than a shift where it is."""
    labels = LABELS[language]
    told = labels["since"].format(since=f"{digest.since.astimezone(ZONE):{SEVERAL_DAYS}}")
    if digest.last_until is None:
        return told
    return f"{told} ({labels['missed'].format(last=f'{digest.last_until.astimezone(ZONE):{SEVERAL_DAYS}}')})"


def parts_of(digest: Digest, language: Language) -> tuple[Part, ...]:
    """Return what a digest says, heading by heading."""
    labels = LABELS[language]
    on = (*digest.new, *digest.ongoing)
    incidents = {
        name: [_incident(one, language) for one in getattr(digest, name)] for name in ("new", "ongoing", "over")
    }
    refuted = [_refuted(one, language) for one in digest.refuted]
    declared = [_declared(one, said, language) for one in on for said in one.context if said.fits is not None]
    questions = [f"{_place(one)} : {known}" for one in on if (known := not_known(one, WORDS[language]))]
    figures = [f"{number} {labels.get(name, name)}" for name, number in digest.figures.items()]
    return (
        Part(labels["new"], _or(incidents["new"], labels["none"])),
        Part(labels["ongoing"], _or(incidents["ongoing"], labels["none"])),
        Part(labels["refuted"], _or(refuted, labels["none"])),
        Part(labels["over"], _or(incidents["over"], labels["none"])),
        Part(labels["declared"], _or(declared, labels["none"])),
        *_rumours(digest, language),
        *_solidarity(digest, language),
        Part(labels["unseen"], _or(_not_seen(digest, language), labels["all_seen"])),
        Part(labels["questions"], _or(questions, labels["none"])),
        Part(labels["figures"], _or(figures, labels["none"])),
    )


def _rumours(digest: Digest, language: Language) -> tuple[Part, ...]:
    """Return the part about rumours, none where nothing speaks for one."""
    lines = tuple(rumour_wording.line_of(one, language) for one in digest.rumours)
    return (Part(rumour_wording.HEADINGS[language], lines),) if lines else ()


def text_from(digest: Digest, language: Language) -> str:
    """Return a digest as plain text."""
    labels = LABELS[language]
    lines = [title(digest, language), since(digest, language)]
    for part in parts_of(digest, language):
        lines += ["", part.heading.upper(), *(f"- {line}" for line in part.lines)]
    return "\n".join([*lines, "", labels["foot"], ""])


def html_from(digest: Digest, language: Language) -> str:
    """Return a digest as a page that needs nothing else."""
    labels = LABELS[language]
    heading = escape(title(digest, language))
    body = "".join(
        f"<h2>{escape(part.heading)}</h2><ul>{''.join(f'<li>{escape(line)}</li>' for line in part.lines)}</ul>"
        for part in parts_of(digest, language)
    )
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>{heading}</title></head>'
        f"<body><h1>{heading}</h1><p>{escape(since(digest, language))}</p>{body}"
        f"<p>{escape(labels['foot'])}</p></body></html>"
    )


def _solidarity(digest: Digest, language: Language) -> tuple[Part, ...]:
    lines = solidarity_wording.lines_of(digest.claims, language)
    return (Part(solidarity_wording.LABELS[language]["heading"], tuple(lines)),) if lines else ()


def _or(lines: Iterable[str], otherwise: str) -> tuple[str, ...]:
    return tuple(lines) or (otherwise,)


def _place(alert: Alert) -> str:
    return shown(alert.place.name)


def _incident(alert: Alert, language: Language) -> str:
    words = WORDS[language]
    figures = f"{counted(alert.posts, words['posts'])}, {counted(alert.witnesses, words['witnesses'])}"
    since = f"{words['since']} {alert.onset.astimezone(ZONE):{SEVERAL_DAYS}}"
    maybe = f" · {words['rumour']}" if alert.rumour is not None else ""
    told = f"{words[alert.level]} · {words[alert.hazard]}{maybe}"
    return f"{told} · {_place(alert)} · {since} · {figures} · {alert.incident_id}"


def _refuted(alert: Alert, language: Language) -> str:
    why = shown(alert.explanation.get(language, "").partition(". ")[0])
    return f"{_incident(alert, language)}{f' · {why}' if why else ''}"


def _declared(alert: Alert, said: Context, language: Language) -> str:
    labels = LABELS[language]
    fits = labels["fits"] if said.fits else labels["fits_not"]
    because = said.because.get(language, "")
    return (
        f"{_place(alert)} : {shown(said.source)}, « {shown(said.text)} » · {fits}{f' ({because})' if because else ''}"
    )


def _not_seen(digest: Digest, language: Language) -> list[str]:
    labels = LABELS[language]
    lines = [_source(one, labels) for one in digest.unseen]
    if digest.unheard_ways:
        lines.append(labels["unheard"].format(ways=", ".join(labels[way] for way in digest.unheard_ways)))
    return lines


def _source(one: Unseen, labels: Mapping[str, str]) -> str:
    said = [counted(one.minutes, labels["minute"])] if one.minutes else []
    said += [f"{labels['blind']}{f' ({shown(one.why)})' if one.why else ''}"] if one.state == "blind" else []
    return f"{shown(one.source)} : {', '.join(said)}"
