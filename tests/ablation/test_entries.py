"""What a row's runs come to in a column: units, ranges, the least variance, and runs that count for no mean."""

import dataclasses
import math

import numpy as np
import pytest
from made_tables import summary

from jaxgan.ablation.entries import entry_of, failure_of, printed_step
from jaxgan.ablation.results import Result
from jaxgan.ablation.table import Column, Row, Table
from jaxgan.errors import UserError
from jaxgan.scores.names import score_range

X = Column("x", better="higher", format=".2f")


def entry(values, column=X):
    return summary({"a": values}, columns=(column,)).entries["a"][column.name]


@pytest.mark.parametrize(
    "form, values, step",
    [
        (".1f", (123.4,), 0.1),
        (".0f", (123.4,), 1),
        ("+.2f", (0.0,), 0.01),
        (",.1f", (1234.5,), 0.1),
        (".1%", (0.5,), 0.001),
        (".3g", (123.4,), 1),
        (".3g", (1.234,), 0.01),
        (".3g", (-0.01234, -0.01234), 0.0001),
        (".1g", (50.0,), 10),
        (".2e", (12.34,), 0.1),
        (".1E", (1234.5,), 100),
        (".3g", (), 0.01),
        (".3g", (0.0,), 0.01),
        ("", (1.0,), 1e-5),
        ("d", (1.0,), 1e-5),
    ],
)
def test_the_printed_step_is_that_between_two_printed_numbers(form, values, step):
    assert printed_step(form, values) == pytest.approx(step)
    if any(values) and form not in ("", "d"):
        mean = float(np.mean(values))
        assert f"{mean + step:{form}}" != f"{mean:{form}}" and f"{mean + step / 100:{form}}" == f"{mean:{form}}"


def test_no_variance_is_less_than_one_count_of_one_run():
    assert entry([8.0] * 5).least == pytest.approx(0.01**2 / 5)  # a printed digit
    modes = Column("x", format=".2f", count=1, scale=2)
    assert entry([8.0] * 5, modes).least == pytest.approx(np.var([2, 0, 0, 0, 0], ddof=1))
    assert entry([8.0], modes).least == 4


def test_noise_is_the_deviation_between_sets_of_samples_of_one_run():
    runs = [[8.0, 8.2, 8.1], [9.0, 9.4, 9.2], [7.0, 7.0, 7.3]]
    found, sets = entry(runs), np.var(runs, axis=1, ddof=1)
    assert found.noise == pytest.approx(math.sqrt(sets.mean())) and found.values == pytest.approx(np.mean(runs, axis=1))
    assert found.least == pytest.approx(sets.mean() / 3)  # of a run's mean over its sets
    scaled = entry(runs, dataclasses.replace(X, scale=100))
    assert scaled.noise == pytest.approx(100 * found.noise) and scaled.least == pytest.approx(1e4 * found.least)
    assert math.isnan(entry([*runs, 8.0]).noise) and math.isnan(entry([8.0, 9.0]).noise)
    assert entry([*runs, 8.0]).least == pytest.approx(0.01**2 / 4)
    assert entry([*runs, None, (5.0,)]).noise == pytest.approx(found.noise)  # failed runs have no part in it


def test_ranges_are_in_the_columns_units():
    assert entry([0.5, 0.6], Column("x", scale=100, within=(0, 1))).within == (0, 100)
    assert entry([0.5, 0.6]).within == (-math.inf, math.inf)
    results = [Result(None, "done", {"fd": x}) for x in (1.0, 2.0)]
    assert score_range("fd")[0] == 0 and entry_of(Column("fd", scale=10), results).within == (0, math.inf)


def test_an_entry_has_the_numbers_of_runs_that_did_not_fail():
    found = entry([8.0, None, 9.0, (1.0,), math.nan, 8.5])
    assert (found.values, found.seeds, found.failed) == ((8.0, 9.0, 8.5), (0, 2, 5), (1.0,))
    assert found.mean == 8.5 and found.std == pytest.approx(0.5) and found.by_seed() == {0: 8.0, 2: 9.0, 5: 8.5}
    low, high = found.interval
    assert low < 8.5 < high
    alone, none = entry([8.0]), entry([None])
    assert math.isnan(alone.std) and all(map(math.isnan, alone.interval))
    assert not none.values and not none.failed and math.isnan(none.std)


def test_words_are_of_all_runs_that_are_done():
    column = Column(title="word", word=lambda run: f"{run.numbers['x']:.0f}")
    assert entry([8.0, None, (1.0,)], column).words == ("8", "1")
    with pytest.raises(UserError, match="column 'word': test_entries.py, line .*KeyError: 'x'"):
        entry([math.nan], column)


TABLE = Table(
    "T", "P", "D", "how", (X, Column("y", "y, %", scale=100), Column(title="w", word=str)), {"a": Row()}, (0,),
    sound={"x": (1.0, math.inf), "y, %": (0, 50)},
)  # fmt: skip


@pytest.mark.parametrize(
    "result, why",
    [
        (Result(None, "done", {"x": 1.0, "y": 0.5}), ""),
        (Result(None, "done", {}), ""),  # it has no such score at all
        (Result(None, "open", {"x": 0.0}), ""),
        (Result(None, "crashed"), ""),
        (Result(None, "diverged", {"x": 5.0}), "diverged"),
        (Result(None, "done", {"x": 5.0}, verdict="healthy"), ""),
        (Result(None, "done", {"x": 5.0}, verdict="collapsed: gen/diversity below 0.1"), "collapsed"),
        (Result(None, "done", {"x": 5.0}, verdict="the discriminator wins: all is collapsed"), ""),
        (Result(None, "done", {"x": 5.0}, no_numbers=("y",)), "no number (y, %)"),
        (Result(None, "done", {"x": 5.0}, no_numbers=("gen/loss",)), ""),  # of no column
        (Result(None, "done", {"x": 0.9}), "not sound (x)"),
        (Result(None, "done", {"x": 5.0, "y": 0.51}), "not sound (y, %)"),
    ],
)
def test_why_a_run_counts_as_failed(result, why):
    assert failure_of(result, TABLE) == why


def test_equal_values_have_no_deviation():
    """Though the mean of twelve equal numbers is rounded."""
    assert entry([1.004987562112089] * 12).std == 0 and math.isnan(entry([1.0]).std)
