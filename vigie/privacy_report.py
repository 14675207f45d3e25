"""The privacy papers: public notice, record of processing and impact assessment, filled from the settings.

They say what this installation does, no more: the sources and receivers that are set, the periods that hold. What only
the controller can know is marked. Not legal advice; the data protection officer has the last word.
"""

from collections.abc import Mapping
from datetime import timedelta
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from connectors.pseudonym import ROTATE_AFTER
from models.places import shipped_gazetteer
from records import Clock, Place, SettingsError
from streams.topics import (
    ALERTS,
    CLAIMS,
    DEAD_LETTERS,
    DECISIONS,
    GONE_BY,
    NOTIFICATIONS,
    POSTS,
    PULSE,
    SIGNALS,
    SWEEP,
    Topic,
)
from vigie import console_papers, recording_papers
from vigie.settings import Settings
from vigie.territory import home_of

PAPERS = ("notice", "record", "assessment")
LANGUAGES = ("fr", "en")
COLON = {"fr": "\u00a0:", "en": ":"}
CLEANING = timedelta(hours=2)  # a segment closes within an hour, and the cleaner comes soon after

SOURCES: Mapping[str, Mapping[str, str]] = {
    "bluesky": {
        "fr": "Bluesky : tous les messages publics du réseau, en direct ; modifications et suppressions suivies",
        "en": "Bluesky: all public posts of the network, live; edits and deletions are followed",
    },
    "recorded": {
        "fr": "un enregistrement de messages, relu une fois (exercice ou réglage)",
        "en": "a recording of posts, read once (exercise or tuning)",
    },
    "topic": {
        "fr": "des messages déjà enregistrés par Vigie, relus une fois (exercice ou réglage)",
        "en": "posts that Vigie has recorded, read once (exercise or tuning)",
    },
    "mastodon": {
        "fr": "Mastodon : messages publics de flux choisis d’une instance ; #nobot dans un profil est respecté",
        "en": "Mastodon: public posts of chosen streams of one instance; #nobot in a profile is respected",
    },
    "press": {
        "fr": "flux de presse : titre, court extrait et lien ; qui s’y oppose (robots.txt, TDM) n’est pas lu",
        "en": "press feeds: title, short excerpt and link; who opts out (robots.txt, TDM) is not read",
    },
    "facebook": {
        "fr": "la page Facebook de la collectivité : publications et commentaires qui y sont faits",
        "en": "the authority’s own Facebook Page: what is posted and commented there",
    },
    "x": {
        "fr": "X : messages publics choisis par des règles, sous un contrat déclaré à X",
        "en": "X: public posts chosen by rules, under a plan declared to X",
    },
    "vigicrues": {
        "fr": "Vigicrues : couleur des tronçons, aucune personne",
        "en": "Vigicrues: colours of rivers, no person",
    },
    "hubeau": {"fr": "Hub’Eau : hauteurs d’eau, aucune personne", "en": "Hub’Eau: water levels, no person"},
    "notices": {"fr": "annonces d’exploitants, dans un tableau", "en": "operators’ notices, in a table"},
    "cap": {"fr": "alertes officielles au format CAP, aucune personne", "en": "official warnings in CAP, no person"},
    "meteofrance": {"fr": "Météo-France : vigilance, aucune personne", "en": "Météo-France: vigilance, no person"},
    "webhook": {
        "fr": "messages transmis par une autre application ou par des agents, signés",
        "en": "posts sent by another program or by staff, signed",
    },
}
RECEIVERS: Mapping[str, Mapping[str, str]] = {
    "jsonl": {
        "fr": "un fichier sur la machine, sans texte de message",
        "en": "a file on the machine, without texts of posts",
    },
    "webhook": {
        "fr": "une autre application, sans texte de message",
        "en": "another program, without texts of posts",
    },
    "cap": {
        "fr": "des projets d’alerte au format CAP, pour un cercle désigné, sans texte de message (liens seulement)",
        "en": "draft alerts in CAP, for a named circle, without texts of posts (links only)",
    },
    "feeds": {
        "fr": "une carte et un flux des incidents, sans texte de message ni lien vers un message",
        "en": "a map and a feed of the incidents, without texts of posts or links to posts",
    },
    "apprise": {
        "fr": "des personnes désignées, par courriel, SMS ou messagerie, sauf réglage contraire sans texte de message",
        "en": "named people, by e-mail, SMS or chat, without texts of posts unless that is set",
    },
    "alertmanager": {
        "fr": "un Alertmanager, sans texte de message ni lien vers un message",
        "en": "an Alertmanager, without texts of posts or links to posts",
    },
    "terminal": {"fr": "l’écran de la machine", "en": "the screen of the machine"},
}
PERIODS: Mapping[str, tuple[Topic, ...]] = {
    "posts": (POSTS,),
    "signals": (SIGNALS, DEAD_LETTERS),
    "alerts": (ALERTS, PULSE, DECISIONS, NOTIFICATIONS),
}
CLAIMED: Mapping[str, tuple[Topic, ...]] = {"claims": (CLAIMS,)}
WORDS = {
    "fr": {
        "posts": "messages retenus par le filtre",
        "signals": "messages lus comme indices, et messages illisibles",
        "alerts": "alertes avec leurs preuves, décisions à leur sujet, destinataires prévenus, et comptages sans texte",
        "claims": "besoins et offres lus dans ces messages, avec leur texte et leur lien, sans leurs auteurs",
        "solidarity": " Recenser pour la cellule de crise les besoins et les offres d’aide dits autour d’un incident.",
        "changes": "derniers changements du profil et du modèle, et qui les a proposés et approuvés (fonction ou "
        "compte) : dans l’état des processus, jusqu’à ce que d’autres prennent leur place",
        "hours": "heures",
        "days": "jours",
        "none": "aucun",
        "missing": "**à compléter** ([privacy] dans les réglages)",
        "everywhere": "sans territoire particulier",
        "basis": "Mission d’intérêt public (RGPD, article 6.1.e) : police municipale et sauvegarde de la population.",
    },
    "en": {
        "posts": "posts that the filter let pass",
        "signals": "posts read as evidence, and unreadable ones",
        "alerts": "alerts with their evidence, decisions on them, receivers told, and counts without texts",
        "claims": "needs and offers read in these posts, with their text and link, without their authors",
        "solidarity": " To list for the crisis cell what people need and offer around an incident.",
        "changes": "the last changes of the profile and the model, and who proposed and approved them (role or "
        "account): in the state of the processes, until others take their place",
        "hours": "hours",
        "days": "days",
        "none": "none",
        "missing": "**to be completed** ([privacy] in the settings)",
        "everywhere": "no territory in particular",
        "basis": "Task in the public interest (GDPR, article 6.1.e): public safety and protection of the population.",
    },
}


def write_report(settings: Settings, folder: Path, clock: Clock) -> list[Path]:
    """Write all papers in both languages; return what was written.

    Errors  SettingsError when the folder cannot be written to
    """
    written, home = [], home_of(settings, shipped_gazetteer())
    for name in PAPERS:
        for language in LANGUAGES:
            path = folder / f"{name}.{language}.md"
            try:
                folder.mkdir(parents=True, exist_ok=True)
                path.write_text(paper(name, settings, home, language, clock), encoding="utf-8")
            except OSError as error:
                raise SettingsError(f"{path}: cannot be written: {error.strerror}") from error
            written.append(path)
    return written


def paper(name: str, settings: Settings, home: Place | None, language: str, clock: Clock) -> str:
    """Return one paper, filled."""
    words, privacy, is_listing = WORDS[language], settings.privacy, settings.solidarity.listed
    periods = {**PERIODS, **(CLAIMED if is_listing else {})}
    template = (files("vigie") / "privacy" / f"{name}.{language}.md").read_text(encoding="utf-8")
    return template.format(
        controller=privacy.controller or words["missing"],
        address=privacy.address or words["missing"],
        contact=privacy.contact or words["missing"],
        dpo=privacy.officer or words["missing"],
        legal_basis=privacy.legal_basis or words["basis"],
        territory=home.name if home else words["everywhere"],
        sources=_listed([_said(one.name, SOURCES[one.kind][language], language) for one in settings.sources], words),
        receivers=_listed(
            [_said(one.name, RECEIVERS[one.kind][language], language) for one in settings.receivers], words
        ),
        retention=_listed(
            [
                *(_period(kind, topics, language) for kind, topics in periods.items()),
                words["changes"],
                *console_papers.periods_of(settings.console, language),
                *recording_papers.periods_of(settings, language),
            ],
            words,
        ),
        console=console_papers.said_of(settings.console, name, language),
        recording=recording_papers.said_of(settings, name, language),
        solidarity=words["solidarity"] if is_listing else "",
        key_days=ROTATE_AFTER.days,
        gone_hours=int((GONE_BY + SWEEP + CLEANING) / timedelta(hours=1)),
        date=f"{clock.now():%Y-%m-%d}",
        version=version("vigie"),
    )


def _said(what: str, said: str, language: str) -> str:
    return f"{what}{COLON[language]} {said}"


def _period(kind: str, topics: tuple[Topic, ...], language: str) -> str:
    words = WORDS[language]
    longest = max(topic.retention or timedelta.max for topic in topics)
    hours = int(longest / timedelta(hours=1))
    span = f"{hours} {words['hours']}" if hours <= 72 else f"{hours // 24} {words['days']}"  # noqa: PLR2004
    return _said(words[kind], span, language)


def _listed(lines: list[str], words: Mapping[str, str]) -> str:
    return "\n".join(f"- {line}" for line in lines) or f"- {words['none']}"
