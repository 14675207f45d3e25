"""The compiled detector against the running one's formulas, and the benchmark's main figures on few streams.

Margins are those of small samples: the figures themselves are in `detection/README.md`.
"""

import json
import math
import runpy
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import baseline, batch, statistic
from detectors.moment import MINUTE
from detectors.statistic import Rates
from models.hazard import VERSION
from records import SettingsError

FOLDER = Path(__file__).parent / "detection"
MODULES = (
    "alarms",
    "attacks",
    "branches",
    "budgets",
    "chatter",
    "crew",
    "delays",
    "marks",
    "plots",
    "tables",
    "watchers",
)
RATES = Rates(per_minute=(0.01, 0.3, 10.0), evidence_share=0.8)
CEILING = 1e10
FIRE = np.array(RATES.per_minute)


@pytest.fixture(scope="module")
def bench() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        yield SimpleNamespace(**{name: import_module(name) for name in MODULES})


@pytest.fixture(scope="module")
def crew(bench: Any) -> Any:
    return bench.crew.Crew(1)


@pytest.fixture(scope="module")
def read(bench: Any) -> Any:
    """The marks of our reader, with ratios that mean what they say."""
    stated = bench.marks.read_marks("stated", usual="everyday")
    return bench.marks.divided(stated, "divided", stated.overstated())


def tuning(**changed: Any) -> batch.Tuning:
    plain: dict[str, Any] = {"evidence_share": 0.8, "weak_share": 0.8, "shape": np.ones(24), "ceiling": CEILING}
    return batch.tuning_for(FIRE, **(plain | changed))


class TestTheFormulas:
    @settings(deadline=None)  # the first call compiles
    @given(value=st.floats(0.1, 1e9), minutes=st.floats(0.0, 1e5), odds=st.floats(0.0, 1e6))
    def test_r_decays_and_rises_as_in_the_running_detector(self, value: float, minutes: float, odds: float) -> None:
        start = [value] * 3
        ours = [batch.decayed(value, minutes, rate * RATES.evidence_share) for rate in RATES.per_minute]
        assert ours == pytest.approx(statistic.decayed(start, minutes, RATES), rel=1e-12)
        ours = [batch.raised(value, rate, odds, CEILING) for rate in RATES.per_minute]
        assert ours == pytest.approx(statistic.raised(start, odds, RATES, ceiling=CEILING), rel=1e-12)

    @settings(deadline=None)  # the first call compiles
    @given(total=st.floats(0.0, 60.0), minutes=st.floats(0.0, 1e4), odds=st.floats(0.0, 1e6))
    def test_the_running_sums_too(self, total: float, minutes: float, odds: float) -> None:
        theirs, onsets = statistic.onsets_after([total] * 3, [0] * 3, minutes, odds, at=1, rates=RATES)
        left = [batch.sunk(total, minutes, rate * RATES.evidence_share) for rate in RATES.per_minute]
        ours = [batch.grown(value, rate, odds) for value, rate in zip(left, RATES.per_minute, strict=True)]
        assert ours == pytest.approx(theirs, rel=1e-12)
        assert [value <= 0.0 for value in left] == [onset == 1 for onset in onsets]

    @settings(deadline=None)  # the first call compiles
    @given(
        fast=st.floats(0.0, 500.0),
        slow=st.floats(0.0, 5000.0),
        minutes=st.integers(0, 3000),
        weak_rate=st.floats(1e-4, 2.0),
    )
    def test_the_control_series_too(self, fast: float, slow: float, minutes: int, weak_rate: float) -> None:
        known = baseline.Baseline(day_at=0, low_fast=fast, low_slow=slow)
        theirs = baseline.busier(known, minutes * MINUTE, weak_rate=weak_rate, shape=0.7)
        kept = math.exp(-minutes / baseline.FAST_MINUTES), math.exp(-minutes / baseline.SLOW_MINUTES)
        assert batch.busier(fast * kept[0], slow * kept[1], weak_rate, 0.7) == pytest.approx(theirs, rel=1e-9)

    def test_a_stream_gives_what_the_formulas_give_one_by_one(self) -> None:
        rng = np.random.default_rng(7)
        times = np.cumsum(rng.exponential(5.0, 300))
        odds = np.exp(rng.normal(1.0, 1.0, 300)) + 3.0
        known = batch.scores(batch.signals_from(times, odds), tuning(), rate=1.0)
        values, last = RATES.idle, 0.0
        for moment, ratio, score in zip(times.tolist(), odds.tolist(), known.watch.tolist(), strict=True):
            values = statistic.raised(statistic.decayed(values, moment - last, RATES), ratio, RATES, ceiling=CEILING)
            last = moment
            assert score == pytest.approx(statistic.mixture(values), rel=1e-9)


def counted(*posts: tuple[float, float, int, int]) -> list[bool]:
    times, ratios, authors, contents = (np.array(column) for column in zip(*posts, strict=True))
    here = np.zeros(len(posts), np.int64)
    flags = batch.voices_that_count(times, ratios, authors=authors, contents=contents, nodes=here, memory=360.0)
    return [bool(flag) for flag in flags]


class TestAVoiceCountsOnce:
    @pytest.mark.parametrize(
        ("posts", "expected"),
        [
            pytest.param([(0.0, 9.0, 1, 1), (9.0, 9.0, 1, 2)], [True, False], id="the same author"),
            pytest.param([(0.0, 9.0, 1, 1), (400.0, 9.0, 1, 2)], [True, True], id="the same author, long after"),
            pytest.param([(0.0, 9.0, 1, 1), (9.0, 9.0, 2, 1)], [True, False], id="the same content"),
            pytest.param([(0.0, 9.0, -1, -1), (9.0, 9.0, -1, -1)], [True, True], id="nobody signs, nothing is shared"),
            pytest.param([(0.0, 0.1, 1, 1), (9.0, 9.0, 1, 1)], [True, True], id="a weak post silences nobody"),
            pytest.param([(0.0, 9.0, 1, 1), (9.0, 0.1, 1, 2)], [True, False], id="nor counts beside a strong one"),
            pytest.param([(0.0, 0.1, 1, 1), (9.0, 0.1, 1, 2)], [True, False], id="weak posts count once, too"),
            pytest.param(
                [(0.0, 9.0, 1, 1), (300.0, 9.0, 1, 2), (400.0, 9.0, 1, 3)],
                [True, False, True],
                id="copies renew nothing",
            ),
        ],
    )
    def test_at_one_node(self, posts: list[tuple[float, float, int, int]], expected: list[bool]) -> None:
        assert counted(*posts) == expected

    def test_at_every_node_of_the_path_by_itself(self) -> None:
        counts = batch.counts_in(
            np.array([0.0, 1.0]),
            np.array([9.0, 9.0]),
            authors=np.array([1, 1]),
            contents=np.array([-1, -1]),
            nodes=np.array([0, 1]),
            parents=np.array([2, 2, -1]),
            memory=360.0,
        )
        assert counts.tolist() == [[True, True], [True, False]]


PARENTS = np.array([2, 2, 4, 4, -1])  # two quarters, their commune, another commune, the root of both
QUARTER, SIBLING, COMMUNE, OTHER, ROOT = range(5)


def told(*posts: tuple[float, int], tiers: list[int] | None = None, watch: float = 1e4) -> list[tuple[int, int]]:
    """Return what is told, node and kind, when posts of ratio 100 come at these moments and nodes."""
    times, nodes = (np.array(column) for column in zip(*posts, strict=True))
    signals = batch.signals_from(
        times.astype(float), np.full(len(posts), 100.0), tiers=None if tiers is None else np.array(tiers), steps=3
    )
    tree = batch.Tree(PARENTS, np.full(5, 0.01), np.full(5, watch), np.full(5, 100.0 * watch), 360.0)
    found = batch.watched(signals, nodes, tuning(), tree)
    return list(zip(found.nodes.tolist(), found.kinds.tolist(), strict=True))


class TestATreeOfPlaces:
    def test_tells_of_one_incident_once_though_three_nodes_see_it(self) -> None:
        assert told((0.0, QUARTER), (1.0, QUARTER), watch=1e6)[0] == (QUARTER, batch.OPENED)
        kinds = [kind for _, kind in told(*((float(minute), QUARTER) for minute in range(20)))]
        assert kinds.count(batch.OPENED) == 1

    def test_moves_an_incident_to_the_finer_place(self) -> None:
        found = told((0.0, ROOT), (1.0, ROOT), *((2.0 + minute, QUARTER) for minute in range(5)))
        assert found[0] == (ROOT, batch.OPENED)
        assert (QUARTER, batch.MOVED) in found

    def test_takes_a_vague_post_for_the_incident_below(self) -> None:
        found = told(*((float(minute), QUARTER) for minute in range(4)), *((5.0 + m, ROOT) for m in range(9)))
        assert {node for node, _ in found} == {QUARTER}

    def test_tells_of_a_second_incident_elsewhere(self) -> None:
        found = told(*((float(minute), QUARTER) for minute in range(4)), *((60.0 + m, OTHER) for m in range(4)))
        assert [node for node, kind in found if kind == batch.OPENED] == [QUARTER, OTHER]

    def test_tells_of_it_again_once_it_was_over(self) -> None:
        found = told((0.0, QUARTER), (1.0, QUARTER), (9000.0, QUARTER), (9001.0, QUARTER), watch=1e6)
        assert [kind for _, kind in found].count(batch.OPENED) == 2

    @pytest.mark.parametrize(
        ("tiers", "is_alert"),
        [
            pytest.param([0] * 8, False, id="unknown ones only"),
            pytest.param([1] + [0] * 7, False, id="one established"),
            pytest.param([1, 1] + [0] * 6, True, id="two established"),
            pytest.param([2] + [0] * 7, True, id="one trusted, and others"),
        ],
    )
    def test_says_alert_on_two_established_voices_only(self, tiers: list[int], is_alert: bool) -> None:
        found = told(*((0.1 * post, QUARTER) for post in range(8)), tiers=tiers)
        assert (batch.ALERTED in [kind for _, kind in found]) is is_alert

    def test_says_alert_not_on_one_strong_voice(self) -> None:
        ratios = np.array([500.0, 3.1])
        signals = batch.signals_from(np.array([0.0, 30.0]), ratios, tiers=np.array([2, 2]))
        known = batch.scores(signals, tuning(), rate=0.01)
        assert known.alert[1] == known.watch[1]  # there are grounds
        assert known.without[1] < known.alert[1] / 100.0


class TestWhatDoesNotFit:
    def test_a_missing_numba_is_named_with_its_cure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "numba", None)
        with pytest.raises(SettingsError, match=r"pip install 'vigie\[bench\]'"):
            runpy.run_path(str(batch.__file__))

    def test_times_that_run_backwards(self) -> None:
        with pytest.raises(ValueError, match="backwards"):
            batch.signals_from(np.array([2.0, 1.0]), np.ones(2))

    def test_arrays_of_different_lengths(self) -> None:
        with pytest.raises(ValueError, match="tiers has 3 rows for 2 signals"):
            batch.signals_from(np.array([1.0, 2.0]), np.ones(2), tiers=np.ones(3, np.int64))

    def test_a_shape_that_makes_no_week(self) -> None:
        with pytest.raises(ValueError, match="shape has 5 hours"):
            tuning(shape=np.ones(5))


class TestTheScores:
    def test_are_those_of_the_model_that_is_shipped(self) -> None:
        found = json.loads((FOLDER / "scores.json").read_text(encoding="utf-8"))
        assert found["model"] == VERSION, f"make them again: {found['made_by']}"

    def test_state_more_than_is_true_of_signals(self, bench: Any) -> None:
        """The reader's ratios are relative to all it learned from, not to what becomes a signal."""
        assert bench.marks.read_marks("stated", usual="everyday").overstated() > 3.0
        assert bench.marks.beta_marks().overstated() == pytest.approx(1.0)


class TestTheFigures:
    @pytest.mark.parametrize("kind", ["Beta marks", "divided"])
    def test_we_are_hardly_later_than_who_knows_everything(self, kind: str, bench: Any, crew: Any, read: Any) -> None:
        marks = bench.marks.beta_marks() if kind == "Beta marks" else read
        setting = bench.delays.Setting(marks, 0.1, 900, 80, with_rivals=False)
        cells, _ = bench.delays.cells(setting, [bench.alarms.WATCH], crew)
        assert bench.delays.geometric_mean([cell.ratio for cell in cells]) < 1.15
        assert max(cell.ratio for cell in cells) < 1.3
        by_count = [cell.mean("Vigie") / cell.mean("count oracle") for cell in cells]
        assert bench.delays.geometric_mean(by_count) < 0.9

    def test_ratios_that_state_too_much_cost_time(self, bench: Any, crew: Any, read: Any) -> None:
        stated = bench.marks.read_marks("stated", usual="everyday")
        delays = {}
        for marks in (stated, read):
            setting = bench.delays.Setting(marks, 0.1, 900, 80, with_rivals=False)
            cells, _ = bench.delays.cells(setting, [bench.alarms.WATCH], crew)
            delays[marks.name] = bench.delays.geometric_mean([cell.mean("Vigie") for cell in cells])
        assert delays["stated"] > 1.3 * delays["divided"]

    def test_false_watches_keep_to_the_budget_though_the_background_is_not_as_believed(
        self, bench: Any, crew: Any, read: Any
    ) -> None:
        place = bench.budgets.place_for(read, 0.1)
        levels = bench.budgets.levels_of(place, 1500, crew)
        as_believed, louder, uneven = bench.budgets.spent(place, levels, bench.budgets.JUDGED, 1000, crew)
        assert 0.5 < as_believed.watch_ratio < 1.5
        assert louder.watch_ratio < 2.0
        assert uneven.watch_ratio < 2.0
        outcomes = {row.name: row for row in bench.attacks.outcomes(place, levels, 60, crew)}
        for name, most in bench.tables.ATTACK_TARGETS.items():
            assert outcomes[name].alert <= most + 0.1, name
        assert outcomes["cascade: one post, 200 copies"].alert == 0.0
        assert outcomes["one account, 20 alarming posts"].alert == 0.0
        assert outcomes["true incident, 0.5/min"].alert > 0.9

    def test_a_tree_tells_once_of_a_local_incident_and_not_much_more_of_a_diffuse_one(
        self, bench: Any, crew: Any, read: Any
    ) -> None:
        level = bench.branches.level_for_tree(read, 200, crew)
        outcomes = {row.scene.name: row for row in bench.branches.outcomes(read, level, 60, crew)}
        assert outcomes["one quarter, 0.5/min"].notices <= 1.1
        assert outcomes["the whole département, 0.5/min"].notices <= 1.8
        assert outcomes["a second one after 1 h, other commune, 0.5/min"].second >= 0.75

    def test_the_same_seeds_give_the_same_figures_however_many_share_the_work(self, bench: Any, crew: Any) -> None:
        setting = bench.delays.Setting(bench.marks.beta_marks(), 0.1, 40, 16, with_rivals=False)
        alone, _ = bench.delays.cells(setting, [0.5], crew)
        two = bench.crew.Crew(2)
        shared, _ = bench.delays.cells(setting, [0.5], two)
        two.close()
        assert [cell.ratio for cell in alone] == [cell.ratio for cell in shared]


class TestWhatIsPrinted:
    def test_each_figure_stands_beside_its_target(self, bench: Any, crew: Any, tmp_path: Path) -> None:
        pytest.importorskip("matplotlib")
        marks = bench.marks.beta_marks()
        cells, blocks = bench.delays.cells(bench.delays.Setting(marks, 0.1, 60, 8, with_rivals=False), [0.1], crew)
        lines = bench.tables.delay_table(cells).splitlines()
        assert len(lines) == 2 + len(cells)
        assert "| target | met |" in lines[0]
        drawn = bench.plots.draw(tmp_path, {marks.name: cells}, {marks.name: {(0.1, 0.1): blocks["Vigie, sudden"]}})
        assert all(path.stat().st_size > 1000 for path in drawn)
