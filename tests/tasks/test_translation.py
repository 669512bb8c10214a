"""pix2pix' and CycleGAN's losses, term by term, and the pool of earlier translations."""

import dataclasses
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import noise_images, plan_of

from jaxgan import program
from jaxgan.data.features import features_of
from jaxgan.errors import UserError
from jaxgan.keys import Keys
from jaxgan.nets import layers, translator, unet
from jaxgan.plan import Plan
from jaxgan.tasks import critic
from jaxgan.tasks.adversarial import Making
from jaxgan.tasks.unpaired import pooled

PAIRED, UNPAIRED = "pix2pix.py", "cyclegan.py"


def parts(spec, **overrides):
    """A task, its new state, the batch of step 0 and that step's keys."""
    plan = plan_of(spec, **overrides)
    images = noise_images(plan=plan)
    batch = program.make_batch(plan, images)(jnp.int32(0), images.load(), plan.inputs.order)
    batch = jax.tree.map(lambda x: x[0], batch)
    return plan.task(), plan.init(jax.random.key(0)), batch, Keys(jax.random.key(0), 0, 0, 0, len(batch["image"]))


def loss(task, name, state, batch, keys):
    return jax.jit(lambda state, batch: task.loss(name, state, batch, keys, None))(state, batch)


@pytest.mark.slow
def test_l1_and_the_discriminator_s_answer_make_the_generator_s_loss():
    task, state, batch, keys = parts(PAIRED, objective__terms__l1__weight=7)
    value, aux = loss(task, "gen", state, batch, keys)
    image = jax.jit(lambda state: task.make("gen", state, batch, keys, frozenset({"judged"})).image)(state)
    distance = jnp.mean(jnp.abs(image - batch["image"]))
    both = {"image": image, "cond": batch["source"]}
    logits = critic.ask(task.disc, state.variables("disc"), both)[0].logits
    assert float(aux.metrics["gen/l1"]) == pytest.approx(float(distance), rel=1e-6)
    assert float(value) == pytest.approx(float(7 * distance + jnp.mean(jax.nn.softplus(-logits))), rel=1e-5)


@pytest.mark.parametrize("conditional", [True, False])
def test_only_a_conditional_discriminator_sees_the_source(conditional):
    task, state, batch, keys = parts(PAIRED, task__conditional=conditional)
    turned = {**batch, "source": batch["source"][::-1]}
    image = jnp.zeros_like(batch["image"])
    shown = [task.shown(Making({"": image}), state, b)[""] for b in (batch, turned)]
    for which in ("real", "fake"):
        answers = [critic.ask(net, variables, examples[which])[0].logits for net, variables, examples in shown]
        assert bool((answers[0] == answers[1]).all()) != conditional


def test_l1_alone_leaves_the_discriminator_out():
    task, state, batch, keys = parts(PAIRED, objective__loss="none", objective__terms__l1__weight=3)
    assert [update.player for update in task.updates({"disc": 1, "gen": 1})] == ["gen"]
    value, aux = loss(task, "gen", state, batch, keys)
    assert float(value) == pytest.approx(3 * float(aux.metrics["gen/l1"]), rel=1e-6)
    with pytest.raises(UserError, match="leaves nothing to train by"):
        plan_of(PAIRED, objective__loss="none", objective__terms__l1="none")


def test_dropout_is_noise_after_training_too_and_the_same_for_the_same_number():
    task, state, batch, _ = parts(PAIRED)
    nets = {"gen": state.variables("gen")}
    source = jnp.broadcast_to(batch["source"][:1], batch["source"].shape)
    keys = jax.random.split(jax.random.key(1), len(source))
    made = task.generate(nets, {"source": source, "noise": keys})
    assert float(jnp.abs(made[0] - made[1]).max()) > 1e-6
    np.testing.assert_array_equal(made, task.generate(nets, {"source": source, "noise": keys}))
    still, *_ = parts(PAIRED, nets__gen__dropout=0)
    made = still.generate(nets, {"source": source, "noise": keys})
    np.testing.assert_allclose(made[0], made[1], atol=1e-6)


@pytest.mark.slow
def test_cycles_and_identity_make_the_translators_loss():
    weights = {"objective__terms__cycle__weight": 3, "nets__gen__norm": "none"}
    task, state, batch, keys = parts(UNPAIRED, **weights)
    value, aux = loss(task, "gen", state, batch, keys)
    variables = state.variables("gen")

    @partial(jax.jit, static_argnums=0)
    def translate(way, x):
        return task._translate(variables, way, x, None, train=True)[0]

    a, b = batch["source"], batch["image"]
    fake_b, fake_a = translate("ab", a), translate("ba", b)
    homes = {"a": (translate("ba", fake_b), a), "b": (translate("ab", fake_a), b)}
    cycles = {domain: jnp.mean(jnp.abs(back - home)) for domain, (back, home) in homes.items()}
    for domain, distance in cycles.items():
        assert float(aux.metrics[f"gen/cycle_{domain}"]) == pytest.approx(float(distance), rel=1e-5)
    adversarial = 0.0
    for domain, fake in (("a", fake_a), ("b", fake_b)):
        own = {name: tree[domain] for name, tree in state.variables("disc").items()}
        adversarial += jnp.mean((critic.ask(task.disc, own, {"image": fake, "cond": None})[0].logits - 1) ** 2) / 2
    assert float(value) == pytest.approx(float(adversarial + 3 * sum(cycles.values())), rel=1e-5)
    assert float(aux.metrics["gen/cycle"]) == pytest.approx(float(sum(cycles.values())), rel=1e-5)
    assert float(aux.metrics["gen/adversarial"]) == pytest.approx(float(adversarial) / 2, rel=1e-5)  # the critics' mean
    for domain, distance in cycles.items():
        task, state, batch, keys = parts(UNPAIRED, objective__terms__cycle__of=f"cycle/{domain}", **weights)
        value, aux = loss(task, "gen", state, batch, keys)
        assert {name for name in aux.metrics if "cycle" in name} == {"gen/cycle"}
        assert float(aux.metrics["gen/cycle"]) == pytest.approx(float(distance), rel=1e-5)
        assert float(value) == pytest.approx(float(adversarial + 3 * distance), rel=1e-5)


@pytest.mark.slow
def test_identity_wants_domains_of_one_shape():
    with pytest.raises(UserError, match="unlike shapes"):
        plan_of(UNPAIRED, objective__terms__identity__name="l1", objective__terms__identity__of="identity")
    config = plan_of(UNPAIRED).config.copy_and_resolve_references().unlock()
    config.objective.terms.identity = {"name": "l1", "of": "identity", "weight": 2.0, "every": 1}
    plan = Plan(config.lock(), features_of((12, 12, 1), source_shape=(12, 12, 1)))
    keys = Keys(jax.random.key(0), 0, 0, 0, 8)
    image = jnp.linspace(-1, 1, 8 * 144).reshape(8, 12, 12, 1)
    task, state = plan.task(), plan.init(jax.random.key(0))
    value, aux = task.loss("gen", state, {"image": image, "source": -image}, keys, None)
    same = task._translate(state.variables("gen"), "ab", image, None, train=True)[0]
    assert float(aux.metrics["gen/identity_b"]) == pytest.approx(float(jnp.mean(jnp.abs(same - image))), rel=1e-5)
    same = task._translate(state.variables("gen"), "ba", -image, None, train=True)[0]
    assert float(aux.metrics["gen/identity_a"]) == pytest.approx(float(jnp.mean(jnp.abs(same + image))), rel=1e-5)
    objective = dataclasses.replace(task.objective, terms={"cycle": task.objective.terms["cycle"]})
    without = dataclasses.replace(task, objective=objective)
    without = without.loss("gen", state, {"image": image, "source": -image}, keys, None)[0]
    both = aux.metrics["gen/identity_a"] + aux.metrics["gen/identity_b"]
    assert float(value - without) == pytest.approx(2 * float(both), rel=1e-4)


def test_discriminators_are_shown_what_the_translators_made_before_they_moved():
    """One translation serves both: the discriminators' loss on the memory is theirs on fakes made anew at the old params."""
    task, state, batch, keys = parts(UNPAIRED, task__pool=0)
    _, aux = loss(task, "gen", state, batch, keys)
    fake = task._translate(state.variables("gen"), "ab", batch["source"], None, train=True)[0]
    np.testing.assert_allclose(aux.memory["shown/b"], fake, atol=1e-6)
    moved = state.replace(
        memory={**state.memory, **aux.memory},
        params={**state.params, "gen": jax.tree.map(jnp.zeros_like, state.params["gen"])},
    )
    value, _ = loss(task, "disc", moved, batch, keys)
    expected = 0.0
    for domain, real in (("a", batch["source"]), ("b", batch["image"])):
        own = {name: tree[domain] for name, tree in state.variables("disc").items()}
        for image, target in ((real, 1.0), (aux.memory[f"shown/{domain}"], 0.0)):
            logits = critic.ask(task.disc, own, {"image": image, "cond": None})[0].logits
            expected += jnp.mean((logits - target) ** 2) / 2
    assert float(value) == pytest.approx(float(expected), rel=1e-5)


def in_turn(pool, filled, newest, keys):
    """`pooled`, one image after the other in Python."""
    pool, shown = list(pool), []
    for image, key in zip(newest, keys):
        where, whether = jax.random.split(key)
        if filled < len(pool):
            pool[filled], filled = image, filled + 1
            shown.append(image)
        elif jax.random.bernoulli(whether):
            at = int(jax.random.randint(where, (), 0, len(pool)))
            shown.append(pool[at])
            pool[at] = image
        else:
            shown.append(image)
    return jnp.stack(pool), jnp.stack(shown)


@pytest.mark.parametrize("filled", [0, 3, 5])
def test_the_pool_takes_one_image_after_the_other(filled):
    pool, newest = -jnp.arange(1.0, 6)[:, None], jnp.arange(1.0, 21)[:, None]
    keys = jax.random.split(jax.random.key(3), 20)
    for ours, theirs in zip(pooled(pool, jnp.int32(filled), newest, keys), in_turn(pool, filled, newest, keys)):
        np.testing.assert_array_equal(ours, theirs)


def test_half_of_what_is_shown_is_from_the_pool():
    keys = jax.random.split(jax.random.key(0), 4000)
    pool, shown = pooled(-jnp.arange(1.0, 51), jnp.int32(50), jnp.arange(4000.0), keys)
    assert float(jnp.mean(shown != jnp.arange(4000.0))) == pytest.approx(0.5, abs=0.03)
    assert len({*np.asarray(shown).tolist(), *np.asarray(pool).tolist()}) == 4050  # every image is once somewhere


def test_a_step_of_several_rounds_is_refused():
    with pytest.raises(UserError, match="one round of each player"):
        plan_of(UNPAIRED, rounds__disc=2)


def test_data_without_sources_are_refused():
    config = plan_of(PAIRED).config
    with pytest.raises(UserError, match="has none to start from; --config.data.source=FEATURE"):
        Plan(config, features_of((12, 12, 1)))


@pytest.mark.slow
def test_skips_are_what_the_u_net_has_beside_the_encoder_decoder():
    image = jax.random.normal(jax.random.key(0), (2, 8, 8, 3))
    for skip in (True, False):
        net = unet.Generator((8, 8, 1), jnp.float32, width=4, skip=skip, norm="none")
        variables = jax.jit(partial(net.init, train=False))(jax.random.key(1), image)
        cut = jax.tree_util.tree_map_with_path(  # the bottleneck says nothing
            lambda path, x: 0 * x if "Conv_2" in jax.tree_util.keystr(path) else x, variables
        )
        made = jax.jit(partial(net.apply, train=False))(cut, image)
        assert made.shape == (2, 8, 8, 1)
        assert (float(jnp.abs(made[0] - made[1]).max()) > 1e-6) == skip


@pytest.mark.slow
def test_instance_norm_is_of_each_channel_of_each_example():
    net = translator.Generator((12, 12, 3), jnp.float32, width=4, blocks=1)
    image = jax.random.normal(jax.random.key(0), (3, 12, 12, 1))
    variables = net.init(jax.random.key(1), image, train=False)
    alone = net.apply(variables, image[:1], train=True)
    np.testing.assert_allclose(net.apply(variables, image, train=True)[:1], alone, atol=1e-5)


def test_mirrored_edges():

    x = jax.random.normal(jax.random.key(0), (2, 6, 5, 3))
    conv = layers.Conv(4, size=5, mirror=True)
    variables = conv.init(jax.random.key(1), x)
    padded = jnp.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect")
    whole = layers.Conv(4, size=5).apply(variables, padded)
    np.testing.assert_allclose(conv.apply(variables, x), whole[:, 2:-2, 2:-2], atol=1e-5)
