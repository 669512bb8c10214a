"""What stands between a latent and a StyleGAN's picture: styles, mixed, truncated, blended; and the tools for them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import noise_images, plan_of
from PIL import Image

from jaxgan.config.schedules import evaluate
from jaxgan.errors import UserError
from jaxgan.keys import Keys
from jaxgan.training.train import train
from jaxgan.verbs.sample_request import sample_request
from jaxgan.verbs.sampling import sample

SPEC = "stylegan_lite.py"


def task_of(**overrides):
    plan = plan_of(SPEC, **overrides)
    return plan.task(evaluate(plan.inputs.scalars, jnp.float32(0))), plan.init(jax.random.key(0))


def inputs_of(task, n=6):
    return task.draw(jax.random.split(jax.random.key(1), n))


@pytest.mark.slow
def test_truncation_goes_from_the_mean_to_the_style():
    task, state = task_of()
    nets = {"gen": state.variables("gen")}
    nets["gen"]["batch_stats"] = {"w_avg": jnp.arange(8.0)}
    inputs = inputs_of(task)
    whole, half, none = (task.styles(nets, inputs, psi)["w"] for psi in (1.0, 0.5, 0.0))
    np.testing.assert_allclose(none, jnp.broadcast_to(jnp.arange(8.0), none.shape), atol=1e-6)
    np.testing.assert_allclose(half, (whole + none) / 2, atol=1e-5)
    each = task.styles(nets, inputs, jnp.array([1.0, 0.5, 0.0] * 2))["w"]
    np.testing.assert_allclose(each[4], half[4], atol=1e-6)
    np.testing.assert_allclose(task.generate(nets, task.styles(nets, inputs)), task.generate(nets, inputs), atol=1e-5)


@pytest.mark.slow
def test_the_same_number_has_the_same_noise():
    task, state = task_of()
    variables = {**state.variables("gen")}
    variables["params"] = jax.tree_util.tree_map_with_path(
        lambda path, x: x + 1 if "noise" in jax.tree_util.keystr(path) else x, variables["params"]
    )
    inputs = inputs_of(task)
    images = [
        task.generate({"gen": variables}, {**inputs, "noise": inputs["noise"][order]})
        for order in (..., slice(None, None, -1))
    ]
    assert float(jnp.abs(images[0] - images[1]).max()) > 1e-3
    np.testing.assert_array_equal(images[0], task.generate({"gen": variables}, inputs))


@pytest.mark.parametrize("mixing, share", [(0.0, 0.0), (0.9, 0.9), (1.0, 1.0)])
def test_layers_beyond_a_random_one_are_another_latent_s(mixing, share):
    task, _ = task_of(task__mixing=mixing)
    n, layers = 2000, task.gen.num_styles
    kept = np.asarray(task._kept(Keys(jax.random.key(0), 0, 0, 0, n)))
    assert kept.shape == (n, layers) and kept[:, 0].all()  # the first is never another's
    assert (np.diff(kept.astype(int), axis=1) <= 0).all()
    assert np.mean(~kept.all(1)) == pytest.approx(share, abs=0.03)
    if share == 1:
        cuts = np.bincount(kept.sum(1), minlength=layers + 1)
        np.testing.assert_allclose(cuts[1:layers] / n, 1 / (layers - 1), atol=0.05)


def test_blends_in_both_spaces():
    task, state = task_of()
    nets, inputs = {"gen": state.variables("gen")}, inputs_of(task)
    other = inputs_of(task) | {"z": -inputs["z"][::-1]}
    a, b = task.styles(nets, inputs), task.styles(nets, other)
    t = jnp.full(6, 0.25)
    np.testing.assert_allclose(task.blend(a, b, t)["w"], 0.75 * a["w"] + 0.25 * b["w"], atol=1e-6)
    np.testing.assert_allclose(task.blend(inputs, other, jnp.zeros(6))["z"], inputs["z"], atol=1e-5)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "style"
    train(plan_of(SPEC, nets__gen__w_avg_decay=0.5, nets__gen__noise=False), noise_images(), folder)
    return folder


def picture(run, tmp_path, **flags):
    with Image.open(sample(run, sample_request(out=str(tmp_path / "a.png"), overwrite=True, **flags))) as image:
        return np.asarray(image)


@pytest.mark.slow
def test_a_truncation_sweep(optimised, run, tmp_path):
    rows = picture(run, tmp_path, seeds="0-2", truncation_psi=("1", "0.5", "0"))
    assert rows.shape == (3 * 12, 3 * 12)
    np.testing.assert_array_equal(rows[:12], picture(run, tmp_path, seeds="0-2", grid="3x1"))
    np.testing.assert_array_equal(rows[12:24], picture(run, tmp_path, seeds="0-2", grid="3x1", truncation_psi=("0.5",)))
    assert (rows[:12] != rows[24:]).any()


@pytest.mark.slow
def test_a_table_of_mixed_styles(optimised, run, tmp_path):
    table = picture(run, tmp_path, seeds="0,1", mix="5-7", layers="0")
    assert table.shape == (3 * 12, 4 * 12) and (table[:12, :12] == 255).all()
    np.testing.assert_array_equal(table[:12, 12:], picture(run, tmp_path, seeds="5-7", grid="3x1"))
    np.testing.assert_array_equal(table[12:, :12], picture(run, tmp_path, seeds="0,1", grid="1x2"))
    layers = "0-5"  # all: then a column's picture
    everything = picture(run, tmp_path, seeds="0,1", mix="5-7", layers=layers)
    np.testing.assert_array_equal(everything[12:24, 12:], everything[:12, 12:])


@pytest.mark.slow
def test_walks_in_w(run, tmp_path):
    strips = {}
    for space, psi in (("z", ()), ("w", ()), ("z", ("0.5",)), ("w", ("0.5",))):
        flags = dict(
            seeds="0,1", interpolate=4, space=space, truncation_psi=psi, out=str(tmp_path / "walk.gif"), overwrite=True
        )
        sample(run, sample_request(**flags))
        strips[space, psi] = np.asarray(Image.open(tmp_path / "walk_strip.png")).astype(int)
    for psi in ((), ("0.5",)):
        first = picture(run, tmp_path, seeds="0", grid="1x1", truncation_psi=psi)
        for space in ("z", "w"):
            np.testing.assert_allclose(strips[space, psi][:, :12], first, atol=1)
        assert (strips["z", psi] != strips["w", psi]).any()  # through other pictures, from one end to the other


@pytest.mark.parametrize(
    "flags, message",
    [
        ({"truncation_psi": ("half",)}, "--truncation_psi must be a number, .7, or several, 1,.7,.5,0, not 'half'"),
        ({"truncation_psi": ("1", "0"), "interpolate": 3}, "several values of --truncation_psi make a table of their own"),
        ({"mix": "3"}, "--mix takes styles in some layers: --seeds=0-3 --mix=8-15 --layers=0-1"),
        ({"mix": "3", "layers": "1", "grid": "2x2"}, "--grid has no effect on a table"),
        ({"mix": "3", "layers": "6"}, "--layers goes to 6, and this generator has layers 0 to 5"),
        ({"space": "w"}, "--space is z or w, and of --interpolate, not 'w'"),
        ({"mix": "3", "layers": "1", "out": "a.gif"}, "--out=a.gif must be FILE.png"),
    ],
)
def test_mistakes(run, flags, message):
    with pytest.raises(UserError, match=message):
        sample(run, sample_request(**flags))


@pytest.mark.slow
def test_a_generator_without_styles_is_told(tmp_path):
    train(plan_of("dcgan.py", steps=1), noise_images(), tmp_path)
    with pytest.raises(UserError, match="--truncation_psi is of generators with styles"):
        sample(tmp_path, sample_request(truncation_psi=("0.5",)))


@pytest.mark.parametrize(
    "spec, overrides, message",
    [
        (SPEC, {"task__num_classes": 10, "critic__pack": 2}, "a pack of images has no label of its own"),
    ],
)
def test_labels_for_networks_that_cannot_be_told(spec, overrides, message):
    with pytest.raises(UserError, match=message):
        plan_of(spec, **overrides)


def test_labels_that_the_data_do_not_have(tmp_path):
    with pytest.raises(UserError, match="task.num_classes=7, but the data set has labels of 10 classes"):
        train(plan_of(SPEC, task__num_classes=7), noise_images(), tmp_path)
    assert not list(tmp_path.iterdir())
