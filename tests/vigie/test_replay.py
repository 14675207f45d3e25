"""`vigie replay`: recorded posts through the whole pipeline; a recording gives the same alerts, byte for byte."""

import asyncio
import json
import random
import re
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import Result

from records import Clock, ManualClock, SettingsError
from vigie.replay import read_posts, refuse_unusable, settings_for

Runs = Callable[..., "subprocess.CompletedProcess[str]"]
NamesLines = Callable[[str, Path | str, Sequence[int]], bool]

MORNING = datetime(2024, 2, 6, 7, 40, tzinfo=UTC)
NOW = datetime(2026, 1, 1, tzinfo=UTC)

FIRE = [
    (0, "Grosse fumée noire au-dessus du port du Havre, ça brûle côté quai de Southampton ?"),
    (2, "Il y a un énorme incendie au Havre là, je vois les flammes depuis ma fenêtre"),
    (3, "Feu d'entrepôt au Havre, fumée visible depuis Sainte-Adresse"),
    (4, "Les pompiers passent toutes sirènes hurlantes boulevard de Strasbourg, incendie au port du Havre"),
    (5, "Ça sent le brûlé dans tout le centre du Havre, gros incendie sur les docks"),
    (6, "Impressionnant : un hangar en feu au Havre, le ciel est tout noir"),
    (7, "Huge fire in Le Havre harbour right now, black smoke everywhere"),
    (8, "Mon bureau au Havre est évacué à cause de l'incendie d'en face"),
    (9, "Quelqu'un sait ce qui brûle au Havre ? On voit la colonne de fumée depuis Honfleur"),
    (10, "Incendie en cours au Havre : j'entends des explosions depuis le quartier de l'Eure"),
    (11, "Le toit de l'entrepôt vient de s'effondrer, l'incendie gagne, Le Havre"),
    (12, "Photo prise à l'instant, entrepôt en flammes au Havre"),
    (13, "Le feu se propage au hangar voisin, port du Havre, c'est terrible"),
    (14, "Rue bloquée par la police au Havre, un incendie, faites le tour"),
    (16, "On nous demande de fermer les fenêtres au Havre à cause des fumées de l'incendie"),
    (18, "Les flammes font vingt mètres, incendie au Havre, je n'ai jamais vu ça"),
    (20, "Toujours en feu, l'entrepôt du Havre, les pompiers arrosent depuis la darse"),
    (24, "Écoles confinées au Havre à cause de l'incendie, je vais chercher ma fille"),
]
NOISE = [
    "Bonjour à tous, bon mardi",
    "Ce morceau, c'est le feu !",
    "Le HAC joue samedi à domicile",
    "Quelqu'un pour un café à la gare ?",
    "Mon patron est en feu ce matin, trois réunions avant dix heures",
    "Il y a dix ans, l'incendie de la vieille halle, que de souvenirs",
    "Exercice incendie au lycée ce matin, rien de grave",
    "Trains en retard sur la ligne de Rouen",
]
FIELDS_IN_ORDER = [
    "incident_id",
    "revision",
    "level",
    "hazard",
    "place",
    "onset",
    "raised_at",
    "evidence",
    "score",
]
LEVELS = ["signal", "watch", "alert", "confirmed", "monitoring", "resolved", "rejected"]
BAD = [
    "not json",
    '{"id": 1}',
    '{"id": 1, "text": "feu", "ts": "yesterday"}',
    '{"id": "", "text": "x", "ts": "2024-02-06"}',
]


def post(id_: str, at: datetime, author: str, text: str, source: str = "facebook") -> dict[str, Any]:
    return {"id": id_, "source": source, "author": author, "ts": at.isoformat(), "text": text, "lang": "fr"}


def stream() -> list[dict[str, Any]]:
    """A night of noise, then a fire among it."""
    noise = [
        post(
            f"n{number}", MORNING + timedelta(minutes=10 * (number - 40)), f"quiet{number}", NOISE[number % len(NOISE)]
        )
        for number in range(48)
    ]
    fire = [
        post(
            f"f{number}",
            MORNING + timedelta(minutes=minutes),
            f"witness{number}",
            text,
            ("facebook", "forum")[number % 2],
        )
        for number, (minutes, text) in enumerate(FIRE)
    ]
    return sorted(noise + fire, key=lambda one: str(one["ts"]))


def written(path: Path, lines: Sequence[dict[str, Any] | str]) -> Path:
    texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
    path.write_text("\n".join(texts) + "\n", encoding="utf-8")
    return path


class Replays(NamedTuple):
    """What two replays gave: one of the stream in order over one partition; one over four, of its lines shuffled, in
    two files, with bad ones among them."""

    ordered: "subprocess.CompletedProcess[str]"
    shuffled: "subprocess.CompletedProcess[str]"
    folder: Path
    bad_numbers: list[int]

    @property
    def alerts(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "ordered.alerts").read_text().splitlines()]


@pytest.fixture(scope="module")
def replays(run_vigie: Runs, tmp_path_factory: pytest.TempPathFactory) -> Replays:
    folder = tmp_path_factory.mktemp("replay")
    posts: list[dict[str, Any] | str] = list(stream())
    written(folder / "ordered.jsonl", posts)
    random.Random(76351).shuffle(posts)  # noqa: S311  the same each time
    first, second = posts[:30], posts[30:]
    first[10:10], first[20:20] = BAD[:2], BAD[2:]
    bad_numbers = [number for number, line in enumerate(first, 1) if isinstance(line, str)]
    written(folder / "first.jsonl", first)
    written(folder / "second.jsonl", second)
    with ThreadPoolExecutor() as side_by_side:
        ordered, shuffled = side_by_side.map(
            lambda arguments: run_vigie("replay", *arguments, "--home", "76351", cwd=folder),
            [
                ("ordered.jsonl", "--alerts", "ordered.alerts"),
                ("second.jsonl", "first.jsonl", "--alerts", "-", "--partitions", "4"),
            ],
        )
    return Replays(ordered, shuffled, folder, bad_numbers)


@pytest.mark.broker
def test_a_fire_told_by_many_raises_one_incident_up_to_an_alert(replays: Replays) -> None:
    assert replays.ordered.returncode == 0, replays.ordered.stderr
    fires = [alert for alert in replays.alerts if alert["hazard"] == "fire" and alert["place"]["insee"] == "76351"]
    assert len({alert["incident_id"] for alert in fires}) == 1
    assert "alert" in [alert["level"] for alert in fires]


@pytest.mark.broker
def test_each_revision_has_the_fields_of_the_contract(replays: Replays) -> None:
    posts = {str(one["id"]) for one in stream()}
    assert replays.alerts
    for alert in replays.alerts:
        assert list(alert)[: len(FIELDS_IN_ORDER)] == FIELDS_IN_ORDER
        assert alert["level"] in LEVELS
        assert {"name", "lat", "lon", "radius_km", "level", "insee"} <= set(alert["place"])
        assert alert["evidence"]
        assert set(alert["evidence"]) <= posts
        assert isinstance(alert["score"], float)


@pytest.mark.broker
def test_a_level_is_raised_at_the_event_time_at_which_its_evidence_was_there(replays: Replays) -> None:
    said_at = {str(one["id"]): datetime.fromisoformat(one["ts"]) for one in stream()}
    seen: set[str] = set()
    for alert in replays.alerts:
        raised_at, onset = (datetime.fromisoformat(alert[name]) for name in ("raised_at", "onset"))
        assert onset <= raised_at
        if alert["level"] not in seen:  # later revisions of a level say again when it was reached
            assert max(said_at[id_] for id_ in alert["evidence"]) <= raised_at
        seen.add(alert["level"])
    alerted = min(datetime.fromisoformat(a["raised_at"]) for a in replays.alerts if a["level"] == "alert")
    assert MORNING < alerted <= MORNING + timedelta(minutes=25)


@pytest.mark.broker
def test_revisions_come_in_event_time_and_count_up_for_each_incident(replays: Replays) -> None:
    raised = [alert["raised_at"] for alert in replays.alerts]
    assert raised == sorted(raised)
    for incident_id in {alert["incident_id"] for alert in replays.alerts}:
        revisions = [alert["revision"] for alert in replays.alerts if alert["incident_id"] == incident_id]
        assert revisions == list(range(1, len(revisions) + 1))


@pytest.mark.broker
def test_an_incident_that_has_gone_quiet_is_shown_to_its_end(replays: Replays) -> None:
    last = {alert["incident_id"]: alert["level"] for alert in replays.alerts}
    assert set(last.values()) == {"resolved"}


@pytest.mark.broker
def test_out_of_order_among_bad_lines_and_over_four_partitions_the_alerts_are_the_same_byte_for_byte(
    replays: Replays,
) -> None:
    assert replays.shuffled.stdout == (replays.folder / "ordered.alerts").read_text(encoding="utf-8")


@pytest.mark.broker
def test_bad_lines_are_counted_and_named_with_file_and_number(replays: Replays, named_lines: NamesLines) -> None:
    assert replays.shuffled.returncode == 1
    assert named_lines(replays.shuffled.stderr, "first.jsonl", replays.bad_numbers)
    summary = replays.shuffled.stderr.splitlines()[-1]
    assert re.fullmatch(
        rf"{len(stream())} posts read, \d+ through the gate, {len(replays.alerts)} alert revisions, "
        rf"\d+ incidents, {len(BAD)} bad lines",
        summary,
    )
    assert "0 bad lines" in replays.ordered.stderr.splitlines()[-1]


@pytest.mark.broker
def test_no_author_is_named_in_the_alerts(replays: Replays) -> None:
    assert not re.search(r"witness\d", (replays.folder / "ordered.alerts").read_text())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["none.jsonl", "--alerts", "-"], "none.jsonl: no such file; a recording is", id="a missing file"),
        pytest.param(["posts.jsonl", "--alerts", "no/out"], "--alerts no/out: cannot be written; ", id="no folder"),
        pytest.param(["posts.jsonl", "--alerts", "."], "--alerts .: cannot be written; give a file", id="a folder"),
        pytest.param(
            ["posts.jsonl", "--alerts", "-", "--home", "99999"],
            "territory.commune: commune '99999': no commune has this INSEE code or name; ",
            id="an unknown home",
        ),
    ],
)
def test_what_cannot_work_is_told_before_anything_is_started(
    arguments: list[str], expected: str, vigie: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "posts.jsonl").write_text(json.dumps(stream()[0]))
    result = vigie("replay", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"vigie: {expected}")


@pytest.mark.parametrize("profile", ["metropolis", "none.toml"])
def test_a_profile_that_will_not_do_is_told(profile: str) -> None:
    with pytest.raises(SettingsError, match=r"^territory\.profile: "):
        refuse_unusable(settings_for(home="", profile=profile, local_places=None, paths=[Path("x")]))


def test_a_file_without_a_post_gives_status_2_and_no_alerts(vigie: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").write_text("\nnot json\n")
    done = vigie("replay", tmp_path / "posts.jsonl", "--alerts", tmp_path / "out")
    assert (done.exit_code, (tmp_path / "out").read_bytes()) == (2, b"")
    assert done.stderr.splitlines()[-1].startswith("0 posts read, ")
    assert "posts.jsonl:2: " in done.stderr


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


def test_posts_are_read_in_event_time_whatever_the_order_of_the_lines(clock: Clock, tmp_path: Path) -> None:
    posts = stream()
    wanted, bad = asyncio.run(read_posts([written(tmp_path / "a.jsonl", posts)], clock))
    assert (len(wanted), bad) == (len(posts), [])
    for seed in range(5):
        random.Random(seed).shuffle(posts)  # noqa: S311  the same each time
        found, _ = asyncio.run(read_posts([written(tmp_path / "a.jsonl", posts)], clock))
        assert found == wanted


def test_a_post_from_our_future_counts_as_said_now(clock: Clock, tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", [post("f", datetime(9999, 12, 31, 23, 59, tzinfo=UTC), "x", FIRE[0][1])])
    (found,), _ = asyncio.run(read_posts([path], clock))
    assert found.event_time == NOW
