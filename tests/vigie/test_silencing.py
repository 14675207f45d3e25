"""`vigie silence`, and the routes of the settings: through the real pipeline, and refused where they cannot be used."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from records import ManualClock, SettingsError
from streams.declaring import declare_topics
from vigie.broker import EmbeddedBroker
from vigie.cli import main
from vigie.deciding import made
from vigie.routing_settings import router_from
from vigie.settings import Settings
from vigie.silencing import end, known, silence_from, span_from
from vigie.telling import router

JSONL = '[[receivers]]\nkind = "jsonl"\npath = "alerts.jsonl"\n'


def why_refused(loaded: Callable[[str], Settings], toml: str) -> str:
    with pytest.raises(SettingsError) as refused:
        router(loaded(JSONL + toml))
    return str(refused.value)


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        (
            '[[routes]]\nname = "cell"\nreceivers = ["jsonn"]\n',
            "routes.cell.receivers: there is no receiver 'jsonn'; there are jsonl",
        ),
        (
            '[[routes]]\nname = "cell"\nreceivers = ["jsonl"]\nmute = ["nights"]\n',
            "routes.cell.mute: there is no interval 'nights'; there are none",
        ),
        (
            '[[routes]]\nname = "cell"\nreceivers = ["jsonl"]\nmatchers = ["hazard"]\n',
            'routes.cell.matchers: "hazard" is no matcher: write such as hazard = fire, or level =~ "alert|confirmed"',
        ),
        (
            '[[routes]]\nname = "cell"\nreceivers = ["jsonl"]\nescalate_after_minutes = 15\n',
            "routes.cell.escalate_to: an escalation needs both escalate_after_minutes and escalate_to; "
            "give both, or none",
        ),
        (
            '[[routes]]\nname = "cell"\nreceivers = ["jsonl"]\ngroup_wait_secs = 15\n',
            'routes.cell.group_by: nothing is grouped; name labels, as in ["area"], or take the waits out',
        ),
        (
            '[[routes]]\nname = "cell"\nreceivers = ["jsonl"]\n' * 2,
            "routes.cell: 2 routes have this name; give each a name of its own",
        ),
        (
            '[[routes]]\nname = "cell"\nreceivers = ["jsonl"]\nescalate_after_minutes = 15\nescalate_to = ["jsonl"]\n',
            "routes.cell.escalate_to: jsonl is told by this route already; name others",
        ),
        (
            '[[intervals]]\nname = "nights"\ntimes = ["22:00-07:00"]\nzone = "Europe/Havre"\n',
            "intervals.nights.zone: there is no zone 'Europe/Havre'; write such as Europe/Paris",
        ),
        (
            '[[inhibitions]]\nsource = ["level = alert"]\ntarget = ["level =~ ("]\n',
            'inhibitions.1.target: "level =~ (": "(" is no pattern (missing ), unterminated subpattern at position 0): '
            'write such as "alert|confirmed"',
        ),
        (
            '[[windows]]\nname = "PPI"\nkind = "exercise"\nstarts_at = 2026-12-01T09:00:00+01:00\n'
            'ends_at = 2026-12-01T08:00:00+01:00\nauthor = "a"\nreason = "r"\n',
            "windows.PPI.ends_at: is not after starts_at; give the later moment",
        ),
    ],
)
def test_a_route_that_cannot_be_used_is_refused_with_its_place_and_what_would_do(
    loaded: Callable[[str], Settings], toml: str, expected: str
) -> None:
    assert why_refused(loaded, toml) == expected


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        (
            '[[routes]]\nname = "cell"\nreceivers = ["jsonl"]\ncontinu = true\n',
            "vigie.toml: line 4: routes.0.continu: is not a setting; did you mean continue?",
        ),
        (
            '[[intervals]]\nname = "nights"\ntimes = ["22-07"]\n',
            "vigie.toml: line 3: intervals.0.times.0: found '22-07'; give spans of the day, as in [\"22:00-07:00\"]",
        ),
        ('[routes]\nname = "cell"\n', "vigie.toml: line 1: routes: found a table; write [[routes]] above its keys"),
        (
            '[[windows]]\nname = "PPI"\nkind = "exercise"\nstarts_at = 2026-12-01T09:00:00\n'
            'ends_at = 2026-12-01T12:00:00+01:00\nauthor = "a"\nreason = "r"\n',
            "vigie.toml: line 4: windows.0.starts_at: found 2026-12-01T09:00:00; give its begin, as "
            "2026-12-01T09:00:00+01:00",
        ),
    ],
)
def test_a_mistake_in_these_tables_is_told_with_its_line(
    refusals: Callable[[str], list[str]], toml: str, expected: str
) -> None:
    assert refusals(toml) == [expected]


def test_check_names_a_route_that_cannot_be_used(written: Callable[[str], Path]) -> None:
    path = written(JSONL + '[[routes]]\nname = "cell"\nreceivers = ["jsonn"]\n')
    done = CliRunner().invoke(main, ["check", "--settings", str(path)])
    assert "routes.cell.receivers: there is no receiver 'jsonn'" in done.output


def test_routes_of_the_settings_route(loaded: Callable[[str], Settings]) -> None:
    settings = loaded(
        JSONL + '[[receivers]]\nkind = "terminal"\n'
        '[[routes]]\nname = "cell"\nreceivers = ["jsonl"]\nmatchers = ["level =~ alert|confirmed"]\ncontinue = true\n'
        'mute = ["nights"]\n'
        '[[routes]]\nname = "all"\nreceivers = ["terminal"]\n'
        '[[intervals]]\nname = "nights"\ntimes = ["22:00-07:00"]\n'
    )
    found = router(settings)
    assert [route.name for route in found.routes_of({"level": "alert"})] == ["cell", "all"]
    assert [route.name for route in found.routes_of({"level": "watch"})] == ["all"]
    bare = router_from([], [], [], [], receivers=["a", "b"])
    assert [route.receivers for route in bare.routes_of({})] == [("a", "b")]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--for", "2h", "--by", "a", "--because", "b"], "say what is to be silent"),
        (["hazard = fire", "--for", "2 weeks", "--by", "a", "--because", "b"], "write a span such as 90m, 2h or 1d"),
        (["hazard = fire", "--for", "30d", "--by", "a", "--because", "b"], "no longer than 7 days"),
        (["hazard = fire", "--for", "2h", "--by", " ", "--because", "b"], "says who wants it and why"),
        (["hazzard = fire", "--for", "2h", "--by", "a", "--because", "b"], "there is no label hazzard"),
        (["area != 76", "--for", "2h", "--by", "a", "--because", "b"], "this would hold back everything"),
        (["hazard", "--for", "2h", "--by", "a", "--because", "b"], "is no matcher"),
    ],
)
def test_a_silence_without_a_word_too_few_is_refused(arguments: list[str], expected: str) -> None:
    done = CliRunner().invoke(main, ["silence", "add", *arguments])
    assert done.exit_code == 2
    assert expected in done.output


def test_spans_are_read() -> None:
    assert [span_from(text) for text in ("90m", "2h", "1d")] == [
        timedelta(minutes=90),
        timedelta(hours=2),
        timedelta(days=1),
    ]


@pytest.fixture
def broker_settings(
    loaded: Callable[[str], Settings], monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Settings, EmbeddedBroker]]:
    with EmbeddedBroker() as broker:
        monkeypatch.setenv("VIGIE_BROKER_PORT", str(broker.port))
        settings = loaded("[kafka]\npartitions = 2\n")
        asyncio.run(declare_topics(settings.streams()))
        yield settings, broker


@pytest.mark.broker
def test_a_silence_is_made_shown_and_ended(broker_settings: tuple[Settings, EmbeddedBroker], tmp_path: Path) -> None:
    settings, _ = broker_settings
    clock = ManualClock(datetime.now(UTC))
    streams = settings.streams()
    one = silence_from(["hazard = fire"], span="2h", author="permanence", reason="exercice", now=clock.now())
    made(streams, one)
    assert known(streams) == {one.silence_id: one}
    shown = CliRunner().invoke(main, ["silence", "list", "--settings", str(tmp_path / "vigie.toml")])
    assert shown.exit_code == 0, shown.output
    assert "permanence" in shown.output
    clock.advance(timedelta(minutes=5))
    end(streams, one.silence_id, clock)
    assert known(streams)[one.silence_id].ends_at == clock.now()
    with pytest.raises(SettingsError, match="in force are none"):
        end(streams, one.silence_id, clock)
