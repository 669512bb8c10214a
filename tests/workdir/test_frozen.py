"""Networks of other runs: taken, copied, read from the copy, and refused where they are damaged."""

import json
import shutil
from dataclasses import dataclass
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import arrays, assert_same_bits, noise_features, noise_images, plan_of, tiny

from jaxgan.errors import UserError
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.sections import sections
from jaxgan.state import Aux
from jaxgan.tasks.networks import init, run
from jaxgan.tasks.protocols import Generates
from jaxgan.tasks.task import BaseTask
from jaxgan.training import population
from jaxgan.training.member import Job
from jaxgan.training.train import train, train_together
from jaxgan.workdir.folder import Workdir
from jaxgan.workdir.runs import load_frozen, load_run


class Copier(nn.Module):
    image_shape: tuple[int, int, int]
    dtype: Any

    @nn.compact
    def __call__(self, z, *, train: bool):
        return jnp.tanh(nn.Dense(144)(z)).reshape(-1, 12, 12, 1)


@dataclass(frozen=True, kw_only=True)
class Distil(BaseTask):
    """Learns to make what a frozen generator makes of the same z."""

    gen: nn.Module
    frozen: dict[str, Any]
    nets = {"gen": {"copier": Copier}}
    players = {"gen": {"gen": "gen"}}
    asks = {"teacher": (Generates,)}

    def init(self, rng):
        return {"gen": init(self.gen, rng, "gen", jnp.zeros((2, 4)), train=False)}

    def loss(self, name, state, batch, keys, advance):
        teacher = self.frozen["teacher"]
        inputs = teacher.task.draw(keys("z"))
        want = teacher.task.generate(teacher.variables, inputs)
        image, collections = run(self.gen, state.variables("gen"), inputs["z"], train=True)
        return jnp.mean((want - image) ** 2), Aux({}, {"gen": collections})


@pytest.fixture(scope="module")
def donor(tmp_path_factory):
    folder = tmp_path_factory.mktemp("donor") / "run"
    train(plan_of("dcgan.py", steps=2), noise_images(), folder)
    return folder


def config_of(donor, **fields):
    config = tiny("dcgan.py").copy_and_resolve_references().unlock()
    for name in ("objective", "critic", "augment"):
        del config[name]
    config.task = {"name": f"{__name__}:Distil"}
    config.nets, config.optim, config.rounds = {"gen": {"name": "copier"}}, {"gen": {"name": "adam"}}, {"gen": 1}
    config.frozen = {"teacher": {"name": "run", "workdir": str(donor), **fields}}
    from jaxgan.config.resolve import resolve_config

    return resolve_config(config, [], sections)


def plan_for(config, folder=None):
    return Plan(config, noise_features(), load_frozen(config, folder, (12, 12, 1)))


def trained(donor, folder, **fields):
    config = config_of(donor, **fields)
    train(plan_for(config, folder), noise_images(), folder)
    return folder


def test_averages_or_weights_of_the_checkpoint_that_is_asked_for(donor):
    _, _, state = load_run(donor, Placement())
    ema, raw = (plan_for(config_of(donor, ema=ema)).frozen["teacher"].variables["gen"] for ema in (True, False))
    for taken, own in ((ema, state.variables("gen", True)), (raw, state.variables("gen", False))):
        assert all((a == np.asarray(b)).all() for a, b in zip(jax.tree.leaves(taken), jax.tree.leaves(own), strict=True))
    assert any((a != b).any() for a, b in zip(jax.tree.leaves(ema), jax.tree.leaves(raw)))
    only = plan_for(config_of(donor, players=("gen",))).frozen["teacher"].variables
    assert set(only) == {"gen"}


def test_a_run_reads_its_copy_when_the_other_is_gone(donor, tmp_path):
    shutil.copytree(donor, tmp_path / "donor")
    folder = trained(tmp_path / "donor", tmp_path / "run")
    record = json.loads((folder / "config.json").read_text())
    digest = record["starts"][0]["donors"]["frozen.teacher.workdir"]["digest"]
    shutil.rmtree(tmp_path / "donor")
    plan, step, _ = load_run(folder, Placement())
    assert step == 4 and plan.frozen["teacher"].record["taken"]["digest"] == digest
    # Its place is no part of what defines the run: the same command goes on where the other has moved to.
    shutil.copytree(donor, tmp_path / "moved")
    config = config_of(tmp_path / "moved").copy_and_resolve_references().unlock()
    config.steps = 6
    train(plan_for(config.lock(), folder), noise_images(), folder)
    assert Workdir(folder).done_step == 6
    assert Workdir(folder).donors["frozen.teacher.workdir"]["digest"] == digest
    train(plan_of("dcgan.py", steps=2, seed=1), noise_images(), tmp_path / "another")
    config.frozen.teacher.workdir = str(tmp_path / "another")
    with pytest.raises(UserError, match="frozen.teacher.workdir: .*moved -> .*another, which does not hold the checkpoint"):
        train(plan_for(config, folder), noise_images(), folder)


def test_frozen_variables_stay_as_they_are_and_are_in_no_checkpoint(donor, tmp_path):
    folder = trained(donor, tmp_path / "run")
    plan, _, state = load_run(folder, Placement())
    before = plan_for(config_of(donor)).frozen["teacher"].variables
    kept = plan.frozen["teacher"].variables
    assert all((a == b).all() for a, b in zip(jax.tree.leaves(before), jax.tree.leaves(kept), strict=True))
    assert set(state.params) == {"gen"}


@pytest.mark.parametrize("where", ["variables.npz", "frozen.json"])
def test_a_damaged_copy_is_refused(donor, tmp_path, where):
    folder = trained(donor, tmp_path / "run")
    path = folder / "frozen" / "teacher" / where
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(UserError, match="damaged"):
        load_run(folder, Placement())


@pytest.mark.parametrize(
    "fields, answer",
    [
        ({"workdir": ""}, "--config.frozen.teacher.workdir=RUN"),
        ({"workdir": "nowhere"}, "nowhere holds no run"),
        ({"players": ("gan",)}, "has no player 'gan'; did you mean 'gen'"),
        ({"step": 77}, "has no checkpoint of step 77, but of"),
    ],
)
def test_mistakes(donor, fields, answer):
    with pytest.raises(UserError, match=answer):
        plan_for(config_of(donor, **fields) if "workdir" not in fields else config_of(fields["workdir"]))


def test_a_population_shares_one_copy_and_does_what_each_does_alone(donor, tmp_path):
    plans = []
    for seed in (0, 1):
        config = config_of(donor).copy_and_resolve_references().unlock()
        config.seed = seed
        plans.append(plan_for(config.lock()))
    inputs = population.stack_inputs(plans)
    shapes = jax.tree.map(np.shape, (inputs.frozen, plans[0].inputs.frozen))
    assert shapes[0] == shapes[1] and inputs.order.shape == (2,)
    train_together([Job(plan, tmp_path / f"both{i}") for i, plan in enumerate(plans)], noise_images())
    for i, plan in enumerate(plans):
        train(plan, noise_images(), tmp_path / f"alone{i}")
        states = [load_run(tmp_path / f"{name}{i}", Placement())[2] for name in ("both", "alone")]
        assert_same_bits(*map(arrays, states))
        assert (tmp_path / f"both{i}" / "frozen" / "teacher" / "variables.npz").exists()


def test_members_whose_donor_trained_on_between_their_starts_go_apart(donor, tmp_path):
    train(plan_of("dcgan.py", steps=2, seed=1), noise_images(), tmp_path / "other")
    plans = [plan_for(config_of(path)) for path in (donor, tmp_path / "other")]
    train_together([Job(plan, tmp_path / f"both{i}") for i, plan in enumerate(plans)], noise_images())
    for i, plan in enumerate(plans):
        train(plan, noise_images(), tmp_path / f"alone{i}")
        assert_same_bits(*(arrays(load_run(tmp_path / f"{name}{i}", Placement())[2]) for name in ("both", "alone")))


def test_a_copy_without_a_run_is_made_again(donor, tmp_path):
    """A kill between the copy and the run's record leaves a copy that the next command may not mean."""
    folder = trained(donor, tmp_path / "run")
    for path in folder.iterdir():
        if path.name != "frozen":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    train(plan_of("dcgan.py", steps=2, seed=1), noise_images(), tmp_path / "other")
    trained(tmp_path / "other", folder)
    other = plan_for(config_of(tmp_path / "other")).frozen["teacher"].variables
    kept = load_run(folder, Placement())[0].frozen["teacher"].variables
    assert all((a == b).all() for a, b in zip(jax.tree.leaves(other), jax.tree.leaves(kept), strict=True))


def test_images_of_another_shape_are_refused(donor):
    with pytest.raises(UserError, match="frozen.teacher was trained on images of 12x12x1, and this run has 12x12x3"):
        load_frozen(config_of(donor), None, (12, 12, 3))


def test_cells_with_other_donors_train_alone(donor, tmp_path):
    shutil.copytree(donor, tmp_path / "other")
    one, same, other = (population.kind(config_of(path)) for path in (donor, donor, tmp_path / "other"))
    assert one == same != other
