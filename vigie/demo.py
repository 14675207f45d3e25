"""`vigie demo`: the Le Havre morning of 30 January 2012, played at speed through the real pipeline."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from connectors.sinks.contract import post_id_of
from connectors.sinks.terminal import IncidentTable, panel
from models.gate import Gate
from records import Alert, ManualClock, Post, SourceStatus
from streams.reader import follow
from streams.topics import ALERTS
from vigie.demo_console import console_of
from vigie.edge_assembly import gate
from vigie.pipeline import Pipeline
from vigie.replay import CLOSING
from vigie.scenarios.recording import recorded
from vigie.story import PARIS, Story, le_havre_2012

Language = Literal["fr", "en"]

STEP = timedelta(minutes=1)  # of event time, played at once
SPOKEN_LEVELS = frozenset({"watch", "alert"})
SHOW_SECS = 30.0

WORDS: dict[Language, dict[str, str]] = {
    "fr": {
        "broker": "démarrage du courtier de messages embarqué…",
        "worker": "chargement des modèles et démarrage du programme de flux (une dizaine de secondes)…",
        "ready": "prêt",
        "title": "Le Havre, lundi 30 janvier 2012 : la matinée rejouée, {factor} fois plus vite",
        "now": "heure des messages",
        "read": "lus",
        "kept": "retenus par le filtre",
        "summary": "Bilan",
        "began": "l'incendie commence",
        "first_post": "premier message (un statut Facebook, un seul témoin)",
        "watch": "Vigie : veille",
        "alert": "Vigie : alerte",
        "image": "première photo publiée",
        "never": "jamais",
        "after": "{minutes} min après le départ du feu",
        "seconds": "{seconds:.0f} s après ce message (heure des messages)",
        "wrong": "Ce que Vigie a eu faux ou n'a pas su",
        "false_alerts": "fausses alertes",
        "false_watches": "fausses veilles (signaux à vérifier)",
        "echoes": "incidents de communes voisines qui ne font que voir ou sentir le même feu",
        "twice": "incidents pour le même feu à la même adresse, sous un autre danger",
        "missed": "messages du feu écartés par le filtre",
        "of": "{count} sur {whole}",
        "verify": "Un signal à vérifier : Vigie informe, des personnes décident.",
        "console": "La console, pendant que cela se joue : {address}",
        "stays": "La console reste ouverte : {address}. Entrée pour finir.",
    },
    "en": {
        "broker": "starting the embedded broker…",
        "worker": "loading the models and starting the stream program (some ten seconds)…",
        "ready": "ready",
        "title": "Le Havre, Monday 30 January 2012: the morning again, {factor} times as fast",
        "now": "time of the posts",
        "read": "read",
        "kept": "kept by the gate",
        "summary": "Summary",
        "began": "the fire begins",
        "first_post": "first post (one Facebook status, a single witness)",
        "watch": "Vigie: watch",
        "alert": "Vigie: alert",
        "image": "first picture published",
        "never": "never",
        "after": "{minutes} min after the fire began",
        "seconds": "{seconds:.0f} s after that post (time of the posts)",
        "wrong": "What Vigie got wrong or did not see",
        "false_alerts": "false alerts",
        "false_watches": "false watches (signals to verify)",
        "echoes": "incidents of neighbouring communes that only see or smell the same fire",
        "twice": "incidents for the same fire at the same place, under another hazard",
        "missed": "posts of the fire that the gate dropped",
        "of": "{count} of {whole}",
        "verify": "A signal to verify: Vigie informs, people decide.",
        "console": "The console, while it plays: {address}",
        "stays": "The console stays open: {address}. Enter to end.",
    },
}


@dataclass(frozen=True)
class Outcome:
    """What the demo came to; times are event time."""

    watch_at: datetime | None  # first watch on the incident
    watch_delay: timedelta | None  # after the first witness's post
    alert_at: datetime | None
    false_alerts: tuple[Alert, ...]
    false_watches: tuple[Alert, ...]
    echoes: tuple[Alert, ...]  # true smoke, seen from another commune
    twice: tuple[Alert, ...]  # the same fire again under another hazard
    missed_at_gate: int
    alerts: tuple[Alert, ...]


@dataclass
class Screen:
    """What is shown while the story plays."""

    language: Language
    factor: int
    incidents: IncidentTable
    at: datetime | None = None
    read: int = 0
    kept: int = 0
    shown: int = 0
    whole: int | None = None  # how many revisions there are, once all posts are played
    is_whole: asyncio.Event = field(default_factory=asyncio.Event)

    def __rich__(self) -> RenderableType:
        words = WORDS[self.language]
        clock = self.at.astimezone(PARIS).strftime("%H:%M") if self.at else "--:--"
        line = Text.assemble(
            (f"{words['now']} ", "dim"),
            (clock, "bold"),
            f"   {words['read']} {self.read}   {words['kept']} {self.kept}",
        )
        return Panel(Group(line, self.incidents), title=words["title"].format(factor=self.factor))


async def play(
    story: Story,
    console: Console,
    *,
    language: Language,
    play_secs: float,
    looked_at: Callable[[Outcome, str], Awaitable[None]] | None = None,
) -> Outcome:
    """Play a story through a pipeline of its own, show it, and return what came of it.

    The console is open until `looked_at`, which is given its address, has returned.
    """
    words = WORDS[language]
    with tempfile.TemporaryDirectory(prefix="vigie-demo-") as folder:
        settings, posts = await recorded(story.scenario, story.posts, Path(folder))
        passes = gate(settings)
        span = posts[-1].posted_at - posts[0].posted_at
        screen = Screen(language, round(span.total_seconds() / max(play_secs, 1)), IncidentTable(language=language))
        pipeline = Pipeline(settings)
        clock = ManualClock(posts[0].posted_at)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(pipeline.stop)
            with console.status(words["broker"]) as status:
                await pipeline.start(lambda stage: status.update(words[stage]))
            address = await stack.enter_async_context(console_of(settings, pipeline.streams, Path(folder), clock))
            console.print(words["console"].format(address=address))
            with Live(screen, console=console, refresh_per_second=8, transient=True):
                showing = asyncio.create_task(_show(pipeline, screen, console))
                await _feed(pipeline, posts, passes, screen=screen, clock=clock, step_secs=play_secs / (span / STEP))
                alerts = await _to_the_end(pipeline, posts[-1].posted_at)
                screen.whole = len(alerts)
                if screen.shown < len(alerts):
                    await asyncio.wait_for(screen.is_whole.wait(), SHOW_SECS)
                showing.cancel()
                await asyncio.wait({showing})
            missed = [post for post in posts if post.id in story.incident_ids and not passes(post.text)]
            outcome = outcome_of(story, alerts, missed=len(missed))
            if looked_at is not None:
                await looked_at(outcome, address)
    return outcome


async def _feed(
    pipeline: Pipeline, posts: list[Post], passes: Gate, *, screen: Screen, clock: ManualClock, step_secs: float
) -> None:
    loop = asyncio.get_running_loop()
    began, start = loop.time(), posts[0].posted_at
    steps = int((posts[-1].posted_at - start) / STEP) + 1
    waiting = iter(posts)
    post = next(waiting, None)
    for step in range(1, steps + 1):
        due: list[Post] = []
        while post is not None and post.posted_at < start + step * STEP:
            due.append(post)
            post = next(waiting, None)
        kept = [one for one in due if passes(one.text)]
        clock.at = start + step * STEP
        await pipeline.publisher.statuses(_listened_to(posts, clock.at))
        await pipeline.posts(kept)
        screen.at, screen.read, screen.kept = start + step * STEP, screen.read + len(due), screen.kept + len(kept)
        await asyncio.sleep(max(0.0, began + step * step_secs - loop.time()))


def _listened_to(posts: list[Post], at: datetime) -> list[SourceStatus]:
    """Return that every source of the story is listened to."""
    return [
        SourceStatus(
            source=name,
            way="page" if name == "facebook" else "network",
            state="listening",
            at=at,
            since=posts[0].posted_at,
            last_sign_at=at,
        )
        for name in sorted({post.source for post in posts})
    ]


async def _to_the_end(pipeline: Pipeline, last: datetime) -> list[Alert]:
    alerts = await pipeline.alerts()
    keys = sorted({f"{alert.state_hazard}/{alert.area or alert.place.area}" for alert in alerts})
    await pipeline.pass_time(keys, last + CLOSING)
    return await pipeline.alerts()


async def _show(pipeline: Pipeline, screen: Screen, console: Console) -> None:
    spoken: set[tuple[str, str, str]] = set()
    async for alert in follow(pipeline.streams, ALERTS):
        await screen.incidents.send(alert)
        screen.shown += 1
        key = (alert.incident_id, alert.level, alert.evidence[0].post_key if alert.evidence else "")
        if alert.level in SPOKEN_LEVELS and key not in spoken:
            spoken.add(key)
            console.print(panel(alert, screen.language))
        if screen.shown == screen.whole:
            screen.is_whole.set()


def outcome_of(story: Story, alerts: list[Alert], *, missed: int) -> Outcome:
    """Return what a run came to, judged by the truth: an incident is true when a post of the incident speaks for it."""
    incidents: dict[str, list[Alert]] = {}
    for alert in alerts:
        incidents.setdefault(alert.incident_id, []).append(alert)
    true = {key: found for key, revisions in incidents.items() if (found := _true_part(revisions, story))}
    here = sorted((p for p in true.values() if _is_here(p[-1], story)), key=lambda p: _known_at(p[0]))
    watch = _known_at(here[0][0]) if here else None
    alerted = sorted(alert.raised_at for part in here for alert in part if alert.level == "alert")
    false = [revisions for key, revisions in incidents.items() if key not in true or revisions[0] != true[key][0]]
    return Outcome(
        watch_at=watch,
        watch_delay=watch - story.first_post_at if watch else None,
        alert_at=alerted[0] if alerted else None,
        false_alerts=tuple(a for key, part in incidents.items() if key not in true for a in part if a.level == "alert"),
        false_watches=tuple(revisions[0] for revisions in false),
        echoes=tuple(part[0] for part in true.values() if not _is_here(part[-1], story)),
        twice=tuple(part[0] for part in here[1:]),
        missed_at_gate=missed,
        alerts=tuple(alerts),
    )


def _true_part(revisions: list[Alert], story: Story) -> list[Alert]:
    """Return the revisions from the first on that rests on a post of the incident."""
    for number, alert in enumerate(revisions):
        if any(post_id_of(item.post_key) in story.incident_ids for item in alert.evidence):
            return revisions[number:]
    return []


def _known_at(alert: Alert) -> datetime:
    """Return when a revision was made: an incident may have been raised on other posts before."""
    return max(alert.raised_at, *(item.event_time for item in alert.evidence))


def _is_here(alert: Alert, story: Story) -> bool:
    return alert.place.insee == story.home


def summary(story: Story, outcome: Outcome, language: Language) -> RenderableType:
    """Return the closing summary: when Vigie spoke, when the first picture came, what was wrong."""
    words = WORDS[language]
    clock = Table(show_header=False, box=None)
    rows = [("began", story.began_at), ("first_post", story.first_post_at), ("watch", outcome.watch_at)]
    for name, at in [*rows, ("alert", outcome.alert_at), ("image", story.first_image_at)]:
        clock.add_row(words[name], _time(at, words), _after(story, at, words), style=_style(name))
    if outcome.watch_delay is not None:
        clock.add_row("", "", words["seconds"].format(seconds=outcome.watch_delay.total_seconds()))
    wrong = Table(show_header=False, box=None)
    for name in ("false_alerts", "false_watches", "echoes", "twice"):
        found: tuple[Alert, ...] = getattr(outcome, name)
        wrong.add_row(words[name], str(len({alert.incident_id for alert in found})), ", ".join(_names(found)))
    whole = len(story.incident_ids)
    wrong.add_row(words["missed"], words["of"].format(count=outcome.missed_at_gate, whole=whole), "")
    parts = Group(clock, Text(""), Text(words["wrong"], style="bold"), wrong, Text(""), words["verify"])
    return Panel(parts, title=words["summary"])


def _style(name: str) -> str:
    return "bold" if name in ("watch", "alert") else ""


def _names(alerts: tuple[Alert, ...]) -> list[str]:
    return sorted({f"{alert.place.name} ({alert.hazard})" for alert in alerts})


def _time(at: datetime | None, words: dict[str, str]) -> str:
    return at.astimezone(PARIS).strftime("%H:%M:%S") if at else words["never"]


def _after(story: Story, at: datetime | None, words: dict[str, str]) -> str:
    if at is None or at == story.began_at:
        return ""
    return words["after"].format(minutes=round((at - story.began_at).total_seconds() / 60))


def run_demo(console: Console, *, language: Language, play_secs: float, stays: bool = False) -> Outcome:
    """Play the Le Havre morning and print the summary; with `stays`, the console is open until somebody says enough."""
    story = le_havre_2012()

    async def looked_at(outcome: Outcome, address: str) -> None:
        console.print(summary(story, outcome, language))
        if stays:
            await asyncio.to_thread(console.input, WORDS[language]["stays"].format(address=address))

    return asyncio.run(play(story, console, language=language, play_secs=play_secs, looked_at=looked_at))
