"""Published values beside a table's: their numbers, their order, and how far two orders agree."""

import math

import pytest
from made_tables import summary
from scipy import stats

from jaxgan.ablation.published import agreement, cell, is_order, is_published, number, order
from jaxgan.ablation.table import Column

X = Column("x", better="higher", format=".2f")
LOWER = Column("x", better="lower", format=".2f")


def table(published, column=X, values=None, **fields):
    """A table whose rows have these published values, and each two runs with a value beside."""
    values = values or dict.fromkeys(published, 1.0)
    found = summary({row: [values[row]] * 2 for row in published}, columns=(column,), **fields)
    for row, text in published.items():
        if text is not None:
            found.table.rows[row].published[column.name] = text
    return found


@pytest.mark.parametrize(
    "text, value",
    [
        ("6.3", 6.3),
        ("6.3 +- .5", 6.3),
        (" .51 / .11 / .08", 0.51),
        ("-1.5", -1.5),
        ("+2", 2),
        ("1,234.5", 1234.5),
        ("99,900", 99900),
        ("4.", 4),
        ("7 (of 8)", 7),
        ("diverged", math.inf),
        ("Fails", math.inf),
        ("collapse", math.inf),
    ],
)
def test_the_number_of_a_published_value(text, value):
    assert number(text) == value


@pytest.mark.parametrize("text", ["", "-", "yes", "n/a", "about 7", "> 7"])
def test_what_is_no_number(text):
    assert math.isnan(number(text))


def test_the_best_published_row_is_the_first():
    texts = {"a": "22.4 +- .3", "b": "7", "c": "100", "d": None, "e": "-"}
    assert order(table(texts).table, X) == {"c": 1, "a": 2, "b": 3}
    assert order(table(texts).table, LOWER) == {"b": 1, "a": 2, "c": 3}


def test_equal_published_numbers_share_a_rank_and_what_diverged_is_the_last():
    texts = {"a": "7", "b": "diverged", "c": "7.0", "d": "6", "e": "failed"}
    assert order(table(texts).table, X) == {"a": 1, "c": 1, "d": 3, "b": 4, "e": 4}
    assert order(table(texts).table, LOWER) == {"d": 1, "a": 2, "c": 2, "b": 4, "e": 4}


def test_values_stand_as_they_are_where_they_are_comparable():
    texts = {"a": "22.4 +- .3", "b": "7", "c": None, "d": "-"}
    found = table(texts).table
    ranks = order(found, X)
    assert is_published(found, X) and is_order(found, X)
    assert [cell(found, X, row, ranks) for row in "abcd"] == ["1 (22.4 +- .3)", "2 (7)", "-", "-"]
    assert cell(found, X, "real images", ranks) == "-"
    found = table(texts, comparable=True).table
    assert not is_order(found, X) and [cell(found, X, row, {}) for row in "abc"] == ["22.4 +- .3", "7", "-"]
    neither = Column("x", better="")
    assert not is_order(table(texts, neither).table, neither)
    assert not is_published(table({"a": None}).table, X)


@pytest.mark.parametrize("column", [X, LOWER])
def test_agreement_is_kendalls_tau(column):
    """Of Kendall's own kind: five rows of which two neighbours have changed places, 9 of 10 pairs in order: tau .8."""
    published = {"a": "10", "b": "20", "c": "30 +- 2", "d": "40", "e": "50"}
    found = table(published, column, {"a": 1.0, "b": 2.0, "c": 4.0, "d": 3.0, "e": 5.0})
    theirs = stats.kendalltau([10, 20, 30, 40, 50], [1, 2, 4, 3, 5])
    assert theirs.statistic == pytest.approx(0.8)
    assert agreement(found.table, found.entries) == [f"x: Kendall's tau 0.80, 5 rows (p = {theirs.pvalue:.2g})"]
    against = table(published, column, {"a": 5.0, "b": 4.0, "c": 3.0, "d": 2.0, "e": 1.0})
    assert "tau -1.00, 5 rows" in agreement(against.table, against.entries)[0]


def test_what_diverged_is_last_in_either_direction():
    published = {"a": "10", "b": "20", "c": "30", "d": "diverged"}
    for column, values in ((X, (2.0, 3.0, 4.0, 1.0)), (LOWER, (2.0, 3.0, 4.0, 5.0))):
        found = table(published, column, dict(zip("abcd", values)))
        assert "tau 1.00, 4 rows" in agreement(found.table, found.entries)[0]


def test_ties_count_as_scipy_counts_them():
    found = table({"a": "1", "b": "1", "c": "2", "d": "3"}, X, {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0})
    theirs = stats.kendalltau([1, 1, 2, 3], [1, 2, 3, 4])
    assert agreement(found.table, found.entries) == [
        f"x: Kendall's tau {theirs.statistic:.2f}, 4 rows (p = {theirs.pvalue:.2g})"
    ]


def test_few_rows_and_rows_without_an_order_say_nothing():
    for published, values in (
        ({"a": "1", "b": "2", "c": "3"}, {"a": 1.0, "b": 2.0, "c": 3.0}),
        (dict.fromkeys("abcd", "1"), {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}),
        ({"a": "1", "b": "2", "c": "3", "d": "4"}, None),
        ({"a": "1", "b": "2", "c": "3", "d": "-"}, {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}),
    ):
        found = table(published, X, values)
        assert not agreement(found.table, found.entries)
