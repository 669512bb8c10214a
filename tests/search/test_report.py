"""The best of k trials."""

from types import SimpleNamespace

import numpy as np

from jaxgan.search import report
from jaxgan.search.report import best_of


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
    space = SimpleNamespace(fixed={"steps": 5})
    asked = SimpleNamespace(
        space="space.py", config="config.py", score="modes", better="higher", sampler="random", overrides=[]
    )
    search = SimpleNamespace(asked=asked, space=space, folder=None)
    trials = [SimpleNamespace(number=i, overrides=[("steps", "5"), ("data.name", f"a {i}")]) for i in range(len(scores))]
    found = [(trial, SimpleNamespace(state="crashed" if x is None else "done")) for trial, x in zip(trials, scores)]
    ranked = sorted(found, key=lambda one: report._order(scores[one[0].number], "higher"))
    return report._page(search, ranked, dict(enumerate(scores)))  # pyright: ignore


def test_a_page_has_the_best_first_and_its_command():
    text = page([0.0, None, 3.0])
    assert "3 trials (2 done, 1 crashed), modes higher is better" in text
    rows = [line.split(" | ")[:2] for line in text.splitlines() if line.startswith("| ")][1:]
    assert rows == [["| 2", "3"], ["| 0, the config", "0"], ["| 1", "crashed"]]
    assert "python launch.py --config=config.py --config.steps=5 '--config.data.name=a 2'" in text
    assert "python launch.py" in page([0.0])  # the worst that can be is a score, too
    assert "python launch.py" not in page([None]) and "python launch.py" not in page([])


def test_trials_that_learn_from_each_other_have_no_band():
    scores = np.array([np.nan, 3.0, 4.0, 1.0])
    for sampler, bands in (("random", 1), ("tpe", 0)):
        asked = SimpleNamespace(score="fd", better="lower", sampler=sampler)
        axes = report._best_of(scores, SimpleNamespace(asked=asked)).axes[0]  # pyright: ignore
        assert len(axes.collections) == bands
    assert axes.lines[0].get_xdata().tolist() == [2, 3, 4] and axes.lines[0].get_ydata().tolist() == [3.0, 3.0, 1.0]
