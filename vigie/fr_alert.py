"""`vigie fr-alert`: an alert as the sheet with which a town asks its prefecture for an FR-Alert. Vigie never sends one.

Shape   one alert revision in, as a line of the jsonl receiver or of `vigie replay --alerts`; a sheet out, as text or as
        HTML to be printed. What a person must write or decide stands in it as a blank
Units   times by the clock of Paris; pages of 93 letters of the seven-bit alphabet, 15 at most
Errors  SettingsError for lines that are no alert, and for an incident that is over
Source  ETSI TS 102 900 (EU-Alert levels); 3GPP TS 23.041 (82 octets a page, 93 letters of seven bits)
"""

import sys
from collections.abc import Mapping
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from connectors.sinks.message import gsm
from connectors.sinks.wording import WORDS, ZONE, Language, counted, explained, shown
from console.messages import channels
from console.messages.channels import MOST_PAGES, PAGE
from records import Alert, SettingsError
from records.alert import OVER

WIDTH = 78
TO_ACT_ON = frozenset({"alert", "confirmed"})

EuLevel = Literal["extreme", "severe", "info", "exercise"]
"""The levels of EU-Alert, as far as a request may ask for them."""

SAID: Mapping[Language, Mapping[str, str]] = {
    "fr": {
        "title": "FICHE DE DEMANDE FR-ALERT (projet)",
        "never": "VIGIE N’ENVOIE JAMAIS D’ALERTE FR-ALERT. UNE PERSONNE LIT, COMPLÈTE ET DÉCIDE.",
        "whom": "À l’attention du cadre de permanence de la préfecture",
        "risk": "Nature du risque",
        "hazard": "Danger",
        "standing": "Niveau dans Vigie",
        "scales": "Gravité, urgence, certitude (CAP)",
        "where": "Lieu et zone",
        "place": "Lieu",
        "codes": "INSEE, département",
        "zone": "Zone proposée",
        "circle": "cercle de {km} km autour de {lat}, {lon} (latitude, longitude, WGS84)",
        "precision": "Précision, provenance, confiance",
        "asked": "Niveau EU-Alert proposé",
        "level": "Proposition",
        "why": "Motif",
        "severity": "gravité {severity}, niveau « {level} »",
        "drill": "exercice",
        "choices": "À cocher",
        "boxes": "[ ] extreme   [ ] severe   [ ] info   [ ] exercise",
        "times": "Heures",
        "onset": "Début estimé",
        "raised": "Niveau atteint",
        "made": "Fiche faite",
        "until": "Diffusion souhaitée, fin",
        "behaviour": "Conduite à tenir",
        "instruction": "Consigne",
        "blank": "____________________________ (à écrire par la personne qui décide)",
        "message": "Message proposé",
        "pages": "{pages} sur {most} pages de {letters} caractères au plus",
        "grounds": "Ce qui fonde la demande",
        "explanation": "Pourquoi",
        "counts": "Indices",
        "incident": "Incident, révision",
        "unknowns": "Ce qu’on ne sait pas",
        "unconfirmed": "Aucune autorité n’a confirmé à Vigie ce que des messages publics rapportent.",
        "nothing": "Vigie ne relève pas de lacune ; cela ne prouve pas qu’il n’y en a pas.",
        "decision": "Demande et décision (à la main)",
        "asker": "Demandeur, fonction, téléphone",
        "decider": "Décision de la préfecture, nom, heure",
        "line": "____________________________",
        "head_extreme": "ALERTE EXTREME",
        "head_severe": "ALERTE",
        "head_info": "INFORMATION",
        "head_exercise": "EXERCICE, CECI N'EST PAS UNE ALERTE",
        "text": "{head} : {hazard}, {place}, dans un rayon de {km} km. <AUTORITÉ>. <CONDUITE À TENIR>. <LIEN OFFICIEL>",
    },
    "en": {
        "title": "FR-ALERT REQUEST SHEET (draft)",
        "never": "VIGIE NEVER SENDS AN FR-ALERT. A PERSON READS, COMPLETES AND DECIDES.",
        "whom": "For the duty officer of the prefecture",
        "risk": "Nature of the risk",
        "hazard": "Hazard",
        "standing": "Level in Vigie",
        "scales": "Severity, urgency, certainty (CAP)",
        "where": "Place and area",
        "place": "Place",
        "codes": "INSEE, département",
        "zone": "Area proposed",
        "circle": "circle of {km} km around {lat}, {lon} (latitude, longitude, WGS84)",
        "precision": "Precision, provenance, confidence",
        "asked": "EU-Alert level proposed",
        "level": "Proposal",
        "why": "Reason",
        "severity": "severity {severity}, level “{level}”",
        "drill": "exercise",
        "choices": "Tick one",
        "boxes": "[ ] extreme   [ ] severe   [ ] info   [ ] exercise",
        "times": "Times",
        "onset": "Estimated start",
        "raised": "Level reached",
        "made": "Sheet made",
        "until": "To be sent, until",
        "behaviour": "What to do",
        "instruction": "Instruction",
        "blank": "____________________________ (to be written by the person who decides)",
        "message": "Message proposed",
        "pages": "{pages} of at most {most} pages of {letters} characters",
        "grounds": "What the request rests on",
        "explanation": "Why",
        "counts": "Evidence",
        "incident": "Incident, revision",
        "unknowns": "What is not known",
        "unconfirmed": "No authority has confirmed to Vigie what public posts report.",
        "nothing": "Vigie finds no gap; that does not prove that there is none.",
        "decision": "Request and decision (by hand)",
        "asker": "Requested by, role, telephone",
        "decider": "Decision of the prefecture, name, time",
        "line": "____________________________",
        "head_extreme": "EXTREME ALERT",
        "head_severe": "ALERT",
        "head_info": "INFORMATION",
        "head_exercise": "EXERCISE, THIS IS NOT AN ALERT",
        "text": "{head}: {hazard}, {place}, within {km} km. <AUTHORITY>. <WHAT TO DO>. <OFFICIAL LINK>",
    },
}
STYLE = """
body { font: 11pt/1.35 sans-serif; max-width: 18cm; margin: 1cm auto; }
h1 { font-size: 16pt; } h2 { font-size: 12pt; margin: 1em 0 .2em; border-bottom: 1px solid; }
.never { font-size: 18pt; font-weight: bold; border: 3px solid; padding: .4em; text-align: center; }
dl { display: grid; grid-template-columns: 6cm 1fr; gap: .15em 1em; margin: .2em 0; } dd { margin: 0; }
ol { font-family: monospace; } li { white-space: pre-wrap; overflow-wrap: anywhere; }
section { break-inside: avoid; }
@page { size: A4; margin: 1.5cm; }
"""


class Part(NamedTuple):
    """One part of the sheet: lines with a label, and pages of the message where it is that part."""

    title: str
    lines: tuple[tuple[str, str], ...]
    pages: tuple[str, ...] = ()


class Sheet(NamedTuple):
    """A request, filled as far as Vigie can."""

    language: Language
    title: str
    never: str
    whom: str
    parts: tuple[Part, ...]


def write_sheet(
    lines: bytes,
    out: Path | None,
    *,
    incident_id: str,
    language: Language,
    now: datetime,
    is_exercise: bool = False,
    is_html: bool = False,
) -> None:
    """Write the sheet of an alert to a file, or to standard output.

    Errors  SettingsError when there is no such alert, or the file cannot be written
    """
    sheet = sheet_from(alert_in(lines, incident_id=incident_id), language, now=now, is_exercise=is_exercise)
    written = (html_from(sheet) if is_html else text_from(sheet)).encode()
    if out is None:
        sys.stdout.buffer.write(written)
        return
    try:
        out.write_bytes(written)
    except OSError as error:
        raise SettingsError(f"--out {out}: {error.strerror}; give a file in a folder that is there") from error


def alert_in(lines: bytes, *, incident_id: str = "") -> Alert:
    """Return the newest revision in lines of alerts, of the incident named or of the only one there is.

    Errors  SettingsError when a line is no alert, when there is none, or when several incidents are there
    """
    alerts = [alert_from(line, number) for number, line in enumerate(lines.splitlines(), 1) if line.strip()]
    found = [alert for alert in alerts if incident_id in ("", alert.incident_id)]
    names = sorted({alert.incident_id for alert in found})
    if not names:
        wanted = f"no alert of incident {incident_id}" if incident_id else "no alert in it"
        raise SettingsError(f"fr-alert: {wanted}; give a line of the jsonl receiver, or of `vigie replay --alerts`")
    if len(names) > 1:
        raise SettingsError(f"fr-alert: {len(names)} incidents in it; name one with --incident: {' '.join(names[:10])}")
    return max(found, key=lambda alert: alert.revision)


def alert_from(line: bytes, number: int) -> Alert:
    """Return the alert of a line; its evidence may stand there as ids, which the sheet does not need.

    Errors  SettingsError when it is none
    """
    try:
        fields: dict[str, Any] = msgspec.json.decode(line, type=dict[str, Any])
        evidence = [item for item in fields.get("evidence", ()) if not isinstance(item, str)]
        return msgspec.convert(fields | {"evidence": evidence}, Alert)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, TypeError) as error:
        raise SettingsError(f"fr-alert: line {number}: is no alert: {error}; give it as Vigie wrote it") from error


def sheet_from(alert: Alert, language: Language, *, now: datetime, is_exercise: bool = False) -> Sheet:
    """Return the sheet of an alert.

    Errors  SettingsError when the incident is over
    """
    if alert.level in OVER:
        raise SettingsError(f"fr-alert: incident {alert.incident_id} is {alert.level}; there is nothing to ask for")
    said = SAID[language]
    parts = (
        _risk(alert, language),
        _where(alert, language),
        _asked(alert, language, is_exercise=is_exercise),
        _times(alert, said, now),
        Part(said["behaviour"], ((said["instruction"], said["blank"]),)),
        _message(alert, language, is_exercise=is_exercise),
        _grounds(alert, language),
        _unknowns(alert, language),
        Part(said["decision"], ((said["asker"], said["line"]), (said["decider"], said["line"]))),
    )
    return Sheet(language, said["title"], said["never"], said["whom"], parts)


def level_proposed(alert: Alert, *, is_exercise: bool = False) -> EuLevel:
    """Return the level of EU-Alert to propose: below an alert no more than an information."""
    if is_exercise:
        return "exercise"
    if alert.level in TO_ACT_ON and alert.severity in ("Extreme", "Severe"):
        return "extreme" if alert.severity == "Extreme" else "severe"
    return "info"


def message_of(alert: Alert, language: Language, *, is_exercise: bool = False) -> str:
    """Return a first text of the message, in letters that fill 93 a page; what a person must write stands in <>."""
    said = SAID[language]
    return gsm(
        said["text"].format(
            head=said[f"head_{level_proposed(alert, is_exercise=is_exercise)}"],
            hazard=WORDS[language][alert.hazard],
            place=shown(alert.place.name, limit=100),
            km=_km(alert, language),
        )
    )


def pages_of(message: str) -> tuple[str, ...]:
    """Return a message in the pages in which it goes over the air.

    Errors  SettingsError when it is too long
    """
    pages = channels.pages_of(message)
    if len(pages) > MOST_PAGES:
        raise SettingsError(f"fr-alert: a message of {len(pages)} pages; shorten it to {MOST_PAGES * PAGE} characters")
    return pages


def _risk(alert: Alert, language: Language) -> Part:
    said, words = SAID[language], WORDS[language]
    lines = (
        (said["hazard"], words[alert.hazard]),
        (said["standing"], words[alert.level]),
        (said["scales"], f"{alert.severity}, {alert.urgency}, {alert.certainty}"),
    )
    return Part(said["risk"], lines)


def _km(alert: Alert, language: Language) -> str:
    number = f"{alert.place.radius_km:.3g}"
    return number.replace(".", ",") if language == "fr" else number


def _where(alert: Alert, language: Language) -> Part:
    place, said = alert.place, SAID[language]
    circle = said["circle"].format(km=_km(alert, language), lat=f"{place.lat:.4f}", lon=f"{place.lon:.4f}")
    lines = (
        (said["place"], shown(place.name)),
        (said["codes"], ", ".join(filter(None, (place.insee, place.dep))) or "–"),
        (said["zone"], circle),
        (said["precision"], f"{place.level}, {place.source}, {place.confidence:.0%}"),
    )
    return Part(said["where"], lines)


def _asked(alert: Alert, language: Language, *, is_exercise: bool) -> Part:
    said = SAID[language]
    why = said["severity"].format(severity=alert.severity, level=WORDS[language][alert.level])
    lines = (
        (said["level"], level_proposed(alert, is_exercise=is_exercise)),
        (said["why"], said["drill"] if is_exercise else why),
        (said["choices"], said["boxes"]),
    )
    return Part(said["asked"], lines)


def _times(alert: Alert, said: Mapping[str, str], now: datetime) -> Part:
    moments = {"onset": alert.onset, "raised": alert.raised_at, "made": now}
    lines = [(said[name], f"{moment.astimezone(ZONE):%d/%m/%Y %H:%M}") for name, moment in moments.items()]
    return Part(said["times"], (*lines, (said["until"], said["line"])))


def _message(alert: Alert, language: Language, *, is_exercise: bool) -> Part:
    said = SAID[language]
    pages = pages_of(message_of(alert, language, is_exercise=is_exercise))
    counted_pages = said["pages"].format(pages=len(pages), most=MOST_PAGES, letters=PAGE)
    return Part(said["message"], (("", counted_pages),), pages)


def _grounds(alert: Alert, language: Language) -> Part:
    said, words = SAID[language], WORDS[language]
    figures = ((alert.posts, "posts"), (alert.authors, "authors"), (alert.witnesses, "witnesses"))
    lines = (
        (said["explanation"], explained(alert, language) or "–"),
        (said["counts"], ", ".join(counted(number, words[name]) for number, name in figures)),
        (said["incident"], f"{shown(alert.incident_id)}, {alert.revision}"),
    )
    return Part(said["grounds"], lines)


def _unknowns(alert: Alert, language: Language) -> Part:
    said, words = SAID[language], WORDS[language]
    gaps = [words.get(code, shown(code)) for code in alert.unknowns]
    if alert.level != "confirmed":
        gaps.append(said["unconfirmed"])
    return Part(said["unknowns"], tuple(("-", gap) for gap in gaps or [said["nothing"]]))


def text_from(sheet: Sheet) -> str:
    """Return a sheet as plain text."""
    rule = "=" * WIDTH
    lines = [rule, sheet.title, sheet.whom, rule, "", f"*** {sheet.never} ***", ""]
    for number, part in enumerate(sheet.parts, 1):
        lines += [f"{number}. {part.title.upper()}"]
        lines += [f"   {_labelled(label, value, sheet.language)}" for label, value in part.lines]
        lines += [f"   {number_of:2d} |{page}|" for number_of, page in enumerate(part.pages, 1)]
        lines.append("")
    return "\n".join([*lines, f"*** {sheet.never} ***", ""])


def _labelled(label: str, value: str, language: Language) -> str:
    if label in ("", "-"):
        return f"{label} {value}".strip()
    colon = "\u00a0:" if language == "fr" else ":"
    return f"{label}{colon} {value}"


def html_from(sheet: Sheet) -> str:
    """Return a sheet as a page of HTML that needs nothing else, to be printed or kept as PDF by the browser."""
    parts = "\n".join(_part_in_html(number, part) for number, part in enumerate(sheet.parts, 1))
    return (
        f'<!doctype html>\n<html lang="{sheet.language}">\n<head><meta charset="utf-8"><title>{escape(sheet.title)}'
        f"</title><style>{STYLE}</style></head>\n<body>\n<h1>{escape(sheet.title)}</h1>\n<p>{escape(sheet.whom)}</p>\n"
        f'<p class="never">{escape(sheet.never)}</p>\n{parts}\n<p class="never">{escape(sheet.never)}</p>\n'
        "</body>\n</html>\n"
    )


def _part_in_html(number: int, part: Part) -> str:
    lines = "".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in part.lines)
    pages = "".join(f"<li>{escape(page)}</li>" for page in part.pages)
    shown_pages = f"<ol>{pages}</ol>" if pages else ""
    return f"<section><h2>{number}. {escape(part.title)}</h2><dl>{lines}</dl>{shown_pages}</section>"
