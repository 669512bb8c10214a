"""Verdicts: what the values of a table's runs say of its claims, and what they do not."""

import math

import numpy as np
import pytest
from made_tables import GOOD, NOISE, POOR, summary
from scipy import stats

from jaxgan.ablation.table import Claim, Column

LOWER = (Column("x", better="lower", format=".2f"),)


def answers(rows, *claims, **fields):
    return [verdict.answer for verdict in summary(rows, claims, **fields).verdicts]


def only(rows, claim, **fields):
    (verdict,) = summary(rows, [claim], **fields).verdicts
    return verdict


def test_verdicts_on_orderings_and_thresholds():
    rows = {"good": GOOD, "poor": POOR, "near": list(8 + NOISE[::-1])}
    claims = [Claim("x", "good", than="poor"), Claim("x", "poor", than="good"), Claim("x", "near", than="good")]
    assert answers(rows, *claims) == ["holds", "contradicted", "undecided"]
    assert answers(rows, Claim("x", "good", above=7), Claim("x", "good", below=7)) == ["holds", "contradicted"]
    assert answers(rows, Claim("x", "poor", than="good"), columns=LOWER) == ["holds"]


def test_a_verdict_has_the_numbers_of_its_test():
    verdict = only({"good": GOOD, "poor": POOR}, Claim("x", "good", than="poor"))
    theirs = stats.ttest_ind(GOOD, POOR, equal_var=False)
    interval = theirs.confidence_interval()
    assert (verdict.kind, verdict.n) == ("welch", (10, 10)) and verdict.p == pytest.approx(theirs.pvalue)
    assert (verdict.value, verdict.low, verdict.high) == pytest.approx((2, interval.low, interval.high))
    assert verdict.check < 0.001 and verdict.reason.startswith("p = ") and "permutations" in verdict.reason
    assert verdict.estimate == f"difference +2.00 [{interval.low:+.2f}, {interval.high:+.2f}]"


def test_gains_beyond_gains_are_compared_seed_by_seed():
    """Of ten at `much` over `none`, of one at `little` over `none`; the rows of a seed rise and fall together."""
    draws = np.linspace(-5, 5, 10)
    rows = {
        "none": list(20 + draws),
        "much": list(30 + draws - NOISE),
        "some": list(20.3 + draws),
        "little": list(21 + draws),
    }
    more = Claim("x", "much", than="none", beyond=("little", "some"))
    less = Claim("x", "little", than="some", beyond=("much", "none"))
    found = summary(rows, [more, less]).verdicts
    assert [v.answer for v in found] == ["holds", "contradicted"]
    theirs = stats.ttest_1samp(10 - NOISE - 0.7, 0)
    assert found[0].kind == "gains" and found[0].n == (10,) and found[0].p == pytest.approx(theirs.pvalue)
    assert found[0].text == "much gains more in x over none than little over some"
    assert found[0].estimate.startswith("difference of gains +9.30 [")


def test_a_gain_beyond_a_gain_needs_a_gain():
    """One method costs 10 here and 1 there: it "gains" 9 more there, and is no better anywhere."""
    rows = {"none": list(20 + NOISE), "a": list(19 + NOISE[::-1]), "all": list(20 + NOISE), "b": list(10 + NOISE)}
    verdict = only(rows, Claim("x", "a", than="none", beyond=("b", "all")))
    assert verdict.answer == "undecided" and verdict.reason.endswith("but a is no better than none")


def test_rows_are_paired_where_claim_or_configs_say_so():
    draws = np.linspace(-5, 5, 10)
    rows = {"a": list(21 + draws + NOISE / 3), "b": list(20 + draws)}
    assert answers(rows, Claim("x", "a", than="b")) == ["undecided"]
    verdict = only(rows, Claim("x", "a", than="b", paired=True))
    assert (verdict.answer, verdict.kind, verdict.n) == ("holds", "pairs", (10,))


def test_a_margin_makes_two_rows_equivalent():
    rows = {"a": GOOD, "b": list(8.02 + NOISE[::-1]), "c": POOR}
    assert answers(rows, Claim("x", "a", than="b", margin=1)) == ["equivalent"]
    assert answers(rows, Claim("x", "a", than="b", margin=0.1)) == ["undecided"]
    assert answers(rows, Claim("x", "a", than="c", margin=1)) == ["holds"]
    assert answers({"a": GOOD[:5], "b": GOOD[:5]}, Claim("x", "a", than="b", margin=1)) == ["undecided"]


def test_claims_are_corrected_together_and_so_are_their_intervals():
    rows = {"a": GOOD, "b": list(7.74 + NOISE[::-1])}
    claim = Claim("x", "a", than="b")
    alone = only(rows, claim)
    assert 0.0125 < alone.p < 0.05 and alone.answer == "holds" and alone.low > 0
    among = summary(rows, [claim, *[Claim("x", "a", above=8.01)] * 3]).verdicts
    assert [v.answer for v in among] == ["undecided"] * 4
    assert (
        among[0].corrected == pytest.approx(4 * alone.p) and among[0].level == pytest.approx(0.05 / 4) and among[0].low < 0
    )


def test_undecided_says_how_many_seeds_would_decide():
    rows = {"a": GOOD, "b": list(7.8 + NOISE[::-1])}
    assert "about 28 seeds would decide it" in only(rows, Claim("x", "a", than="b")).reason
    rows["b"] = list(7.99 + NOISE[::-1])
    assert "more than 1,000 seeds" in only(rows, Claim("x", "a", than="b")).reason


@pytest.mark.parametrize(
    "a, b, answer, reason",
    [
        (GOOD[:4], POOR[:4], "undecided", "4 seeds, and a claim takes 5 at least"),
        (GOOD[:1], POOR[:1], "undecided", "one run says nothing of spread"),
        (GOOD[:5], POOR[:5], "holds", "p = "),  # above two deviations
        (GOOD[:5], list(7.6 + NOISE[:5]), "undecided", "5 seeds decide differences above 2 deviations alone"),
        (list(8 + 7 * NOISE), list(5.8 + 2 * NOISE[::-1]), "undecided", "a claim takes 20"),
        (GOOD, [*POOR[:9], ...], "undecided", "1 runs of b are not done"),
        ([*GOOD[:9], 80.0], POOR, "undecided", "seed 9 of a stands apart (80)"),
        (GOOD, [None] * 10, "holds", "p = "),  # by Fisher's test of the failures
        ([None] * 10, POOR, "contradicted", "p = "),
        ([None] * 10, [None] * 10, "undecided", "every run of a and of b failed"),
        ([*GOOD[:4], *[None] * 6], POOR, "undecided", "4 seeds, and a claim takes 5"),
        ([*GOOD[:5], *[None] * 5], POOR, "undecided", "a fails more often (5 of 10 runs, 0 of 10)"),
        ([*GOOD[:9], None], POOR, "holds", "p = "),
        ([*GOOD[:9], math.nan], POOR, "holds", "p = "),
        (GOOD[:5], [None, None, ..., ..., ...], "undecided", "3 runs of b are not done"),
    ],
)
def test_verdicts_where_runs_are_few_or_failed(a, b, answer, reason):
    verdict = only({"a": a, "b": b}, Claim("x", "a", than="b"))
    assert verdict.answer == answer and reason in verdict.estimate + verdict.reason, verdict


def test_of_pairs_the_differences_stand_apart():
    """A seed that is hard for both rows decides nothing; one that is hard for one of them does."""
    hard = [-80.0, *np.zeros(9)]
    rows = {"a": list(GOOD + np.array(hard)), "b": list(POOR + np.array(hard))}
    assert "seed 0 of a stands apart" in only(rows, Claim("x", "a", than="b", paired=False)).reason
    assert only(rows, Claim("x", "a", than="b", paired=True)).answer == "holds"
    five = [*np.tile(GOOD, 4)[:35], *(80 + NOISE[:5])]
    for far in (4, 5):  # of forty runs
        some = only({"a": five[: 35 + far], "b": list(np.tile(POOR, 4)[: 35 + far])}, Claim("x", "a", than="b", paired=True))
        assert (some.answer == "undecided" and "stands apart" in some.reason) == (far == 4), some
    one = only({"a": [*GOOD[:9], 80.0], "b": POOR}, Claim("x", "a", than="b", paired=True))
    assert one.answer == "undecided" and "the difference of seed 9 stands apart (7" in one.reason, one


def test_seeds_of_rows_that_train_nothing_are_one_unless_each_has_its_own_data():
    claim = Claim("x", "a", than="b")
    for trained, apart, answer, is_bold in (
        (0, False, "undecided", False),
        (0, True, "holds", True),
        (7, False, "holds", True),
    ):
        found = summary({"a": GOOD, "b": POOR}, [claim], trained=trained, apart=apart)
        assert (found.verdicts[0].answer, found.entries["a"]["x"].is_best) == (answer, is_bold)
    begun = summary({"a": GOOD, "b": POOR}, [claim], trained=0, stages={"init_from.workdir": "a run of this seed"})
    assert begun.verdicts[0].answer == "holds", "weights between two runs' depend on the runs' seeds"
    nothing = summary({"a": GOOD, "b": POOR}, [claim], trained=0).verdicts[0]
    assert nothing.reason == "neither row trains anything, so that all seeds have one number"


def test_two_rows_of_which_every_run_diverged_contradict_nothing():
    assert (
        answers({"a": [None] * 5, "b": [None] * 5}, Claim("x", "a", than="b"), Claim("x", "a", below=1)) == ["undecided"] * 2
    )


def test_a_number_that_half_of_the_runs_do_not_reach_alive():
    rows = {"a": [*GOOD[:5], *[None] * 5]}
    assert only(rows, Claim("x", "a", above=1)).reason == "5 of 10 runs of a failed"
    assert answers({"a": [None] * 10}, Claim("x", "a", above=1)) == ["contradicted"]


def test_equal_numbers_are_no_proof():
    """8.000 against 7.999 is no difference that five or ten runs show."""
    columns = (Column("x", better="higher", format=".3f", within=(0, 8), count=1),)
    assert answers({"a": [8.0] * 10, "b": [7.999] * 10}, Claim("x", "a", than="b"), columns=columns) == ["undecided"]
    assert answers({"a": [8.0] * 10}, Claim("x", "a", above=7.999), columns=columns) == ["undecided"]


def test_what_does_not_beat_noise_is_not_tested():
    rows = {"a": GOOD, "b": POOR, "c": list(4 + NOISE)}
    claims = [Claim("x", "a", than="b"), Claim("x", "b", than="c"), Claim("x", "b", above=1), Claim("x", "b", below=7)]
    found = summary(rows, claims, controls={"noise": [6.5, 6.6, 6.4], "untrained": [1.0, 1.1, 1.2]}).verdicts
    assert [v.answer for v in found] == ["holds", "not tested", "not tested", "holds"]
    assert found[1].reason == "neither b nor c beats the control 'noise' in x (6.50)"
    assert found[2].reason == "b does not beat the control 'noise' in x (6.50)"


def test_a_control_with_seeds_is_compared_seed_by_seed():
    """Ten data sets differ among themselves far more than a row from no training."""
    easy = np.linspace(0, 30, 10)
    rows = {"a": list(easy + 3 + NOISE), "b": list(easy + 1 + NOISE), "c": list(easy + NOISE)}
    untrained = list(easy + NOISE[::-1])
    claims = [Claim("x", "a", than="b", paired=True), Claim("x", "c", above=1)]
    answer = answers(rows, *claims, controls={"untrained": dict(enumerate(untrained))})
    assert answer == ["holds", "not tested"]
    assert answers(rows, *claims, controls={"untrained": untrained}) == ["not tested"] * 2
    assert answers(rows, *claims, controls={"untrained": {3: untrained[3]}}) == ["not tested"] * 2, "one pair says nothing"
    columns = (Column("x", better="lower", format=".2f"),)
    falls = {"a": list(-np.array(rows["a"])), "b": rows["b"]}
    control = {"untrained": dict(enumerate(-np.array(untrained)))}
    assert answers(falls, Claim("x", "a", than="b"), columns=columns, controls=control) == ["holds"]


def test_two_columns_of_the_same_runs():
    columns = (Column("x", better="higher", format=".2f"), Column("y", better="higher", format=".2f"))
    rows = {"a": [{"x": x, "y": x + 0.5 + 0.1 * (i % 2)} for i, x in enumerate(GOOD)], "b": [{"x": x, "y": x} for x in POOR]}
    more = Claim("y", "a", than="a", than_column="x")
    found = summary(rows, [more, Claim("x", "a", than="a", than_column="y")], columns).verdicts
    assert [v.answer for v in found] == ["holds", "contradicted"] and found[0].kind == "pairs"
    assert found[0].value == pytest.approx(0.55) and found[0].text == "a: y higher than its x"
    # The control of each column is for the rows measured in it.
    controls = {"noise": [{"x": 9.0}, {"x": 9.1}]}
    assert [v.answer for v in summary(rows, [more], columns, controls).verdicts] == ["holds"]
    (lacks,) = summary({"a": [{"y": 1.0}] * 5}, [more], columns).verdicts
    assert (lacks.answer, lacks.reason) == ("undecided", "no run has 'x'")


def test_a_table_that_is_too_short_tests_nothing():
    verdict = only({"a": GOOD, "b": POOR}, Claim("x", "a", than="b"), untested="500 of 200,000 updates")
    assert (verdict.answer, verdict.reason) == ("not tested", "500 of 200,000 updates") and verdict.estimate


def test_looks_are_declared_and_spend_the_level():
    rows = {"a": GOOD, "b": list(7.74 + NOISE[::-1])}
    claim = Claim("x", "a", than="b")
    assert answers(rows, claim, looks=(10,)) == ["holds"] and answers(rows, claim, looks=(10, 20)) == ["undecided"]
    assert only(rows, claim, looks=(5, 20)).reason == "looks were planned at 5 and 20 seeds, and there are 10"


def test_words_are_of_more_than_half_of_all_runs():
    columns = (Column("x", better="higher"), Column(title="word", word=lambda run: "?"))
    claim = Claim("word", "a", words=("in",))
    for words, answer in (
        (["in"] * 12, "holds"),
        (["out"] * 12, "contradicted"),
        (["in"] * 6 + ["out"] * 6, "undecided"),
        (["in"], "undecided"),
        (["in", "in", None], "undecided"),
        ([None] * 12, "contradicted"),
    ):
        assert answers({"a": words}, claim, columns=columns) == [answer]
    verdict = only({"a": ["in"] * 11 + ["out"]}, claim, columns=columns)
    assert verdict.estimate == "11 of 12 runs" and verdict.p == pytest.approx(2 * 13 / 2**12)


def test_collapsed_runs_count_for_no_mean():
    found = summary({"a": [*GOOD[:9], (1.0,)], "b": POOR})
    assert found.entries["a"]["x"].mean == pytest.approx(np.mean(GOOD[:9])) and found.entries["a"]["x"].failed == (1.0,)
    assert found.runs("a") == "9, 1 collapsed" and found.failures("a") == (1, 10)
    found = summary({"a": GOOD, "b": [*POOR[:9], 0.1], "c": [math.nan, *GOOD[1:]]}, sound={"x": (1, math.inf)})
    assert found.runs("b") == "9, 1 not sound" and found.runs("c") == "9, 1 no number" and found.failures("b") == (1, 10)


def best(rows, **fields):
    return [row for row, entries in summary(rows, **fields).entries.items() if entries["x"].is_best]


def test_bold_is_what_beats_every_other_row():
    assert best({"a": GOOD, "b": POOR}) == ["a"] and best({"a": GOOD, "b": POOR}, columns=LOWER) == ["b"]
    assert best({"a": GOOD, "b": list(8 + NOISE[::-1]), "c": POOR}) == []  # two that cannot be told apart
    assert best({"a": GOOD[:4], "b": POOR[:4]}) == []  # too few
    assert best({"a": GOOD, "b": POOR, "c": [7.0]}) == ["a"]  # a row of one run says nothing, and takes nothing away
    assert best({"a": [*GOOD[:4], *[None] * 6], "b": POOR, "c": list(4 + NOISE)}) == ["b"]
    assert best({"a": [*GOOD[:5], *[None] * 5], "b": POOR}) == []  # it fails more often
    assert best({"a": GOOD, "b": POOR}, controls={"noise": [9.0, 9.1, 9.2]}) == []


def test_rows_are_fewer_false_best_ones_than_the_level_says():
    rng = np.random.default_rng(0)
    marked = [bool(best({row: list(10 + rng.normal(size=10)) for row in "abc"})) for _ in range(400)]
    assert np.mean(marked) < 0.05


def test_a_claim_about_a_number_is_as_far_from_it_as_it_is():
    """Five runs and a number less than two deviations away."""
    verdict = only({"a": [8.0, 8.1, 7.9, 8.05, 7.95]}, Claim("x", "a", above=7.885))
    assert verdict.answer == "undecided" and "5 seeds decide differences above 2 deviations alone" in verdict.reason
    assert "about 39 seeds" in only({"a": GOOD}, Claim("x", "a", above=7.88)).reason


def test_odd_values_end_in_verdicts():
    wide = (Column("x", better="higher", format=".3g", within=(0, math.inf)),)
    assert answers({"a": [0.1, 100.0]}, *[Claim("x", "a", above=0.5)] * 10, columns=wide) == ["undecided"] * 10
    shares = (Column("x", better="higher", format=".3g", within=(0, 1)),)
    assert answers({"a": [0.0] * 10}, Claim("x", "a", above=0.5), columns=shares) == ["contradicted"]
    assert answers({"a": [-1.0, 1.0] * 5}, Claim("x", "a", above=-0.9)) == ["undecided"]
    rough = (Column("x", better="higher", format=".0e"),)
    assert answers({"a": [3.0] * 10, "b": [2.0] * 10}, Claim("x", "a", than="b"), columns=rough) == ["holds"]
    verdict = only({"a": [None] * 10}, Claim("x", "a", above=1))
    assert (verdict.answer, verdict.kind, verdict.estimate) == ("contradicted", "failures", "10 of 10 runs failed")
    assert verdict.low > 0.5 and verdict.high == 1
    verdict = only({"a": GOOD, "b": [None] * 10}, Claim("x", "a", than="b"))
    assert (verdict.kind, verdict.estimate) == ("fisher", "0 of 10 runs failed, 10 of 10 of the other row")


def test_a_gain_of_a_row_that_fails_more_often_is_none():
    rows = {"a": [*(9 + NOISE), *[None] * 10], "b": [*(7 - NOISE)] * 2, "c": [*(5 + NOISE)] * 2, "d": [*(5 - NOISE)] * 2}
    verdict = only(rows, Claim("x", "a", than="b", beyond=("c", "d")))
    assert verdict.answer == "undecided" and "a fails more often" in verdict.reason
