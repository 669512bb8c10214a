"""The best of k trials."""

from types import SimpleNamespace

import numpy as np

from jaxgan.search import report
from jaxgan.search.figures import best_of, overview
from jaxgan.search.peeking import price
from jaxgan.search.space import Choice, Space
from jaxgan.search.trials import score_of


def test_the_best_of_k_trials_is_what_drawing_k_of_them_gives():
    scores = np.array([1.0, 2.0, 3.0, 4.0])
    low, middle, high = best_of(scores, "lower", np.array([1, 2, 4]), draws=20_000)
    assert middle[0] in (2.0, 3.0) and middle[1] == 2.0 and middle[2] == 1.0  # P(best of 2 is 1) = 7/16, of 4 = 175/256
    assert list(low) == [1.0] * 3 and list(high[:2]) == [4.0, 4.0] and high[2] == 3.0
    up = best_of(scores, "higher", np.array([4]), draws=20_000)
    assert up[1, 0] == 4.0


def test_what_diverged_is_the_worst():
    low, middle, high = best_of(np.array([np.nan, np.nan, 1.0]), "lower", np.array([1, 9]))
    assert np.isinf(middle[0]) and middle[1] == 1.0 and low[0] == 1.0 and np.isinf(high[0])


def page(scores):
    """The page of a search whose trials have these scores; None of one that crashed."""
    space = Space({"data.name": Choice(("a", "b"))}, {"steps": 5})
    asked = SimpleNamespace(
        space="space.py", config="config.py", score="modes", better="higher", sampler="random", overrides=[],
        is_independent=True, phase="",
    )  # fmt: skip
    search = SimpleNamespace(asked=asked, space=space, folder=None)
    trials = [SimpleNamespace(number=i, overrides=[("steps", "5"), ("data.name", f"a {i}")]) for i in range(len(scores))]
    found = [(trial, SimpleNamespace(state="crashed" if x is None else "done")) for trial, x in zip(trials, scores)]
    ranked = sorted(found, key=lambda one: report._order(scores[one[0].number], "higher"))
    return report._page(search, ranked, dict(enumerate(scores)))  # pyright: ignore


def test_a_page_has_the_best_first_and_its_command():
    text = page([0.0, None, 3.0])
    assert "3 trials (2 done, 1 crashed), modes higher is better" in text
    rows = [line.split(" | ")[:2] for line in text.splitlines() if line.startswith("| ")][1:]
    assert rows == [["| 2", "3"], ["| 0, the default", "0"], ["| 1", "crashed"]]
    assert "python launch.py --config=config.py --config.steps=5 '--config.data.name=a 2'" in text
    assert "python launch.py" in page([0.0])  # the worst that can be is a score, too
    assert "python launch.py" not in page([None]) and "python launch.py" not in page([])


def test_trials_that_learn_from_each_other_have_no_band():
    scores = np.array([np.nan, 3.0, 4.0, 1.0])
    for are_random, bands in ((True, 1), (False, 0)):
        axes = overview({"": scores}, "fd", "lower", are_random, {}).axes
        assert len(axes[0].collections) == bands and len(axes) == 2
    assert axes[0].lines[0].get_xdata().tolist() == [2, 3, 4] and axes[0].lines[0].get_ydata().tolist() == [3.0, 3.0, 1.0]
    assert axes[1].lines[0].get_ydata().tolist() == [0.25, 0.5, 0.75]  # of all trials, those that diverged too
    assert len(overview({"": scores}, "fd", "lower", True, {"a": 0.7, "b": 0.3}).axes) == 3


def test_the_price_of_peeking():
    """By hand: of two draws from two trials, both are the first in 1/4, and both the second in 1/4."""
    chosen_by, reported = np.array([2.0, 1.0, np.nan]), np.array([5.0, 7.0, 0.0])
    found = price(chosen_by[:2], reported[:2], "lower", draws=40_000)
    assert found is not None and list(found.counts) == [1, 2]
    np.testing.assert_allclose(found.honest, [6.0, 5 / 4 + 7 * 3 / 4], atol=0.02)
    np.testing.assert_allclose(found.peeked, [6.0, 5 * 3 / 4 + 7 / 4], atol=0.02)
    up = price(-chosen_by[:2], -reported[:2], "higher", draws=40_000)
    assert up is not None
    np.testing.assert_allclose(up.honest, -found.honest)
    np.testing.assert_allclose(up.peeked, -found.peeked)
    assert price(chosen_by[1:], reported[1:], "lower") is None  # what diverged is never chosen, nor reported


def test_who_peeks_never_reports_worse():
    rng = np.random.default_rng(0)
    quality = rng.normal(size=30)
    found = price(quality + rng.normal(size=30), quality + rng.normal(size=30), "lower")
    assert found is not None and (found.peeked <= found.honest + 1e-12).all() and found.honest[-1] - found.peeked[-1] > 0.1


def test_the_scores_of_trials_without_one():
    def told(state):
        return score_of(SimpleNamespace(state=state, numbers={"fd": 3.0}), "fd")  # pyright: ignore

    assert told("done") == 3.0 and told("open") is told("crashed") is None
    assert np.isnan([told("diverged"), told("pruned")]).all()
