"""Task `paired` with sources that are smaller than images: its losses, what it can do, its picture, what it refuses."""

import copy
import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import ROOT, SMALL, noise_images, plan_after_stages, plan_of, tiny, tiny_fields
from PIL import Image

import jaxgan
from jaxgan import program
from jaxgan.config.load import load_config
from jaxgan.config.resolve import resolve_config
from jaxgan.data.features import Feature, features_of
from jaxgan.errors import UserError
from jaxgan.extractors.base import Random
from jaxgan.extractors.stages import STAGES
from jaxgan.generate import trained
from jaxgan.keys import Keys
from jaxgan.objectives.distances import FeatureDistance
from jaxgan.plan import Plan
from jaxgan.sections import sections
from jaxgan.tasks.protocols import Translates, Upscales
from jaxgan.tasks.task import Frozen
from jaxgan.training.pictures import make_sampler
from jaxgan.training.train import train
from jaxgan.verbs.translation import translate
from jaxgan.workdir.runs import load_frozen

FEATURES = features_of((16, 16, 3), source_shape=(4, 4, 3))
ENLARGES = {"nets__gen__name": "srresnet", "nets__disc__name": "srgan", "task__conditional": "false"}
CRITICLESS = {**ENLARGES, "objective__loss": "none"}


def variant(name):
    """A tiny config of configs/srgan.py, whose data need not be there."""
    base = load_config(f"{ROOT}/configs/srgan.py:{name}")
    base.data = {"name": "digits"}
    return resolve_config(base, list((SMALL | tiny_fields(resolve_config(base, [], sections))).items()), sections)


def loss(plan, name, frozen=None):
    """(The loss of a player's update at step 0, its metrics, the batch, the player's image)."""
    images = noise_images(plan=plan)
    batch = program.make_batch(plan, images)(jnp.int32(0), images.load(), plan.inputs.order)
    batch = jax.tree.map(lambda x: x[0], batch)
    task, state = plan.task(frozen=frozen), plan.init(jax.random.key(0))
    keys = Keys(jax.random.key(0), 0, 0, 0, len(batch["image"]))
    value, aux = jax.jit(lambda state, batch: task.loss(name, state, batch, keys, None))(state, batch)
    return value, aux.metrics, batch, task.generate({"gen": state.variables("gen")}, {**batch, "noise": keys("z")})


@pytest.mark.parametrize("name", ["srresnet", "rrdb"])
def test_a_content_loss_is_the_whole_loss(name):
    plan = plan_of("pix2pix.py", **{**CRITICLESS, "nets__gen__name": name})
    value, metrics, batch, made = loss(plan, "gen")
    assert plan.players == ("gen",) and [update.loss for update in plan.updates] == ["gen"]
    assert batch["source"].shape == (8, 3, 3, 1) and made.shape == batch["image"].shape == (8, 12, 12, 1)
    assert float(value) == pytest.approx(100 * float(jnp.mean(jnp.abs(made - batch["image"]))), rel=1e-5)


def test_the_adversarial_part_has_its_weight():
    plan = plan_of("pix2pix.py", **ENLARGES, objective__weight=1e-3, objective__terms__l1__weight=2)
    value, metrics, _, _ = loss(plan, "gen")
    assert float(value) == pytest.approx(1e-3 * float(metrics["gen/adversarial"]) + 2 * float(metrics["gen/l1"]), rel=1e-5)


@pytest.mark.parametrize("name", ["srgan", "srresnet", "rrdb", "esrgan"])
def test_every_variant_has_a_plan(name):
    plan = plan_after_stages(variant(name), FEATURES)
    content = name in ("srresnet", "rrdb")
    assert plan.players == (("gen",) if content else ("disc", "gen"))
    assert plan.can(Upscales) and plan.task().scale == 4 and plan.can(Translates)
    assert set(plan.digests_in_losses.values()) == (set() if content else {"features"})
    assert plan.run.init_from.players == (() if content else ("gen",))


def test_the_stages_of_a_variant_fit_each_other():
    """`init_from` compares shapes of params and statistics."""
    for first, second in (("srresnet", "srgan"), ("rrdb", "esrgan")):
        states = [plan_after_stages(variant(name), FEATURES).shapes() for name in (first, second)]
        a, b = (jax.tree.map(jnp.shape, (state.params["gen"], state.model_state["gen"])) for state in states)
        assert a == b


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_sources_of_any_size_are_enlarged(norm):
    plan = plan_of("pix2pix.py", **ENLARGES, nets__gen__norm=norm)
    task, nets = plan.task(), trained(plan, plan.init(jax.random.key(0)), ema=True)
    assert isinstance(task, Upscales) and task.scale == 4
    source = jax.random.uniform(jax.random.key(1), (2, 5, 7, 1), minval=-1)
    made = task.upscale(nets.players, source)
    assert made.shape == (2, 20, 28, 1)
    keys = jax.random.split(jax.random.key(2), 2)
    np.testing.assert_array_equal(made, task.generate(nets.players, {"source": source, **task.draw(keys)}))
    np.testing.assert_allclose(task.upscale(nets.players, source[:1]), made[:1], atol=1e-5)  # whatever is beside it


def test_who_enlarges():
    assert not plan_of("pix2pix.py").can(Upscales)
    task = plan_of("pix2pix.py", **ENLARGES).task()
    assert dataclasses.replace(task, gen_norm="running").scale == 4 and copy.copy(task).scale == 4


def test_a_row_of_the_picture_is_source_enlarged_and_true():
    plan = plan_of("pix2pix.py", **CRITICLESS, sample__num=3)
    images = noise_images(plan=plan)
    sampler = make_sampler(plan, images)
    assert sampler is not None
    picture = sampler(trained(plan, plan.init(jax.random.key(0)), ema=False))()
    assert picture.shape == (3 * 12, 3 * 12, 1)
    first = images.gather(np.arange(1))
    np.testing.assert_array_equal(picture[:12, :12], np.kron(first["source"][0, ..., 0], np.ones((4, 4)))[..., None])
    np.testing.assert_array_equal(picture[:12, 24:], first["image"][0])


def test_a_stage_s_distance_enters_the_loss():
    network = Random().load((12, 12, 1))
    term = FeatureDistance(stage="conv_2", criterion="l1")
    plan = plan_of("pix2pix.py", **CRITICLESS)
    task = plan.task()
    object.__setattr__(task.objective, "terms", {"features": term})
    task = dataclasses.replace(task, frozen={"eye": Frozen(network, network.variables)})
    images = noise_images(plan=plan)
    batch = {name: x[:4].astype(np.float32) / 127.5 - 1 for name, x in images.load().items() if name != "label"}
    state = plan.init(jax.random.key(0))
    value, _ = task.loss("gen", state, batch, Keys(jax.random.key(0), 0, 0, 0, 4), None)
    made = task.upscale({"gen": state.variables("gen")}, batch["source"])
    maps = [STAGES["random"].map(network.variables, x, "conv_2") for x in (batch["image"], made)]
    assert float(value) == pytest.approx(float(jnp.mean(jnp.abs(maps[0] - maps[1]))), rel=1e-5)


def shaped(image, source):
    return {name: Feature("picture", shape, np.uint8) for name, shape in (("image", image), ("source", source))}


@pytest.mark.parametrize(
    ("overrides", "source", "message"),
    [
        (
            {},
            (4, 4, 3),
            "sources and images are of unlike sizes, 4x4 and 12x12; --config.nets.gen.name=srresnet enlarges them",
        ),
        ({}, (5, 5, 3), "sources and images are of unlike sizes, 5x5 and 12x12; --config.data.size=SIDE fits both"),
        ({}, (6, 4, 3), "of unlike sizes, 6x4 and 12x12; --config.data.size=SIDE fits both"),
        (
            ENLARGES,
            (5, 5, 3),
            "sources and images are of 5x5 and 12x12, and a generator enlarges by a whole factor; --config",
        ),
        (ENLARGES, (4, 6, 3), "of 4x6 and 12x12, and a generator enlarges by a whole factor; --config.data.source=down4"),
        (
            ENLARGES,
            (12, 12, 3),
            "enlarges its sources 2, 3 or 4 times, and images of these data are no larger than their sources; --config.data",
        ),
        (ENLARGES, (2, 2, 3), "2, 3 or 4 times, and images of these data are 6 times as large as their sources; --config"),
        (
            {**ENLARGES, "task__conditional": "true"},
            (4, 4, 3),
            "the discriminator cannot see a source beside an image of another size; --config.task.conditional=false",
        ),
        ({**ENLARGES, "nets__gen__enlarged": "true"}, (4, 4, 2), "have 2 and 3 channels; --config.nets.gen.enlarged=false"),
    ],
)
def test_sizes_that_fit_nothing(overrides, source, message):
    config = tiny("pix2pix.py", **overrides)
    with pytest.raises(UserError) as caught:
        Plan(config, shaped((12, 12, 3), source))
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_translators_both_ways_do_not_enlarge():
    config, have = tiny("cyclegan.py", nets__gen__name="srresnet"), features_of((12, 12, 1), 0, (12, 12, 1), apart=True)
    with pytest.raises(UserError, match="2, 3 or 4 times, and images of these data are no larger than their sources"):
        Plan(config, have)
    config = tiny("cyclegan.py")
    with pytest.raises(UserError, match="unlike sizes, 6x6 and 12x12; --config.data.size=SIDE fits both"):
        Plan(config, features_of((12, 12, 1), 0, (6, 6, 1), apart=True))


@pytest.mark.slow
def test_a_run_is_used_without_the_extractor_of_its_losses(tmp_path, monkeypatch):
    fields = {"frozen__eye__name": "random", "objective__terms__content__name": "feature_distance"}
    config = tiny(
        "pix2pix.py", **ENLARGES, **fields, objective__terms__content__stage="conv_1", eval__features__name="random"
    )
    plan = plan_of("pix2pix.py", **ENLARGES)
    images = noise_images(plan=plan)
    plan = Plan(config, images.features, load_frozen(config, tmp_path / "run", images.image_shape))
    train(plan, images, tmp_path / "run", "pix2pix.py")
    picture = np.asarray(Image.open(tmp_path / "run" / "samples" / "step_00000004.png"))
    assert picture.shape[1] == 36

    def gone(*_):
        raise UserError("its weights are gone")

    monkeypatch.setattr(Random, "load", gone)
    model = jaxgan.load(tmp_path / "run")
    made = model.translate(images.gather(np.arange(2))["source"])
    assert made.shape == (2, 12, 12, 1)
    assert model._plan.digests_in_losses == plan.digests_in_losses
    with pytest.raises(UserError, match="keeps a picture's size, and this run enlarges pictures; --mode=upscale does"):
        translate(tmp_path / "run", tmp_path, None)
    with pytest.raises(UserError, match="its weights are gone"):  # to go on with
        load_frozen(config, tmp_path / "run", images.image_shape)
