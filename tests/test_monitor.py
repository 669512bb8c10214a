"""The monitor's numbers and rules, on lines made up and on runs that fall ill."""

import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import noise_images, plan_of
from jax.sharding import PartitionSpec as P

from jaxgan import monitor
from jaxgan.monitor import EARLY, WINDOW, Monitor
from jaxgan.objectives.objective import diversity
from jaxgan.training.train import train

WELL = {
    "disc/grad_norm": 2.0,
    "gen/grad_norm": 4.0,
    "gen/diversity": 0.9,
    "disc/accuracy_real": 0.7,
    "disc/accuracy_fake": 1.0,
}


def told(*changes, start=EARLY, lines=()):
    """The monitor's lines for WELL with each of the changes, and what it said."""
    said = []
    watch = Monitor(lines, said.append, {"disc": "critic", "gen": "maker"})
    return [watch(WELL | {"step": start + i} | change) for i, change in enumerate(changes)], said


@pytest.mark.parametrize(
    "ill, verdict",
    [
        ({"gen/diversity": 0.05}, "collapsed: gen/diversity below 0.1 in the last 5 lines"),
        ({"disc/accuracy_real": 1.0}, "discriminator saturated: accuracies on real and fake above 0.99 in the last 5 lines"),
        ({"gen/grad_norm": 401.0}, "diverging: gen/grad_norm above 100 times its median in the last 5 lines"),
    ],
)
def test_an_illness_is_named_after_a_window_of_lines_and_may_pass(ill, verdict):
    lines, said = told(*[{}] * 20, *[ill] * WINDOW, {})
    assert [line["verdict"] for line in lines] == ["healthy"] * (19 + WINDOW) + [verdict, "healthy"]
    assert said == [f"step {EARLY + 19 + WINDOW}: {verdict}", f"step {EARLY + 20 + WINDOW}: healthy"]
    assert all(line["disc/grad_norm_ratio"] == 2 / line["gen/grad_norm"] for line in lines)
    # A resumed run's monitor knows the lines before.
    kept = [*lines[:-3], {"step": lines[-4]["step"], "kimg": 1.0, "eval/fd_digits1k": 3.0}]
    again, more = told(*[ill] * 2, lines=kept, start=lines[-3]["step"])
    assert [line["verdict"] for line in again] == ["healthy", verdict] and len(more) == 1


def of_labels(*changes, chance=0.1, **fields):
    """Verdicts of lines with a critic that names 95 % of the labels of reals."""
    watch = Monitor(sides={"disc": "critic", "gen": "maker"}, chance=chance)
    line = WELL | {"disc/acgan_accuracy": 0.95, "gen/acgan_accuracy": 0.9} | fields
    lines = [watch(line | {"step": EARLY + i} | change) for i, change in enumerate(changes)]
    return watch, [line["verdict"].partition(":")[0] for line in lines]


def test_a_generator_that_ignores_its_labels_is_named():
    ill = {"gen/acgan_accuracy": 0.12}
    _, verdicts = of_labels({}, *[ill] * WINDOW, {})
    assert verdicts == ["healthy"] * WINDOW + ["ignores its labels", "healthy"]
    assert set(of_labels(*[ill] * 9, **{"disc/acgan_accuracy": 0.3})[1]) == {"healthy"}  # a critic that knows no class
    assert set(of_labels(*[{"gen/acgan_accuracy": 0.55}] * 9, chance=0.5)[1][WINDOW:]) == {"ignores its labels"}
    watch, verdicts = of_labels(*[ill] * 9)
    score = {"step": 300, "eval/label_accuracy_digits1k": 0.97, "eval/label_accuracy_worst_digits1k": 0.1}
    assert verdicts[-1] == "ignores its labels" and watch.scored(score)["verdict"] == "healthy"  # scores know better
    ill_score = {"step": 301, "eval/label_accuracy_digits1k": 0.11}
    assert watch.scored(ill_score)["verdict"] == (
        "ignores its labels: eval/label_accuracy_digits1k is 0.11, and guessing is right at 0.1"
    )
    assert watch(WELL | {"step": 302})["verdict"].startswith("ignores its labels")  # until it is scored again


def test_the_start_and_what_was_not_measured_give_no_verdict():
    young, said = told(*[{"gen/diversity": 0.0}] * 9, start=EARLY - 9)
    assert {line["verdict"] for line in young} == {"healthy"} and not said
    older, _ = told(*[{"gen/diversity": 0.0}] * 9, start=EARLY - 5)  # of which four count
    assert older[-1]["verdict"] == "healthy"
    ill = {"gen/diversity": 0.05}
    assert told(ill, ill, {"gen/diversity": float("nan")}, ill, ill)[0][-1]["verdict"] == "healthy"  # four were measured
    assert all(np.isnan(told({"gen/grad_norm": x})[0][0]["disc/grad_norm_ratio"]) for x in (0.0, float("nan")))
    critic = Monitor()
    for step in range(EARLY, EARLY + 20):  # of a loss without a boundary
        line = critic({"step": step, "disc/ordered": 1.0, "gen/diversity": 1.0})
    assert line["verdict"] == "healthy"


def test_only_players_against_each_other_have_a_ratio_of_gradient_norms():
    line = WELL | {"step": EARLY, "judge/grad_norm": 6.0, "maker/grad_norm": 4.0}
    assert Monitor()(line) == Monitor(sides={"disc": "critic"})(line) == line | {"verdict": "healthy"}
    told = Monitor(sides={"maker": "maker", "judge": "critic"})(line)
    assert told == line | {"judge/grad_norm_ratio": 1.5, "verdict": "healthy"}


def test_diversity_is_a_ratio_of_distances_over_the_global_batch():
    rng = np.random.default_rng(0)
    real, fake = (jnp.asarray(rng.normal(size=(8, 3, 2)) * scale + scale) for scale in (2.0, 0.5))

    def distance(x):
        x = np.asarray(x).reshape(8, -1)
        return np.mean(np.sum((x[:, None] - x) ** 2, -1))

    expected = np.sqrt(distance(fake) / distance(real))
    assert float(diversity(real, fake)) == pytest.approx(expected, rel=1e-5)
    mesh = jax.make_mesh((4,), ("data",), axis_types=(jax.sharding.AxisType.Auto,))
    spread = jax.shard_map(diversity, mesh=mesh, in_specs=P("data"), out_specs=P(), check_vma=False)
    assert float(jax.jit(spread)(real, fake)) == pytest.approx(expected, rel=1e-5)
    assert float(diversity(real, fake[:1].repeat(8, 0))) == 0
    assert np.isnan(diversity(real[:1].repeat(8, 0), fake))


@pytest.mark.slow
def test_a_run_that_saturates_says_so(tmp_path, capsys, monkeypatch):
    """Noise pictures against a generator that may not move: the discriminator soon knows them all."""
    for name, value in (("EARLY", 10), ("EVERY", 4)):
        monkeypatch.setattr(monitor, name, value)
    plan = plan_of(
        "vanilla.py", steps=60, log__every=4, checkpoint__every=0, sample__every=0, optim__gen__lr=0, optim__disc__lr=0.02
    )
    train(plan, noise_images(), tmp_path / "run")
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["verdict"].startswith("discriminator saturated: ")
    first = next(line for line in lines if line["verdict"] == lines[-1]["verdict"])
    assert f"{tmp_path / 'run'} step {first['step']}: discriminator saturated: " in capsys.readouterr().out
    last = lines[-1]
    assert last["gen/update_ratio"] == 0 and last["gen/grad_norm"] > 0 and 0 < last["disc/update_ratio"] < 1
    assert last["disc/grad_norm_ratio"] == pytest.approx(last["disc/grad_norm"] / last["gen/grad_norm"])
