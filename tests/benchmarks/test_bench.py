"""The benchmark's own parts; what it measures is printed by `vigie bench`, never asserted."""

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from models.gate import Gate
from records import SettingsError
from vigie.bench.latency import quantile
from vigie.bench.load import LATE_SECS, TOWNS, Texts, load
from vigie.cli import main


@pytest.fixture(scope="module")
def passes() -> Gate:
    return Gate.load()


@pytest.fixture(scope="module")
def texts(passes: Gate) -> Texts:
    return Texts(passes)


@pytest.mark.parametrize("pass_ratio", [0.03, 0.2])
def test_the_load_passes_the_gate_in_the_share_asked_for(pass_ratio: float, passes: Gate, texts: Texts) -> None:
    posts = load(2000, pass_ratio, texts)
    assert sum(passes(post.text) for post in posts) == pytest.approx(2000 * pass_ratio, abs=2)


def test_the_load_is_the_same_each_time(texts: Texts) -> None:
    assert [post.text for post in load(300, 0.03, texts)] == [post.text for post in load(300, 0.03, texts)]


def test_posts_come_at_a_rate_and_a_little_late(texts: Texts) -> None:
    posts = load(300, 0.03, texts, rate=100)
    assert (posts[-1].received_at - posts[0].received_at).total_seconds() == pytest.approx(2.99)
    late = [(post.received_at - post.event_time).total_seconds() for post in posts]
    assert min(late) >= 0.0
    assert max(late) <= LATE_SECS
    assert max(late) > LATE_SECS / 2


@pytest.mark.parametrize(("pass_ratio", "least", "most"), [(0.03, 0.05, 0.2), (0.2, 0.55, 0.75)])
def test_in_a_crisis_most_speaks_of_one_town(
    pass_ratio: float, least: float, most: float, passes: Gate, texts: Texts
) -> None:
    told = [post.text for post in load(5000, pass_ratio, texts) if passes(post.text)]
    assert least <= sum(f" {TOWNS[0]} " in text for text in told) / len(told) <= most


def test_posts_of_ones_own_are_taken_in(tmp_path: Path, passes: Gate) -> None:
    lines = [json.dumps({"text": "Un incendie à la raffinerie, numéro unique 77-42"}), json.dumps({"text": None})]
    (tmp_path / "posts.jsonl.gz").write_bytes(gzip.compress("\n".join(lines).encode()))
    assert "Un incendie à la raffinerie, numéro unique 77-42" in Texts(passes, tmp_path).inside


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [("posts.jsonl", b'{"text": 1', "posts.jsonl: line 1"), ("posts.csv", b"", "holds no .jsonl")],
)
def test_what_are_no_posts_is_refused_with_the_place(
    tmp_path: Path, passes: Gate, name: str, content: bytes, says: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SettingsError, match=says):
        Texts(passes, tmp_path)


@pytest.mark.parametrize(
    ("share", "seconds"),
    [pytest.param(0.5, 0.1, id="median"), pytest.param(0.99, 1.0, id="the last hundredth")],
)
def test_a_quantile_is_the_upper_edge_of_its_bucket(share: float, seconds: float) -> None:
    assert quantile({"0.05": 40, "0.1": 60, "1.0": 100, "+Inf": 100}, share) == seconds


@pytest.mark.parametrize(
    "arguments",
    [
        ("throughput", "--posts", "0"),
        ("latency", "--rate", "0"),
        ("latency", "--seconds", "-1"),
        ("scale", "--workers", "0"),
        ("scale", "--partitions", "0"),
        ("scale", "--posts", "0"),
    ],
    ids=" ".join,
)
def test_what_gives_no_figure_is_refused_before_anything_starts(arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, ["bench", *arguments])
    assert result.exit_code == 2
    assert f"Invalid value for '{arguments[1]}'" in result.stderr
