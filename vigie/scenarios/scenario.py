"""A scenario: a stretch of time in a town, told as data files, with the truth about it; and the library of them.

Shape   a folder with `scenario.toml`, and `posts.tsv`, `notices.csv`, local places and sentences where it has them
Errors  UnusableSettings, with all that is wrong with a folder, each with file and line
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from difflib import get_close_matches
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec

from connectors.sources.notices import Site, Sites, area_of, rows_from
from models.places import Gazetteer
from records import Bulletin, MalformedRecord, Place, SettingsError, TrueIncident, Truth
from vigie.duty_settings import DutySettings, duties_from
from vigie.rumour_settings import OfficialAccount, accounts_from
from vigie.scenarios.everyday import FRAMES, SENTENCES, Everyday, everyday, frames_of
from vigie.scenarios.file import EverydayTable, HappeningTable, ScenarioFile, WaveTable, Words, place_in, read_file
from vigie.scenarios.posts import read_posts
from vigie.settings import Problem, UnusableSettings

FILE = "scenario.toml"
POSTS = "posts.tsv"
NOTICES = "notices.csv"
LIBRARY = Path(__file__).parent / "library"
SHIPPED_PLACES = Path(str(files("models.places") / "local"))
WAVE_SENTENCES = SENTENCES / "chatter.tsv"
ANY_DAY = datetime(2000, 1, 1, tzinfo=UTC)  # stands in where nobody knows when it starts
PLACE_REASON = "dit par qui a écrit le scénario"


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What is posted and announced in a stretch of time, and what really happened."""

    name: str  # of its folder
    title: Words
    summary: Words
    home: str  # INSEE code
    starts_at: datetime
    hours: float
    zone: str  # of the clock on the wall
    profile: str = ""
    local_places: Path | None = None
    local_sources: frozenset[str] = frozenset()
    plans: tuple[Everyday, ...] = ()  # the ordinary posts, and the waves
    own: tuple[Mapping[str, Any], ...] = ()  # in the plain shape of recordings, `happening` beside it
    notices: tuple[Bulletin, ...] = ()  # in order; each is received when it is issued
    happenings: tuple[HappeningTable, ...] = ()  # dates with their zone
    sites: Mapping[str, Site] = field(default_factory=dict)
    duty: tuple[DutySettings, ...] = ()
    official_accounts: tuple[OfficialAccount, ...] = ()
    is_complete: bool = True

    @property
    def ends_at(self) -> datetime:
        """When it is over."""
        return self.starts_at + timedelta(hours=self.hours)

    def at(self, clock: str) -> datetime:
        """Return a moment of it: "12:15:00", the next day "+1 12:15:00".

        Errors  SettingsError for what is no time of the clock
        """
        return moment_of(clock, self.starts_at)

    @cached_property
    def all_posts(self) -> tuple[Mapping[str, Any], ...]:
        """Its posts in the plain shape of recordings, in order, the ordinary ones among them."""
        posts = [post for plan in self.plans for post in everyday(plan)]
        posts += [{name: value for name, value in post.items() if name != "happening"} for post in self.own]
        return tuple(sorted(posts, key=lambda post: (post["ts"], post["id"])))

    @cached_property
    def happening_of(self) -> dict[str, str]:
        """What each of its own posts speaks of, by the post's id; those that speak of nothing are left out."""
        return {post["id"]: post["happening"] for post in self.own if "happening" in post}

    def truth(self, gazetteer: Gazetteer) -> Truth:
        """Return what really happened in it.

        Errors  SettingsError where a happening stands in no commune that there is
        """
        told = [(one, self._incident(one, gazetteer)) for one in self.happenings]
        return Truth(
            incidents=tuple(found for one, found in told if one.is_true),
            false_ones=tuple(found for one, found in told if not one.is_true),
            is_complete=self.is_complete,
        )

    def _incident(self, one: HappeningTable, gazetteer: Gazetteer) -> TrueIncident:
        posts = [post for post in self.own if post.get("happening") == one.id]
        return TrueIncident(
            incident_id=one.id,
            hazard=one.hazard,
            began_at=one.began_at,
            ended_at=one.ended_at,
            place=place_of(one, gazetteer),
            first_post_at=min((datetime.fromisoformat(post["ts"]) for post in posts), default=None),
            official_at=one.official_at,
            post_ids=frozenset(post["id"] for post in posts),
            label={"fr": one.name.of("fr"), "en": one.name.of("en")},
        )


def moment_of(clock: str, starts_at: datetime) -> datetime:
    """Return a time of the clock on the day on which something starts, or on the nth day after it.

    Errors  SettingsError for what is no time of the clock
    """
    days, _, wall = clock.rpartition(" ")
    try:
        day = starts_at.date() + timedelta(days=int(days or 0))
        return datetime.combine(day, time.fromisoformat(wall), starts_at.tzinfo)
    except (ValueError, OverflowError) as error:
        raise SettingsError(f"time {clock!r}; give the clock's, as 12:15:00, or +1 00:10 a day later") from error


def place_of(one: HappeningTable, gazetteer: Gazetteer) -> Place:
    """Return where a happening is.

    Errors  SettingsError when there is no such commune
    """
    if one.lat is not None and one.lon is not None:
        return Place(
            place_id=f"local:{one.place}",
            name=one.place,
            lat=one.lat,
            lon=one.lon,
            radius_km=one.radius_km,
            level="site",
            confidence=1.0,
            source="person",
            reasons=(PLACE_REASON,),
        )
    return msgspec.structs.replace(gazetteer.home_place(one.insee), source="person", reasons=(PLACE_REASON,))


def library() -> dict[str, Path]:
    """Return the folders of the scenarios that ship, by name."""
    return {path.parent.name: path.parent for path in sorted(LIBRARY.glob(f"*/{FILE}"))}


def scenario_from(name: str) -> Scenario:
    """Return a scenario of the library by its name, or one of a folder.

    Errors  SettingsError when there is none; UnusableSettings with all that is wrong with it
    """
    known = library()
    folder = known.get(name, Path(name))
    if name not in known and not folder.is_dir():
        near = get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"give a folder, or one of {', '.join(known)}"
        raise SettingsError(f"{name}: is no scenario; {hint}")
    scenario, problems = read_scenario(folder)
    if scenario is None or problems:
        raise UnusableSettings(problems)
    return scenario


def read_scenario(folder: Path) -> tuple[Scenario | None, list[Problem]]:
    """Return the scenario of a folder and all that is wrong with it; none where `scenario.toml` cannot be used."""
    path = folder / FILE
    said, problems = read_file(path)
    if said is None:
        rows = read_posts(folder / POSTS, lambda clock: moment_of(clock, ANY_DAY))[1] if _has_posts(folder) else []
        return None, [*problems, *rows]
    scenario = Scenario(
        name=folder.resolve().name,
        title=said.name,
        summary=said.summary,
        home=said.home,
        starts_at=said.moment(said.starts_at),
        hours=said.hours,
        zone=said.zone,
        profile=str(folder / said.profile) if said.profile.endswith(".toml") else said.profile,
        local_places=_local_places(folder, said.local_places),
        local_sources=frozenset(said.local_sources),
        happenings=tuple(_dated(one, said) for one in said.happenings),
        sites={name: Site(**site.model_dump()) for name, site in said.sites.items()},
        duty=said.duty,
        official_accounts=said.official_accounts,
        is_complete=said.is_complete,
    )
    plans, plan_problems = _plans(folder, said)
    posts, post_problems = _own_posts(folder, scenario, plans)
    notices, notice_problems = _notices(folder, scenario)
    problems = [*_contradictions(path, said, scenario), *plan_problems, *post_problems, *notice_problems]
    if not (plans or posts or problems):
        problems.append(Problem(str(folder), "nobody posts anything", f"write {POSTS}, or [everyday] in {FILE}"))
    return replace(scenario, plans=plans, own=tuple(posts), notices=notices), problems


def _dated(one: HappeningTable, said: ScenarioFile) -> HappeningTable:
    names = ("began_at", "ended_at", "official_at")
    given = {name: at for name in names if (at := getattr(one, name)) is not None}
    return one.model_copy(update={name: said.moment(at) for name, at in given.items()})


def _local_places(folder: Path, name: str) -> Path | None:
    if not name:
        return None
    shipped = SHIPPED_PLACES / f"{name}.csv"
    return shipped if "." not in name and shipped.is_file() else folder / name


def _contradictions(path: Path, said: ScenarioFile, scenario: Scenario) -> Iterator[Problem]:
    """Yield what each key allows and all of them together do not."""
    seen: set[str] = set()
    for number, one in enumerate(scenario.happenings):
        if one.id in seen:
            yield Problem(place_in(path, ("happenings", number, "id")), f"{one.id!r} stands twice", "give another id")
        seen.add(one.id)
        if one.ended_at is not None and one.ended_at < one.began_at:
            where = place_in(path, ("happenings", number, "ended_at"))
            yield Problem(where, "is before began_at", "mend one of the two")
        if one.began_at >= scenario.ends_at:
            where = place_in(path, ("happenings", number, "began_at"))
            yield Problem(where, f"is after the end, {scenario.ends_at:%Y-%m-%dT%H:%M}", "mend it, or hours")
    for key, file in (("local_places", scenario.local_places), ("profile", Path(scenario.profile))):
        if file is not None and file.suffix and not file.is_file():
            yield Problem(place_in(path, (key,)), f"there is no file {file.name}", "write it, or leave the key out")
    yield from _refused(path, said)


def _refused(path: Path, said: ScenarioFile) -> Iterator[Problem]:
    """Yield what is wrong with whom to call and who is known, as `vigie.toml` would refuse it."""
    tables: tuple[tuple[str, Callable[[], object]], ...] = (
        ("duty", lambda: duties_from(said.duty)),
        ("official_accounts", lambda: accounts_from(said.official_accounts)),
    )
    for key, made in tables:
        try:
            made()
        except SettingsError as error:
            yield Problem(place_in(path, (key,)), str(error), "")


def _plans(folder: Path, said: ScenarioFile) -> tuple[tuple[Everyday, ...], list[Problem]]:
    if said.everyday is None:
        found = [Problem(place_in(folder / FILE, ("waves",)), "need [everyday]", "write it")] if said.waves else []
        return (), found
    problems: list[Problem] = []
    plan = _everyday(said.everyday, said, _sentences(folder, said.everyday.sentences, FRAMES, problems))
    waves = [_wave(one, plan, said, _sentences(folder, one.sentences, WAVE_SENTENCES, problems)) for one in said.waves]
    letters = [one.letter for one in said.waves]
    problems += [
        Problem(place_in(folder / FILE, ("waves", number, "letter")), f"{letter!r} stands twice", "give another")
        for number, letter in enumerate(letters)
        if letter in letters[:number]
    ]
    return (plan, *waves), problems


def _sentences(folder: Path, name: str, shipped: Path, problems: list[Problem]) -> Path:
    """Return the table of sentences, and note what is wrong with it."""
    path = folder / name if name else shipped
    try:
        frames_of(path)
    except SettingsError as error:
        for line in str(error).splitlines():
            where, _, what = line.rpartition(": ")
            problems.append(Problem(f"{path.parent / where}", what, ""))
    except (OSError, UnicodeDecodeError) as error:
        problems.append(Problem(str(path), f"cannot be read: {error}", "write the table, or leave sentences out"))
    return path


def _everyday(table: EverydayTable, said: ScenarioFile, frames: Path) -> Everyday:
    return Everyday(
        home=table.town,
        around=table.around,
        starts_at=said.moment(said.starts_at),
        hours=said.hours,
        posts_a_day=table.posts_a_day,
        trap_share=table.trap_share,
        platforms=table.platforms,
        seed=table.seed,
        has_emojis=table.has_emojis,
        breaks=tuple((said.moment(start), said.moment(end)) for start, end in table.breaks),
        frames=frames,
        local=frozenset(said.local_sources),
    )


def _wave(table: WaveTable, plan: Everyday, said: ScenarioFile, frames: Path) -> Everyday:
    return replace(
        plan,
        starts_at=said.moment(table.starts_at),
        hours=table.hours,
        posts_a_day=table.posts_a_day,
        trap_share=0.0,
        seed=table.seed,
        frames=frames,
        letter=table.letter,
    )


def _has_posts(folder: Path) -> bool:
    return (folder / POSTS).exists()


def _own_posts(
    folder: Path, scenario: Scenario, plans: tuple[Everyday, ...]
) -> tuple[list[dict[str, Any]], list[Problem]]:
    path = folder / POSTS
    if not _has_posts(folder):
        return [], []
    written, problems = read_posts(path, scenario.at)
    known = {"", *(one.id for one in scenario.happenings)}
    taken = re.compile(f"[{''.join(plan.letter for plan in plans) or '-'}][0-9]{{5,}}")
    for line, post in written:
        where = f"{path}: line {line}"
        if post.get("happening", "") not in known:
            hint = f"write [[happenings]] with this id into {FILE}"
            problems.append(Problem(where, f"happening {post['happening']!r} is not told of", hint))
        if not scenario.starts_at <= datetime.fromisoformat(post["ts"]) <= scenario.ends_at:
            hint = "mend its time, or hours in scenario.toml"
            problems.append(Problem(where, f"is said at {post['ts']}, when it has not begun or is over", hint))
        if taken.fullmatch(post["id"]):
            problems.append(Problem(where, f"id {post['id']!r} is one that ordinary posts have", "give another one"))
    return [post for _, post in written], problems


def _notices(folder: Path, scenario: Scenario) -> tuple[tuple[Bulletin, ...], list[Problem]]:
    path = folder / NOTICES
    if not path.exists():
        return (), []
    sites = Sites(known=scenario.sites, area=area_of(scenario.home), zone=scenario.zone)
    found: list[Bulletin] = []
    problems: list[Problem] = []
    for row in rows_from(path.read_bytes(), source="notices", received_at=scenario.starts_at, sites=sites):
        if isinstance(row.found, MalformedRecord):
            problems.append(Problem(f"{path}: line {row.line}", str(row.found), ""))
        else:
            found.append(msgspec.structs.replace(row.found, received_at=row.found.issued_at))
    return tuple(sorted(found, key=lambda one: one.issued_at)), problems
