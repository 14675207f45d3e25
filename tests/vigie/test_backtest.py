"""`vigie backtest`: a day of posts or signals decided again, judged by what happened, and told in tables and files."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import Result
from msgspec.structs import replace
from rich.console import Console

from detectors.backtest import came_at, replayed
from models.places import shipped_gazetteer
from records import Post, Retraction, Signal, SystemClock, encode
from records.backtest import Backtest, Change
from records.share import share_of
from records.truth import TrueIncident, Truth
from vigie.backtest import Past, bench_of, read_past
from vigie.backtest_plots import plots_of
from vigie.backtest_report import change_words, report, share_words
from vigie.plotting import write_plots
from vigie.recording import Facts, Row, file_of, table_of
from vigie.replay import CLOSING, run_replay, settings_for
from vigie.scenarios.recording import write_recording
from vigie.story import le_havre_2012
from vigie.territory import home_of, profile_of

Runs = Callable[..., Result]
NamesLines = Callable[[str, Path | str, Sequence[int]], bool]

HOME = "76351"
SINCE, UNTIL = "2012-01-30T08:00:00+01:00", "2012-01-30T09:45:00+01:00"
"""The part of the morning in which the power station begins to burn, and an alert is raised."""
BLAZE = "power station"
PNG = b"\x89PNG\r\n\x1a\n"
CANDIDATE = "candidate.toml"


class Day:
    """The morning of the power station in files: its posts, its signals, the truth, and a candidate profile."""

    def __init__(self, folder: Path) -> None:
        story = le_havre_2012()
        self.folder = folder
        self.posts, self.signals = folder / "posts.jsonl", folder / "signals.jsonl"
        self.truth_file, self.candidate = folder / "truth.json", folder / CANDIDATE
        write_recording((post for post in story.posts if SINCE <= post["ts"] < UNTIL), self.posts)
        self.settings = settings_for(home=HOME, profile="", local_places=None, paths=[self.posts])
        self.past = read_past([self.posts], self.settings, SystemClock())
        self.signals.write_bytes(b"".join(encode(value) + b"\n" for value in self.past.values))
        self.truth = Truth(
            incidents=(
                TrueIncident(
                    incident_id=BLAZE,
                    hazard="fire",
                    began_at=story.began_at,
                    ended_at=story.began_at + timedelta(hours=6),
                    first_post_at=story.first_post_at,
                    post_ids=story.incident_ids,
                    label={"en": "The power station", "fr": "La centrale"},
                ),
            ),
            is_complete=True,
        )
        self.truth_file.write_bytes(msgspec.json.encode(self.truth))
        city = Path("detectors/profiles/city.toml").read_text(encoding="utf-8")
        tenth = city.replace("watch = 14.0", "watch = 1.4").replace("alert = 0.5", "alert = 0.05")
        self.candidate.write_text(tenth.replace('name = "city"', 'name = "sparing"'), encoding="utf-8")


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    return Day(tmp_path_factory.mktemp("day"))


@pytest.fixture(scope="module")
def ran(vigie: Runs, day: Day) -> Result:
    """Run the whole of it: two profiles with their frontiers, the truth, all outputs."""
    return vigie(
        "backtest",
        day.signals,
        *("--home", HOME, "--profile", "city", "--profile", day.candidate, "--truth", day.truth_file),
        *("--json", day.folder / "report.json", "--plots", day.folder / "plots" / "deep"),
    )


@pytest.fixture(scope="module")
def found(ran: Result, day: Day) -> Backtest:
    assert ran.exit_code == 0, ran.output
    return msgspec.json.decode((day.folder / "report.json").read_bytes(), type=Backtest)


def drawn(found: Backtest) -> str:
    console = Console(width=200, record=True, file=StringIO())
    console.print(report(found))
    return console.export_text()


def test_the_power_station_is_found_and_its_delay_counts_from_the_first_post(found: Backtest, day: Day) -> None:
    in_force, sparing = found.outcomes
    (blaze,) = in_force.found
    assert (in_force.profile, sparing.profile) == ("city", "sparing")
    assert blaze.incident_id == BLAZE
    assert blaze.watch_minutes is not None
    assert blaze.since == day.truth.incidents[0].first_post_at
    assert blaze.watch_at == blaze.since + timedelta(minutes=blaze.watch_minutes)
    assert blaze.raised
    assert (found.true_incidents, found.is_complete, found.signals) == (1, True, len(day.past.values))
    assert sparing.watches <= in_force.watches


def test_the_frontier_of_each_profile_runs_over_seven_budgets_and_its_own_is_among_them(found: Backtest) -> None:
    assert [[point.factor for point in points] for points in found.frontiers] == [[0.125, 0.25, 0.5, 1, 2, 4, 8]] * 2
    for outcome, points in zip(found.outcomes, found.frontiers, strict=True):
        own = points[3]
        assert (own.false_watches_a_day, own.watch_delay) == (outcome.false_watches_a_day, outcome.watch_delay)
        assert points[0].false_watches_a_day <= points[-1].false_watches_a_day


def test_the_second_profile_is_compared_with_the_first(found: Backtest) -> None:
    assert found.comparison is not None
    assert found.comparison.is_ in {"exchange", "worse"}
    assert {one.kind for one in found.comparison.changes} & {"watch_later", "watch_missed", "false_watches"}


def test_the_tables_say_it_in_words(ran: Result, found: Backtest, day: Day) -> None:
    for words in ("Profiles", "The power station", "false and missed", "What each source gave", "with other budgets"):
        assert words in ran.output
    assert "The second profile is" in ran.output
    text = drawn(found)
    assert f"{len(day.past.values)} signals, 1 true incident\n" in text
    assert "outside that time" not in text
    assert "watches a day" in text
    assert "unjudged" not in text  # all is known


def test_a_truth_of_another_time_is_doubted(found: Backtest) -> None:
    outcome = found.outcomes[0]
    elsewhere = replace(outcome.found[0], since=found.ends_at + timedelta(days=365))
    text = drawn(replace(found, outcomes=(replace(outcome, found=(elsewhere,)),)))
    assert "outside that time: 1 of them; is it the right truth?" in text


def test_the_plots_are_png_files_in_a_folder_that_was_made(ran: Result, day: Day) -> None:
    assert ran.exit_code == 0
    plots = sorted((day.folder / "plots" / "deep").iterdir())
    assert [path.name for path in plots] == ["days.png", "delays.png", "frontier.png", "sources.png"]
    assert all(path.read_bytes().startswith(PNG) for path in plots)


def test_each_source_is_where_it_was_recorded_from(found: Backtest) -> None:
    assert {one.source for one in found.outcomes[0].by_source} > {"facebook"}
    assert "recorded" not in {one.source for one in found.outcomes[0].by_source}


# ----- signals -----


def test_a_file_of_signals_is_the_past_that_its_posts_are(day: Day) -> None:
    past = read_past([day.signals], day.settings, SystemClock())
    assert past.values == day.past.values
    assert day.past.starts_at <= past.starts_at < past.ends_at <= day.past.ends_at
    assert past.bad == ()


def test_a_part_of_a_recording_gives_the_same_outcome_without_the_words(day: Day, tmp_path: Path) -> None:
    path = tmp_path / "morning.parquet"
    rows = [Row(one, 0, number, came_at(one)) for number, one in enumerate(day.past.values)]
    path.write_bytes(file_of(table_of(rows), Facts()))
    past = read_past([path], day.settings, SystemClock())
    profile = profile_of(day.settings, home_of(day.settings, shipped_gazetteer()))
    (wordless,), (whole,) = (
        bench_of(one, day.truth).run([profile], has_frontiers=False).outcomes for one in (past, day.past)
    )
    said = {value.text for value in day.past.values if isinstance(value, Signal)} - {""}
    assert said.isdisjoint(item.text for one in wordless.raised for item in one.evidence)
    assert [(one.incident_id, one.watch_at, one.alert_at, one.score) for one in wordless.raised] == [
        (one.incident_id, one.watch_at, one.alert_at, one.score) for one in whole.raised
    ]


def test_posts_and_their_signals_give_the_same_report(vigie: Runs, day: Day, tmp_path: Path) -> None:
    lines = [line for line in day.posts.read_bytes().splitlines() if b"incendie" in line or b"fum\xc3\xa9e" in line]
    posts, signals = tmp_path / "posts.jsonl", tmp_path / "signals.jsonl"
    posts.write_bytes(b"\n".join(lines))
    past = read_past([posts], day.settings, SystemClock())
    signals.write_bytes(b"".join(encode(value) + b"\n" for value in past.values))
    of_posts, of_signals = (
        vigie("backtest", file, "--home", HOME, "--no-frontier", "--truth", day.truth_file, "--json", "-")
        for file in (posts, signals)
    )
    assert (of_posts.exit_code, of_signals.exit_code) == (0, 0), of_posts.output
    one, other = (msgspec.json.decode(result.stdout_bytes, type=Backtest) for result in (of_posts, of_signals))
    assert one.outcomes[0].raised
    assert (one.outcomes[0].raised, one.outcomes[0].found) == (other.outcomes[0].raised, other.outcomes[0].found)
    assert (one.frontiers, one.comparison) == ((), None)


def test_bad_lines_are_named_even_the_first_and_the_rest_is_decided(
    vigie: Runs, day: Day, tmp_path: Path, named_lines: NamesLines
) -> None:
    lines = day.signals.read_bytes().splitlines()
    tick = b'{"type":"tick","hazard":"fire","area":"76","at":"2012-01-30T08:00:00Z"}'
    file = tmp_path / "some.jsonl"
    file.write_bytes(b"\n".join([b"not json", *lines[:40], b"", tick, b'{"type":"signal"}', *lines[40:]]) + b"\n")
    result = vigie("backtest", file, "--home", HOME, "--no-frontier", "--json", "-")
    assert result.exit_code == 1
    assert named_lines(result.stderr, file, [1, 44])
    assert msgspec.json.decode(result.stdout_bytes, type=Backtest).signals == len(lines)


def test_bad_posts_are_named_and_the_rest_is_decided(
    vigie: Runs, day: Day, tmp_path: Path, named_lines: NamesLines
) -> None:
    file = tmp_path / "some.jsonl"
    file.write_bytes(b'{"id": 1}\n' + b"\n".join(day.posts.read_bytes().splitlines()[:20]))
    result = vigie("backtest", file, "--home", HOME, "--no-frontier")
    assert result.exit_code == 1
    assert named_lines(result.stderr, file, [1])


def test_without_a_truth_nothing_is_judged(vigie: Runs, day: Day, tmp_path: Path) -> None:
    arguments = ("--home", HOME, "--profile", "city", "--profile", day.candidate, "--plots", tmp_path / "plots")
    result = vigie("backtest", day.signals, *arguments, "--json", "-")
    assert result.exit_code == 0, result.output
    found = msgspec.json.decode(result.stdout_bytes, type=Backtest)
    assert found.comparison is not None
    assert found.comparison.is_ == "unknown"
    assert {one.watch_is for one in found.outcomes[0].raised} == {"unjudged"}
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == ["days.png", "sources.png"]
    text = drawn(found)
    assert "what else was raised is not judged" in text
    assert "unjudged watches a day" in text
    assert "none judged" in text


# ----- refused -----


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["none.jsonl"], "none.jsonl: No such file", id="a missing file"),
        pytest.param(["."], "Is a directory", id="a folder"),
        pytest.param(["posts.jsonl", "signals.jsonl"], "posts.jsonl: posts, signals.jsonl: signals", id="two kinds"),
        pytest.param(["empty.jsonl"], "no file holds a post or a signal", id="an empty file"),
        pytest.param(["bad.jsonl"], "bad.jsonl:1", id="nothing but bad lines"),
        pytest.param(["posts.jsonl", "--profile", "no-such"], "no-such", id="no such profile"),
        pytest.param(
            ["posts.jsonl", "--profile", "city", "--profile", "city", "--profile", "city"],
            "3 times",
            id="three profiles",
        ),
        pytest.param(["posts.jsonl", "--truth", "bad.jsonl"], "--truth bad.jsonl", id="no truth"),
        pytest.param(["posts.jsonl", "--truth", "twice.json"], "a: stands twice", id="a truth with one name for two"),
        pytest.param(["posts.jsonl", "--truth", "back.json"], "ended_at is before", id="a truth that ends before"),
        pytest.param(["posts.jsonl", "--truth", "nowhere.json"], "neither post_ids nor a place", id="nowhere"),
        pytest.param(["posts.jsonl", "--json", "none/out.json"], "--json none/out.json: cannot be", id="no folder"),
        pytest.param(["posts.jsonl", "--json", "."], "--json .: cannot be written", id="out is a folder"),
        pytest.param(["posts.jsonl", "--plots", "bad.jsonl"], "bad.jsonl is a file", id="plots are a file"),
        pytest.param(["posts.jsonl", "--plots", "bad.jsonl/x/y"], "bad.jsonl is a file", id="plots below a file"),
        pytest.param(["signals.jsonl", "--json", "/dev/full"], "--json /dev/full: No space", id="a full disk"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(
    vigie: Runs, day: Day, monkeypatch: pytest.MonkeyPatch, arguments: list[str], expected: str
) -> None:
    monkeypatch.chdir(day.folder)
    one = {"incident_id": "a", "hazard": "fire", "began_at": "2012-01-30T08:00:00Z", "post_ids": ["1"]}
    files = {
        "empty.jsonl": "",
        "bad.jsonl": "not json\n",
        "twice.json": json.dumps({"incidents": [one], "false_ones": [one]}),
        "back.json": json.dumps({"incidents": [{**one, "ended_at": "2012-01-30T07:00:00Z"}]}),
        "nowhere.json": json.dumps({"incidents": [{**one, "post_ids": []}]}),
    }
    for name, text in files.items():
        Path(name).write_text(text, encoding="utf-8")
    result = vigie("backtest", *arguments, "--home", HOME, "--no-frontier")
    assert result.exit_code == 2
    assert expected in result.stderr
    assert result.stderr.splitlines()[-1].strip()
    assert "Traceback" not in result.stderr


# ----- the same as a replay -----


@pytest.mark.broker
def test_a_replay_of_the_posts_tells_the_same(day: Day) -> None:
    profile = profile_of(day.settings, home_of(day.settings, shipped_gazetteer()))
    run = replayed(profile, day.past.values, until=day.past.ends_at + CLOSING, places=shipped_gazetteer().wide_places())
    replay = run_replay([day.posts], day.settings, SystemClock())
    assert [one.alert for one in run.told] == list(replay.alerts)
    assert run.failed == 0


def test_of_an_edited_post_the_old_words_go_before_the_new_ones_come(
    day: Day, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a worker has it; else what a post says now would be looked for among what is to be forgotten."""

    async def edited(*_: Any, **__: Any) -> tuple[list[Post], list[str]]:
        at = datetime(2024, 2, 6, 7, 40, tzinfo=UTC)
        text = "Il y a un énorme incendie au Havre là, je vois les flammes depuis ma fenêtre"
        first = Post(source="stub", id="1", author_id="a", posted_at=at, received_at=at, text=text, lang="fr")
        later = at + timedelta(minutes=5)
        again = msgspec.structs.replace(first, text=f"{text} !!", verb="update", received_at=later)
        return [first, again], []

    monkeypatch.setattr("vigie.backtest.read_posts", edited)
    past = read_past([day.posts], day.settings, SystemClock())
    assert [type(value) for value in past.values] == [Signal, Retraction, Signal]


# ----- words -----


def test_of_few_cases_no_percentage_is_told() -> None:
    assert share_words(share_of(0, 0)) == "none judged"
    assert share_words(share_of(3, 4)) == "3 of 4 (30 to 95 %)"
    assert share_words(share_of(9, 10)) == "9 of 10: 90 % (60 to 98 %)"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            Change(kind="watch_earlier", amount=6.0, incident_id="l", label={"en": "Lubrizol"}),
            "Lubrizol: watch 6.0 min earlier",
        ),
        (Change(kind="alert_missed", amount=9.0, incident_id="l"), "l: NO alert any more"),
        (Change(kind="watches_a_day", amount=2.0), "+2.00 watches a day"),
        (Change(kind="false_alerts", amount=-1.0), "-1 false alerts over the whole recording"),
    ],
)
def test_a_change_in_words(change: Change, words: str) -> None:
    assert change_words(change) == words


def test_profiles_of_one_name_are_told_apart(day: Day, tmp_path: Path) -> None:
    profile = profile_of(day.settings, home_of(day.settings, shipped_gazetteer()))
    bench = bench_of(day.past, day.truth)
    parts: list[str] = []
    found = bench.run([profile, profile], has_frontiers=False, on_progress=lambda part, _: parts.append(part))
    assert f"{profile.name} {profile.version} (1)" in drawn(found)
    assert f"{profile.name} {profile.version} (2)" in drawn(found)
    assert found.comparison is not None
    assert found.comparison.is_ == "same"
    assert write_plots(plots_of(found), tmp_path)


def test_a_minute_counts_as_an_hour() -> None:
    """A rate a day of a minute says nothing."""
    now = datetime(2024, 2, 6, 7, 40, tzinfo=UTC)
    assert Past((), now, now + timedelta(minutes=1)).days == 1 / 24
    assert Past((), now, now + timedelta(days=3)).days == 3.0


def test_who_listens_to_the_progress_may_stop_it(day: Day) -> None:
    class Stopped(Exception):
        pass

    def stop(_part: str, share: float) -> None:
        if share > 0.3:
            raise Stopped

    profile = profile_of(day.settings, home_of(day.settings, shipped_gazetteer()))
    with pytest.raises(Stopped):
        bench_of(day.past, day.truth).run([profile], has_frontiers=True, on_progress=stop)
