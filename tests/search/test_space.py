"""Spaces: what is drawn, and what is refused before anything runs."""

import pytest
from helpers import ROOT

from jaxgan.config.load import load_config
from jaxgan.errors import UserError
from jaxgan.search.equal import equal_images
from jaxgan.search.space import Choice, Log, Same, Space, Uniform, Whole, check_space, defaults, load_space

CREATED_EQUAL = f"{ROOT}/configs/spaces/created_equal.py"
SPACE = Space(
    {
        "optim.gen.lr": Log(1e-5, 1e-2),
        "optim.disc.lr": Same("optim.gen.lr"),
        "rounds.disc": Whole(1, 5),
        "nets.disc.norm": Choice(("none", "batch"), {"none": {"objective.terms.r1.weight": Log(0.1, 10)}}),
    },
    {"steps": 5, "objective.terms.r1.weight": 1.0},
    {"optim.gen.lr": 2e-4},
)


def test_what_is_the_same_within_a_choice():
    inner = {"optim.gen.lr": Log(1e-4, 1e-2), "optim.disc.lr": Same("optim.gen.lr")}
    space = Space({"rounds.disc": Choice((1, 5), {5: inner})})
    for rounds, more in ((1, {}), (5, {"optim.gen.lr": 0.5, "optim.disc.lr": 0.5})):
        assert space.drawn(lambda path, _, n=rounds: n if path == "rounds.disc" else 0.5) == {"rounds.disc": rounds, **more}


@pytest.fixture(scope="module")
def base():
    return load_config(f"{ROOT}/configs/dcgan.py")


def test_what_is_drawn():
    asked = []

    def suggest(path, draw):
        asked.append(path)
        return {"optim.gen.lr": 0.001, "rounds.disc": 2, "nets.disc.norm": norm}.get(path, 7.0)

    norm = "none"
    assert SPACE.drawn(suggest) == {
        "optim.gen.lr": 0.001, "optim.disc.lr": 0.001, "rounds.disc": 2, "nets.disc.norm": "none",
        "objective.terms.r1.weight": 7.0,
    }  # fmt: skip
    assert asked == ["optim.gen.lr", "rounds.disc", "nets.disc.norm", "objective.terms.r1.weight"]
    norm = "batch"
    assert "objective.terms.r1.weight" not in SPACE.drawn(suggest)


def test_the_default_as_a_sampler_sees_it(base):
    check_space(SPACE, "space.py", base)
    assert defaults(SPACE, base) == {"optim.gen.lr": 2e-4, "rounds.disc": 1, "nets.disc.norm": "batch"}
    out_of_range = Space({"optim.gen.lr": Log(1e-3, 1e-2)})
    assert defaults(out_of_range, base) == {}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"optim.gen.lrr": Log(1e-4, 1e-2)}, r"space.py: .*'?optim.gen.lrr.*did you mean 'optim.gen.lr'"),
        ({"optim.gen.b1": Uniform(0, 2)}, r"space.py: optim.gen.b1 must be"),
        ({"optim.gen.lr": Log(0, 1)}, "'optim.gen.lr' goes from 0 to 1; the first must be smaller above 0"),
        ({"optim.gen.lr": Uniform(1, 1)}, "'optim.gen.lr' goes from 1 to 1; the first must be smaller"),
        ({"nets.disc.norm": Choice(("none", "bach"))}, "did you mean 'batch'"),
        ({"nets.disc.norm": Choice(())}, "the choice 'nets.disc.norm' has no values"),
        ({"nets.disc.norm": Choice(("none",), {"batch": {}})}, "has fields for 'batch', which is none of its values"),
        ({"optim.gen.lr": Same("optim.disc.lr")}, "the same as 'optim.disc.lr', which is not drawn beside it"),
        (
            {"rounds.disc": Choice((1, 5), {5: {"optim.disc.lr": Log(1e-4, 1e-2)}}), "optim.gen.lr": Same("optim.disc.lr")},
            "the same as 'optim.disc.lr', which is not drawn beside it",
        ),
        (
            {"rounds.disc": Choice((1, 5), {5: {"nets.disc.norm": Choice(("none", "bach"))}})},
            "did you mean 'batch'",
        ),
        ({"optim.gen.lr": 1e-4}, "'optim.gen.lr' wants Uniform, Log, Whole, Choice or Same, not float"),
        (
            {"rounds.disc": Choice((1, 5), {5: {"optim.gen.lrr": Log(1e-4, 1e-2)}})},
            "did you mean 'optim.gen.lr'",
        ),
    ],
)
def test_spaces_that_cannot_be_searched(fields, message, base):
    with pytest.raises(UserError, match=message):
        check_space(Space(fields), "space.py", base)


def test_a_file_that_is_no_space(tmp_path):
    (tmp_path / "a.py").write_text("def space():\n    return {}\n")
    with pytest.raises(UserError, match=r"space\(\) must return a jaxgan.space.Space, not dict"):
        load_space(str(tmp_path / "a.py"))


@pytest.mark.parametrize("method", ["nonsaturating", "minimax", "lsgan", "wgan", "wgan_gp", "dragan"])
def test_the_papers_spaces_resolve(method, base):
    space = load_space(f"{CREATED_EQUAL}:{method}")
    assert space.narrow is not None
    for one in (space, space.narrow):
        check_space(one, method, base)
        assert any("weight" in path and "clip" not in path for path in one.fields) == (method in ("wgan_gp", "dragan"))
        assert ("optim.disc.clip_weights" in one.fields) == (method == "wgan") and one.equal_images
    assert len(defaults(space, base)) >= 4  # the paper's defaults lie in its ranges


def test_numbers_in_a_form(base):
    path, form = "optim.gen.lr", "linear({}, 0, 50%, 100%)"
    space = Space({path: Log(1e-5, 1e-2, form), "optim.disc.lr": Same(path)})
    check_space(space, "space.py", base)
    assert space.drawn(lambda *_: 0.001) == dict.fromkeys((path, "optim.disc.lr"), "linear(0.001, 0, 50%, 100%)")
    assert defaults(space, base) == {}  # the config's is a number without it
    at = Space(space.fields, {}, {path: "linear(1e-3,0,50%,100%)"})
    assert defaults(at, base) == {path: 1e-3}
    with pytest.raises(UserError, match="the form of 'optim.gen.lr' must have {} where the number goes"):
        check_space(Space({path: Log(1e-5, 1e-2, "linear")}), "space.py", base)


def test_trials_see_equally_many_images(base):
    common = [("steps", "1000"), ("batch_size", "32"), ("log.every", "100"), ("eval.every", "0")]
    own = dict(equal_images(base, common, [("rounds.disc", "5")]))
    assert (own["steps"], own["log.every"]) == ("200", "20") and "eval.every" not in own
    assert dict(equal_images(base, common, [("batch_size", "64")]))["steps"] == "500"
    assert equal_images(base, common, [("optim.gen.lr", "1e-3")]) == []


def test_what_a_space_says_of_itself():
    told = SPACE.told()
    assert "optim.gen.lr: Log low=1e-05 high=0.01 {}" in told and "fixed steps=5" in told
    assert "objective.terms.r1.weight: Log low=0.1 high=10 {'nets.disc.norm': 'none'}" in told
    other = Space({**SPACE.fields, "optim.gen.lr": Log(1e-5, 1e-3)}, SPACE.fixed, SPACE.default)
    assert other.told() != told and Space(SPACE.fields, SPACE.fixed, SPACE.default, paper="A").told() == told
