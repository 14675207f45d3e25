"""The benchmarks of speed run to their end, in small: what they count is all there, whatever the figures are."""

import pytest

from vigie.bench import ceiling, latency, throughput
from vigie.bench.ceiling import Ceiling
from vigie.bench.scale import scale

pytestmark = pytest.mark.broker
PASS_RATIO = 0.2


@pytest.fixture
def in_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Warm up with few posts, and run the plain loop in this process: it is the same function."""
    for module in (ceiling, latency, throughput):
        monkeypatch.setattr(module, "WARM", 200)

    def one_loop(count: int, pass_ratio: float, texts: None) -> Ceiling:
        return Ceiling(*ceiling.loop(count, pass_ratio, texts))

    monkeypatch.setattr(throughput, "ceiling", one_loop)


@pytest.mark.usefixtures("in_small")
def test_throughput_measures_every_process_and_step_and_what_they_are_compared_with() -> None:
    found = throughput.throughput(1_000, PASS_RATIO)
    assert found.cpu_us_per_post.keys() == {"edge", "broker", "worker", "reader"}
    assert min(found.cpu_us_per_post.values()) > 0
    assert found.memory_mb.keys() == {"broker", "worker", "reader"}
    stages = found.stages
    assert min(stages.gate_us, stages.read_us, stages.place_us, stages.detect_us) > 0
    assert found.ratio == pytest.approx(found.posts_per_sec / found.ceiling_posts_per_sec, abs=0.01)
    assert found.raw_posts_per_sec > found.posts_per_sec * PASS_RATIO
    assert 0 < found.ready_secs < 180


@pytest.mark.usefixtures("in_small")
def test_latency_has_each_post_that_passed_and_says_how_fast_they_came() -> None:
    found = latency.latency(100.0, 4.0, PASS_RATIO)
    assert found.posts == 400
    assert 30 <= found.decisions <= 80, "of those that passed, what says something of a hazard"
    assert found.p50_secs is not None
    assert found.p99_secs is not None
    assert found.p50_secs <= found.p99_secs
    assert found.asked_per_sec == 100.0
    assert 50.0 < found.offered_per_sec <= 101.0
    assert max(found.histogram.values()) == found.decisions


@pytest.mark.long
def test_scale_has_each_worker_do_its_part_and_says_who_had_most() -> None:
    (found,) = scale([2], 4, 60, PASS_RATIO, None)
    assert (found.workers, found.partitions, found.posts) == (2, 4, 60)
    assert found.cpu_us_per_post > 0
    assert 0.5 <= found.busiest_share <= 1.0
    assert 0.5 <= found.busiest_signals_share <= 1.0
    assert found.memory_mb > 100
