"""Studies: what is drawn follows from the seed and the number alone, however often a process is killed."""

import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.search.asked import Asked
from jaxgan.search.space import Choice, Log, Same, Space, Uniform
from jaxgan.search.study import PRUNERS, SAMPLERS, Study

pytest.importorskip("optuna")
SPACE = Space({"a": Log(1e-3, 1), "same": Same("a"), "b": Choice((1, 5), {5: {"c": Uniform(0, 1)}})}, default={"d": 3})
DEFAULTS = {"a": 0.1, "b": 1}


class OfTest(Study):
    """A study whose budget is never spent in between."""

    def next(self, place="here") -> int:
        number = self.ask(place)
        assert number is not None
        return number


def study(
    folder,
    name="s",
    sampler="random",
    seed=0,
    better="lower",
    url="",
    defaults=DEFAULTS,
    pruner="none",
    budget=100,
    phase="",
):
    own: dict = {"sampler": sampler, "options": SAMPLERS[sampler], "pruner": pruner, "pruner_options": PRUNERS[pruner]}
    asked = Asked("c.py", "s.py", study=name, better=better, seed=seed, budget=budget, phase=phase, **own)
    return OfTest(url or f"sqlite:///{folder}/study.db", asked, SPACE, defaults)


def grown(one, count, worth=lambda values: values.get("a", 0.1)):
    out = []
    for _ in range(count):
        number = one.next()
        out.append(one.drawn(number))
        one.tell(number, worth(out[-1]))
    return out


def test_the_first_trial_is_the_default(tmp_path):
    one = study(tmp_path)
    number = one.next()
    assert number == 0 and one.drawn(0) == {"d": 3}
    one.tell(0, 1.0)
    assert one.trials()[0].params == DEFAULTS and one.running("here") == []


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_study_that_is_opened_anew_for_each_trial_draws_the_same(sampler, tmp_path):
    whole = grown(study(tmp_path, "whole", sampler), 14)
    parts = [grown(study(tmp_path, "parts", sampler), 1)[0] for _ in range(14)]
    assert whole == parts and len({str(x) for x in whole}) == 14
    for values in whole[1:]:
        assert 1e-3 <= values["a"] <= 1 and values["same"] == values["a"] and ("c" in values) == (values["b"] == 5)
    assert grown(study(tmp_path, "other", sampler, seed=1), 3)[1:] != whole[1:3]


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_trial_that_was_killed_half_drawn_is_drawn_to_its_end_as_it_would_have_been(sampler, tmp_path):
    whole = grown(study(tmp_path, "whole", sampler), 13)
    one = study(tmp_path, "killed", sampler)
    grown(one, 12)
    number, drawn = one.next(), []

    class Killed(Exception):
        pass

    def cut(path, draw):
        if drawn:
            raise Killed
        drawn.append(path)
        return suggest(path, draw)

    fields, suggest = one.space, None

    class Cut:
        default = fields.default

        @staticmethod
        def drawn(given):
            nonlocal suggest
            suggest = given
            return fields.drawn(cut)

    one.space = Cut()  # pyright: ignore
    with pytest.raises(Killed):
        one.drawn(number)
    again = study(tmp_path, "killed", sampler)
    assert again.running("here") == [12] and again.running("elsewhere") == []
    assert again.drawn(12) == whole[12]


def test_what_is_told(tmp_path):
    one = study(tmp_path)
    for value, state, told in ((2.0, "COMPLETE", 2.0), (np.nan, "COMPLETE", np.inf), (None, "FAIL", None)):
        number = one.next()
        one.drawn(number)
        one.tell(number, value)
        one.tell(number, 5.0)  # it was told before a kill: once is enough
        found = one.trials()[number]
        assert found.state.name == state and found.value == told
    up = study(tmp_path, "up", better="higher")
    grown(up, 1, lambda _: np.nan)
    assert up.trials()[0].value == -np.inf


def test_what_cannot_be_opened(tmp_path):
    with pytest.raises(UserError, match="--storage=sqlite:////nowhere/x.db cannot be reached"):
        study("", url="sqlite:////nowhere/x.db")


def test_a_study_without_a_default_draws_its_first_trial(tmp_path):
    assert grown(study(tmp_path, defaults=None), 1)[0].keys() >= {"a", "same", "b"}


def test_the_budget_is_spent(tmp_path):
    one = study(tmp_path, budget=2)
    assert [one.ask("here") for _ in range(3)] == [0, 1, None] and sorted(one.trials()) == [0, 1]
    one._study.ask()  # by who asked for the last one at the same time as another
    assert sorted(study(tmp_path, budget=2).trials()) == [0, 1] and study(tmp_path, budget=2).running("here") == [0, 1]
    assert sorted(study(tmp_path, budget=3).trials()) == [0, 1, 2]  # it waits for a larger budget


@pytest.mark.parametrize("better", ["lower", "higher"])
def test_what_is_worse_than_the_median_is_given_up(better, tmp_path):
    one, sign = study(tmp_path, pruner="median", better=better), 1 if better == "lower" else -1
    for i in range(6):
        number = one.next()
        assert one.given_up(number, [sign * (2.0 - i), sign * (1.0 - i)]) == 0  # too few to compare with, or better
        one.tell(number, sign * (1.0 - i))
    number = one.next()
    assert one.given_up(number, [sign * -1.0, sign * 9.0]) == 2
    again = study(tmp_path, pruner="median", better=better)
    assert again.given_up(number, [sign * -1.0, sign * 9.0, sign * -9.0]) == 2  # it was killed before it could be told
    again.tell(number, None, pruned=True)
    assert again.trials()[number].state.name == "PRUNED"
    assert one.given_up(one.next(), [np.nan]) == 1 and study(tmp_path, "none").given_up(0, [sign * 9.0]) == 0


def test_the_importance_of_fields(tmp_path):
    one = study(tmp_path)
    grown(one, 9, worth=lambda values: -np.log(values.get("a", 0.1)))
    assert one.importance() == {}  # too few
    grown(one, 12, worth=lambda values: -np.log(values["a"]))
    found = one.importance()
    assert list(found) == ["a", "b"] and found["a"] > 0.8 and one.varied() == ["a", "b"]  # c was not drawn by all
    assert len(one.coordinates("fd").axes) > 2


def test_a_study_of_another_space_or_seed_is_refused(tmp_path):
    study(tmp_path)
    study(tmp_path)
    with pytest.raises(UserError, match="the study 's' was begun with another space, config, score or seed than now"):
        study(tmp_path, seed=1)


def test_folders_of_one_study_keep_to_their_own_trials(tmp_path, monkeypatch):
    one = study(tmp_path)
    one.ask("a"), one.ask("b")
    lost = one._study.ask().number  # a kill has come before the note of its place
    assert (one.running("a"), one.running("b")) == ([0], [1])
    monkeypatch.setattr("jaxgan.search.study.ORPHANED", -1)
    assert one.running("a") == [0, lost] and one.running("b") == [1]


def test_phases_draw_apart(tmp_path):
    wide, narrow = study(tmp_path, "wide", defaults=None), study(tmp_path, "narrow", defaults=None, phase="narrow")
    assert grown(wide, 1)[0]["a"] != grown(narrow, 1)[0]["a"]
