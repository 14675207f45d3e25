"""An ordinary day in France: thousands of posts of ours about everything but an incident, the same each time.

Shape   plain posts, as recordings hold them, in order of time. `sentences/` has the sentences: {place} is filled from
        the plan or `slots.tsv`, {one/other} is a choice. Topics that begin with "!" use the words of a danger without
        one: figures, memories, drills, kitchens
Errors  SettingsError for a table of sentences, with all that is wrong with it
"""

import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from records import SettingsError

SENTENCES = Path(__file__).parent / "sentences"
FRAMES = SENTENCES / "frames.tsv"
FRAME_COLUMNS = ["topic", "when", "frame"]
HOURLY = (14, 8, 5, 4, 5, 9, 20, 38, 46, 44, 45, 48, 58, 54, 46, 44, 48, 56, 66, 74, 84, 82, 60, 32)
"""How busy each hour of the day is, in local time."""
PARTS = {"morning": range(4, 10), "day": range(7, 20), "evening": range(16, 24), "night": (22, 23, 0, 1, 2, 3, 4)}
KINDS = {"presse": "press", "mairie": "official"}
LOCAL = "facebook"  # the town's own groups and pages
LOCAL_SHARE = 0.12  # of the posts elsewhere
AUTHORS = 900
REPOST_SHARE = 0.05
SHORT = (
    ("quelqu'un", "qqn"),
    ("pourquoi", "pk"),
    ("c'est", "c"),
    ("aujourd'hui", "auj"),
    ("beaucoup", "bcp"),
    ("toujours", "tjs"),
    ("rendez vous", "rdv"),
    ("s'il vous plait", "svp"),
)
ELISION = re.compile(r"\bde (?=[AEÉIOU][a-zé])")
SLOT = re.compile(r"\{(\w+)\}")
UNACCENTED = str.maketrans("àâäéèêëîïôöùûüçÀÉÈ", "aaaeeeeiioouuucAEE")
TAILS = (" lol", " mdr", "...", " !!", " :)", " ^^", " pff", " haha", " bref", " !", " ptdr", " …")
EMOJIS = (" 😂", " 🙈", " ❤️", " 😅", " 🥲", " 👏", " 😴", " ☀️", " 🙏", " 🤣", " 🍀", " 😭")
OPENERS = ("bon, ", "sinon, ", "allez : ", "info du jour : ", "je dis ça je dis rien mais ", "bonjour ! ", "coucou, ")
CLOSERS = (
    ", voilà c'est dit",
    ", bonne journée à tous",
    ", allez courage",
    ". À demain",
    ", quelle journée",
    ". Merci d'avance",
    ", on se comprend",
    ". Bonne soirée",
    ", et vous ?",
    ", je vous embrasse",
    ". Des bises",
    ", j'ai hâte",
)
HASHTAGS = (" #lundi", " #humeur", " #viedefou", " #teamfatigue", " #bonneambiance", " #jdcjdr")


class Frame(NamedTuple):
    """A sentence with slots."""

    topic: str
    when: str
    text: str


@dataclass(frozen=True)
class Everyday:
    """What an ordinary stretch of time is made of."""

    home: str
    around: tuple[str, ...]
    starts_at: datetime
    hours: float
    posts_a_day: int = 3200
    trap_share: float = 0.04
    platforms: dict[str, float] = field(default_factory=lambda: {"facebook": 0.4, "bluesky": 0.25, "twitter": 0.35})
    seed: int = 1
    has_emojis: bool = True
    breaks: tuple[tuple[datetime, datetime], ...] = ()  # stretches that are told otherwise
    frames: Path = FRAMES
    letter: str = "b"  # the posts' ids begin with it
    local: frozenset[str] = frozenset({LOCAL})  # sources that only people of the place read and write


def frames_of(path: Path) -> tuple[list[Frame], list[Frame]]:
    """Return the harmless sentences of a table, and those with the words of a danger.

    Errors  SettingsError, a line for everything that is wrong with it
    """
    header, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
    if header.split("\t") != FRAME_COLUMNS:
        raise SettingsError(f"{path.name}: line 1: found {header!r}; the columns are {' '.join(FRAME_COLUMNS)}")
    found: list[Frame] = []
    problems: list[str] = []
    for number, line in enumerate(lines, 2):
        try:
            found.append(_frame_from(line))
        except SettingsError as error:
            problems.append(f"{path.name}: line {number}: {error}")
    harmless = [frame for frame in found if not frame.topic.startswith("!")]
    traps = [frame for frame in found if frame.topic.startswith("!")]
    for name, some in (("without", harmless), ("with", traps)):
        if not any(frame.when == "any" for frame in some) and (some or some is harmless) and not problems:
            problems = [f"{path.name}: no sentence {name} the words of a danger fits every hour; mark some with any"]
    if problems:
        raise SettingsError("\n".join(problems))
    return harmless, traps


def _frame_from(line: str) -> Frame:
    cells = line.split("\t")
    if len(cells) != len(FRAME_COLUMNS):
        raise SettingsError(f"{len(cells)} cells; give {len(FRAME_COLUMNS)}, with tabs between them")
    frame = Frame(*cells)
    if frame.when != "any" and frame.when not in PARTS:
        raise SettingsError(f"when {frame.when!r}; give any, {', '.join(PARTS)}")
    unknown = set(SLOT.findall(frame.text)) - {"place", *slots()}
    if unknown:
        raise SettingsError(f"{{{min(unknown)}}} is nothing that can be filled in; give one of {', '.join(slots())}")
    return frame


@cache
def slots() -> dict[str, list[str]]:
    """Return what may fill each slot."""
    lines = (SENTENCES / "slots.tsv").read_text(encoding="utf-8").splitlines()[1:]
    return {name: values.split("|") for name, values in (line.split("\t") for line in lines)}


def everyday(plan: Everyday) -> list[dict[str, Any]]:
    """Return the posts of an ordinary stretch of time."""
    chance = random.Random(plan.seed)  # noqa: S311  a story, not a secret
    writer = _Writer(plan, chance)
    posts: list[dict[str, Any]] = []
    for number, said_at in enumerate(_times(plan, chance), 1):
        source = chance.choices(list(plan.platforms), list(plan.platforms.values()))[0]
        post = writer.post(source, said_at)
        again = [p for p in posts[-80:] if p["source"] == source and "repost_of" not in p]
        if source not in plan.local and again and chance.random() < REPOST_SHARE:
            one = chance.choice(again)
            post |= {"text": f"RT @{one['author']}: {one['text']}", "repost_of": one["id"]}
            post.pop("author_kind", None)
        posts.append({"id": f"{plan.letter}{number:05}", **post})
    return posts


def _times(plan: Everyday, chance: random.Random) -> Iterator[datetime]:
    """Yield when posts are made: a Poisson stream that follows the hours of the day."""
    end, mean = plan.starts_at + timedelta(hours=plan.hours), sum(HOURLY) / 24
    at = plan.starts_at
    while True:
        rate = plan.posts_a_day / 86_400 * max(HOURLY) / mean
        at += timedelta(seconds=chance.expovariate(rate))
        if at >= end:
            return
        if chance.random() < HOURLY[at.hour] / max(HOURLY) and not any(a <= at < b for a, b in plan.breaks):
            yield at


class _Writer:
    """Writes one post after another."""

    def __init__(self, plan: Everyday, chance: random.Random) -> None:
        self.plan = plan
        self.chance = chance
        self.slots = slots()
        self.harmless, self.traps = frames_of(plan.frames)
        self.bags: dict[tuple[bool, bool], list[Frame]] = {}

    def post(self, source: str, said_at: datetime) -> dict[str, Any]:
        is_local = source in self.plan.local or self.chance.random() < LOCAL_SHARE
        frame = self._frame(said_at.hour, is_local=is_local)
        text = SLOT.sub(lambda found: self._fill(found[1], is_local=is_local), frame.text)
        text = re.sub(r"\{([^{}]*)\}", lambda found: self.chance.choice(found[1].split("/")), text)
        text = ELISION.sub("d'", text.replace("à Le ", "au ").replace("de Le ", "du "))
        kind = KINDS.get(frame.topic)
        author = f"{kind}{self.chance.randrange(12)}" if kind else f"user{int(self.chance.random() ** 2 * AUTHORS):03}"
        post = {"source": source, "author": author, "ts": said_at.isoformat()}
        if kind:
            return {**post, "text": text, "author_kind": kind}
        return {**post, "text": self._styled(text)}

    def _frame(self, hour: int, *, is_local: bool) -> Frame:
        """Draw a sentence that fits the hour; none comes again in the same place before all have come."""
        is_trap = self.chance.random() < self.plan.trap_share and bool(self.traps)
        bag = self.bags.setdefault((is_trap, is_local), [])
        while True:
            for index, frame in enumerate(bag):
                if frame.when == "any" or hour in PARTS[frame.when]:
                    return bag.pop(index)
            again = list(self.traps if is_trap else self.harmless)
            self.chance.shuffle(again)
            bag += again

    def _fill(self, name: str, *, is_local: bool) -> str:
        if name == "place":
            if not is_local:
                return self.chance.choice(self.slots["town"])
            return self.plan.home if self._happens(0.6) else self.chance.choice(self.plan.around)
        return self.chance.choice(self.slots[name])

    def _happens(self, share: float) -> bool:
        return self.chance.random() < share

    def _styled(self, text: str) -> str:
        """Return a text as people type: small letters, no accents, shortened words, a slip, something at the end."""
        chance = self.chance
        if self._happens(0.12):
            text = chance.choice(OPENERS) + text
        if self._happens(0.25) and text[-1].isalnum():
            text += chance.choice(CLOSERS)
        if self._happens(0.25):
            text = text.lower()
        if self._happens(0.15):
            text = text.translate(UNACCENTED)
        if self._happens(0.15):
            for long, short in SHORT:
                text = text.replace(long, short)
        if self._happens(0.06):
            text = _slip(text, chance)
        tails: Sequence[str] = (*TAILS, *EMOJIS, *HASHTAGS) if self.plan.has_emojis else (*TAILS, *HASHTAGS)
        return text + chance.choice(tails) if self._happens(0.3) else text


def _slip(text: str, chance: random.Random) -> str:
    at = chance.randrange(max(1, len(text) - 2))
    return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]
