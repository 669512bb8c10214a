"""Spaces: what is drawn, and what is refused before anything runs."""

import pytest
from helpers import ROOT

from jaxgan.config.load import load_config
from jaxgan.errors import UserError
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


@pytest.mark.parametrize("method", ["minimax", "lsgan_narrow", "wgan", "wgan_gp", "wgan_gp_narrow", "dragan"])
def test_the_papers_spaces_resolve(method, base):
    space = load_space(f"{CREATED_EQUAL}:{method}")
    check_space(space, method, base)
    penalised = method.startswith(("wgan_gp", "dragan"))
    assert any("weight" in path and "clip" not in path for path in space.fields) == penalised
    assert ("optim.disc.clip_weights" in space.fields) == (method == "wgan")
