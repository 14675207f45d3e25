"""The benchmark's own parts; what it measures is printed by `vigie bench`, never asserted."""

import pytest

from models.gate import Gate
from vigie.bench import load, quantile


@pytest.mark.parametrize("pass_ratio", [0.03, 0.2])
def test_the_load_passes_the_gate_in_the_share_asked_for(pass_ratio: float) -> None:
    passes = Gate.load()
    posts = load(2000, pass_ratio, passes)
    assert sum(passes(post.text) for post in posts) == pytest.approx(2000 * pass_ratio, abs=2)


def test_the_load_is_the_same_each_time() -> None:
    passes = Gate.load()
    assert [post.text for post in load(300, 0.03, passes)] == [post.text for post in load(300, 0.03, passes)]


@pytest.mark.parametrize(
    ("share", "seconds"),
    [pytest.param(0.5, 0.1, id="median"), pytest.param(0.99, 1.0, id="the last hundredth")],
)
def test_a_quantile_is_the_upper_edge_of_its_bucket(share: float, seconds: float) -> None:
    assert quantile({"0.05": 40, "0.1": 60, "1.0": 100, "+Inf": 100}, share) == seconds
