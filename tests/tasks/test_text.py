"""Text to image: what the critic is shown, the matching-aware penalty, and a run's stages."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import devices, frozen_of, noise_features, noise_images, tiny
from jax.sharding import PartitionSpec as P

from jaxgan import parallel
from jaxgan.errors import UserError
from jaxgan.generate import given_inputs, make_pictures, trained
from jaxgan.keys import Keys
from jaxgan.nets.attngan import attention
from jaxgan.nets.layers import Out
from jaxgan.objectives.captions import Condition, Damsm, MatchingGp
from jaxgan.objectives.context import Context
from jaxgan.placement import Placement
from jaxgan.plan import Donor, Plan
from jaxgan.scores import retrieval
from jaxgan.scores.of_run import RunEvaluator
from jaxgan.tasks.protocols import Attends, Generates, TextCodes


def plan_of(spec="dfgan.py", **overrides):
    config = tiny(spec, batch_size=4, **overrides)
    return Plan(config, noise_features(config), frozen_of(config))


@pytest.fixture(scope="module")
def plan():
    return plan_of()


@pytest.fixture(scope="module")
def staged():
    return plan_of("attngan.py")


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(0)
    tokens = jnp.asarray([[2, 3, 0, 0, 0], [4, 5, 6, 0, 0], [7, 2, 2, 3, 4], [3, 0, 0, 0, 0]])
    return {"image": jnp.asarray(rng.uniform(-1, 1, (4, 12, 12, 1)), jnp.float32), "tokens": tokens}


def test_the_critic_alone_sees_real_pictures_with_others_captions(plan, batch):
    task, state = plan.task(), plan.init(jax.random.key(0))
    keys, wants = Keys(state.rng, 0, 0, 0, 4), frozenset({"judged"})
    making = {player: task.make(player, state, batch, keys, wants) for player in ("disc", "gen")}
    shown = {player: task.shown(one, state, batch)[""][2] for player, one in making.items()}
    assert {player: [*one] for player, one in shown.items()} == {"disc": ["real", "fake", "wrong"], "gen": ["real", "fake"]}
    own = plan.frozen["damsm"]
    codes = own.make().text_codes(own.variables, batch["tokens"])
    assert len(np.unique(codes.sentence, axis=0)) == 4
    np.testing.assert_array_equal(shown["disc"]["real"]["cond"].sentence, codes.sentence)
    np.testing.assert_array_equal(shown["disc"]["wrong"]["cond"].sentence, jnp.roll(codes.sentence, 1, 0))
    np.testing.assert_array_equal(shown["disc"]["wrong"]["image"], batch["image"])
    assert making["disc"].images[""].shape == (4, 12, 12, 1)
    alone = plan_of(task__mismatched=False).task()
    assert [*alone.shown(alone.make("disc", state, batch, keys, wants), state, batch)[""][2]] == ["real", "fake"]


def test_the_loss_is_the_papers(batch):
    """Half of what is wrong is made, and half real with another's caption."""
    plain = plan_of(objective__terms__matching_gp="none")
    task, state = plain.task(), plain.init(jax.random.key(0))
    keys = Keys(state.rng, 0, 0, 0, 4)
    shown = task.shown(task.make("disc", state, batch, keys, frozenset({"judged"})), state, batch)[""][2]
    variables = state.variables("disc")
    real, fake, wrong = (
        np.asarray(task.disc.apply(variables, one["image"], one["cond"], train=True).logits, float)
        for one in (shown["real"], shown["fake"], shown["wrong"])
    )
    relu = lambda x: np.maximum(x, 0).mean()  # noqa: E731
    want = relu(1 - real) + (relu(1 + fake) + relu(1 + wrong)) / 2
    np.testing.assert_allclose(task.loss("disc", state, batch, keys, None)[0], want, rtol=1e-5)
    np.testing.assert_allclose(task.loss("gen", state, batch, keys, None)[0], -fake.mean(), rtol=1e-4)


def test_each_stage_has_a_critic_of_its_size(staged, batch):
    """And the loss of each is the mean of real answers and the mean of made and mismatched ones: the head of the picture
    alone is not told that a mismatched real picture is made."""
    task, state = staged.task(), staged.init(jax.random.key(0))
    assert task.critics == ("half", "full") and {*state.params["disc"]} == {"half", "full"}
    keys = Keys(state.rng, 0, 0, 0, 4)
    shown = task.shown(task.make("disc", state, batch, keys, frozenset({"judged"})), state, batch)
    sizes = {critic: {which: x["image"].shape[1:3] for which, x in one[2].items()} for critic, one in shown.items()}
    assert sizes == {"half": dict.fromkeys(("real", "fake", "wrong"), (6, 6)),
                     "full": dict.fromkeys(("real", "fake", "wrong"), (12, 12))}  # fmt: skip
    squares = np.asarray(batch["image"]).reshape(4, 6, 2, 6, 2, 1).mean((2, 4))
    np.testing.assert_allclose(shown["half"][2]["real"]["image"], squares, atol=1e-6)
    total, of_maker, soft = 0.0, 0.0, lambda x: np.logaddexp(0, np.asarray(x, float)).mean()
    for net, variables, seen in shown.values():
        asked = {name: net.apply(variables, one["image"], one["cond"], train=True, mutable=["batch_stats"])[0].logits
                 for name, one in seen.items()}  # fmt: skip
        real, fake, wrong = (asked[name] for name in ("real", "fake", "wrong"))
        total += (soft(-real["picture"]) + soft(-real["caption"])) / 2
        total += (soft(fake["picture"]) + soft(fake["caption"]) + soft(wrong["caption"])) / 3
        of_maker += soft(-fake["picture"]) + soft(-fake["caption"])
    loss, aux = task.loss("disc", state, batch, keys, None)
    np.testing.assert_allclose(loss, total, rtol=1e-5)
    assert {*aux.model_state["disc"]["batch_stats"]} == {"half", "full"}
    metrics = task.loss("gen", state, batch, keys, None)[1].metrics
    assert task.objective.weight == 2, "the paper adds the answers of a critic, whose mean is the loss here"
    np.testing.assert_allclose(2 * 2 * metrics["gen/adversarial"], of_maker, rtol=1e-4)


def test_the_generator_learns_of_damsm(staged, batch):
    task, state = staged.task(), staged.init(jax.random.key(0))
    keys, damsm = Keys(state.rng, 0, 0, 0, 4), staged.frozen["damsm"]
    wants = frozenset({"judged", "values.codes", "values.drawn", "values.mean", "values.log_variance"})
    making = task.make("gen", state, batch, keys, wants)
    twins = batch["tokens"].at[1].set(batch["tokens"][0])
    ctx = Context("gen", "maker", {"tokens": twins}, values=making.values, frozen=task.frozen)
    masked, plain = (Damsm(mask_equal=equal)(ctx) for equal in (True, False))
    text, image = making.values["codes"], damsm.make().image_codes(damsm.variables, making.values["drawn"])
    twin = np.zeros((4, 4), bool)
    twin[0, 1] = twin[1, 0] = True
    for (value, parts, _), excluded in ((masked, twin), (plain, np.zeros_like(twin))):
        words, sentences, _ = damsm.make().losses(text, image, jnp.asarray(excluded))
        np.testing.assert_allclose(value, words + sentences, rtol=1e-5)
        np.testing.assert_allclose([parts["words"], parts["sentences"]], [words, sentences], rtol=1e-5)
    assert masked[0] < plain[0]
    ctx = Context("gen", "maker", values={"mean": jnp.array([[1.0, 0.0]]), "log_variance": jnp.log(jnp.array([[1.0, 4.0]]))})
    np.testing.assert_allclose(Condition()(ctx)[0], (0.5 + (4 - 1 - np.log(4)) / 2) / 2, rtol=1e-6)


@pytest.mark.parametrize("mask", ["own", "shuffled", "none"])
def test_who_may_look_at_which_words(mask):
    """Equation 7, place by place; and the released code's mistake: place p of example i has the mask of example (i * places
    + p) modulo the batch."""
    rng = np.random.default_rng(0)
    hidden, words = rng.normal(size=(3, 2, 2, 5)), rng.normal(size=(3, 4, 5))
    lengths = np.array([1, 4, 2])
    there = np.arange(4) < lengths[:, None]
    found = attention(jnp.asarray(hidden, jnp.float32), jnp.asarray(words, jnp.float32), jnp.asarray(there), mask)
    for i in range(3):
        for place in range(4):
            own = {"own": there[i], "shuffled": there[(4 * i + place) % 3], "none": np.ones(4, bool)}[mask]
            scores = np.exp(words[i] @ hidden[i, place // 2, place % 2]) * own
            np.testing.assert_allclose(found[i, place // 2, place % 2], scores / scores.sum(), atol=1e-5)


def test_pictures_of_stages_follow_from_number_and_caption(staged):
    """Whatever else is in the batch, and the condition's noise is the number's."""
    assert staged.can(Attends)
    state, nets = staged.init(jax.random.key(0)), None
    rng = np.random.default_rng(0)
    loud = jax.tree.map(lambda x: x + 0.3 * rng.normal(size=x.shape).astype(x.dtype), state.params["gen"])
    nets = trained(staged, state.replace(params={**state.params, "gen": loud}), False)
    make, numbers = make_pictures(staged, nets), np.arange(4, dtype=np.uint32)
    tokens = np.array([[2, 3, 0, 0, 0], [4, 5, 6, 0, 0], [7, 2, 2, 3, 4], [3, 0, 0, 0, 0]], np.int32)
    whole, other = make(numbers, tokens=tokens), tokens.copy()
    other[2] = tokens[0]
    changed = make(numbers, tokens=other)
    np.testing.assert_array_equal(changed[[0, 1, 3]], whole[[0, 1, 3]])
    assert np.any(changed[2] != whole[2])
    maps = staged.task().attention(nets.players, {"z": jnp.ones((4, 4)), "noise": jax.random.split(jax.random.key(0), 4),
                                                  "tokens": jnp.asarray(tokens)})[1]  # fmt: skip
    assert maps.shape == (4, 6, 6, 5)
    np.testing.assert_allclose(jnp.sum(maps, -1), 1, atol=1e-5)
    assert np.all(np.asarray(maps)[tokens[:, None, None].repeat(6, 1).repeat(6, 2) == 0] == 0), "nobody looks at padding"
    one = plan_of("attngan.py", nets__gen__stages=1)
    assert one.task().critics == ("",) and one.task().attention(
        trained(one, one.init(jax.random.key(0)), False).players,
        {"z": jnp.ones((1, 4)), "noise": jax.random.split(jax.random.key(0), 1), "tokens": jnp.ones((1, 5), int)},
    )[1] is None  # fmt: skip


def test_the_penalty_in_closed_form():
    """D(x, s) = a |x|^2 + b |s|^2, so that the slopes are 2 a x and 2 b s."""
    rng = np.random.default_rng(0)
    image, sentence = jnp.asarray(rng.normal(size=(3, 2, 2, 1))), jnp.asarray(rng.normal(size=(3, 4)))
    cond = TextCodes(jnp.zeros((3, 1, 4)), sentence, jnp.ones((3, 1), bool))

    def answers(x):
        logits = 0.3 * jnp.sum(x["image"] ** 2, (1, 2, 3)) + 0.2 * jnp.sum(x["cond"].sentence ** 2, 1)
        return Out(logits, None)

    judged = SimpleNamespace(real={"image": image, "cond": cond}, answers=answers)
    value, metrics, _ = MatchingGp()(Context("disc", "critic", judged=judged))
    squared = 0.36 * np.sum(np.asarray(image) ** 2, (1, 2, 3)) + 0.16 * np.sum(np.asarray(sentence) ** 2, 1)
    np.testing.assert_allclose(value, np.mean(squared**3), rtol=1e-5)
    np.testing.assert_allclose(metrics["slope"], np.mean(np.sqrt(squared)), rtol=1e-5)

    def of_a_dead_critic(scale):
        dead = SimpleNamespace(real=judged.real, answers=lambda x: Out(scale * answers(x).logits, None))
        return MatchingGp()(Context("disc", "critic", judged=dead))[0]

    assert np.isfinite(jax.grad(of_a_dead_critic)(0.0)) and of_a_dead_critic(0.0) < 1e-30


def test_rows_are_rolled_over_the_whole_batch():
    x, placement = jnp.arange(8), Placement(devices=devices(4))
    rolled = jax.shard_map(parallel.roll, mesh=placement.mesh, in_specs=P("data"), out_specs=P("data"), check_vma=False)
    np.testing.assert_array_equal(rolled(x), [7, 0, 1, 2, 3, 4, 5, 6])
    np.testing.assert_array_equal(parallel.roll(x), rolled(x))


def test_pictures_follow_from_number_and_caption(plan):
    """Not from the captions beside. An untrained generator has gains of 1, whatever the caption; this one has others."""
    placement, images = Placement(), noise_images(plan=plan)
    state = placement.init(lambda seed: plan.init(jax.random.key(seed)), np.uint32(0))
    rng = np.random.default_rng(0)
    loud = jax.tree.map(lambda x: x + 0.3 * rng.normal(size=x.shape).astype(x.dtype), state.params["gen"])
    state = state.replace(params={**state.params, "gen": loud})
    make, numbers = make_pictures(plan, trained(plan, placement.local(state), False)), np.arange(4, dtype=np.uint32)
    tokens = given_inputs(plan, images, numbers)["tokens"]
    assert plan.can(Generates) and plan.given == ("tokens",) and tokens.shape == (4, 5)
    whole = make(numbers, tokens=tokens)
    assert whole.shape == (4, 12, 12, 1) and whole.dtype == np.uint8
    other = tokens.copy()
    other[2] = tokens[0]
    changed = make(numbers, tokens=other)
    np.testing.assert_array_equal(changed[[0, 1, 3]], whole[[0, 1, 3]])
    assert np.any(changed[2] != whole[2])


def test_pictures_are_judged_by_a_run_that_training_has_not_used(monkeypatch):
    config = tiny("dfgan.py", batch_size=4, eval__metrics="r_precision", eval__ranker_workdir="other", eval__num_samples=40,
                  eval__batch_size=16, eval__split="", eval__ema=False)  # fmt: skip
    scored = Plan(config, noise_features(config), frozen_of(config))
    images, placement = noise_images(plan=scored), Placement()
    (ranker,) = frozen_of(config).values()
    ranker.record["taken"]["digest"] = "y"
    monkeypatch.setattr(retrieval, "lent", lambda field, wanted: ranker)
    monkeypatch.setattr("jaxgan.metrics.retrieval.OTHERS", 10)
    state = placement.init(lambda seed: scored.init(jax.random.key(seed)), np.uint32(0))
    found = RunEvaluator(scored, images, placement)(state, 0)
    assert {name: 0 <= one["value"] <= 1 for name, one in found["scores"].items()} == {
        "r_precision": True,
        "r_precision_train": True,
    }
    values = {name: one["value"] for name, one in found["scores"].items()}
    assert values["r_precision"] == values["r_precision_train"], "these two judges have the same weights"
    assert found["protocol"]["r_precision"]["of"] == 48 and found["measured"]["r_precision"] == {"ranker": "y"}
    ranker.record["taken"]["digest"] = "x"
    with pytest.raises(UserError, match="is the run that this one was trained with, and no judge of it"):
        RunEvaluator(scored, images, placement)
    ranker.record["taken"]["digest"] = "y"
    other = frozen_of(config, ("", "<unknown>", "x", "y"))["damsm"]
    monkeypatch.setattr(retrieval, "lent", lambda field, wanted: other._replace(record={"taken": {"digest": "z"}}))
    with pytest.raises(UserError, match="was trained on captions of other words"):
        RunEvaluator(scored, images, placement)
    monkeypatch.setattr(retrieval, "lent", lambda field, wanted: Donor(scored.task, {}, {"taken": {"digest": "z"}}))
    with pytest.raises(UserError, match="eval.ranker_workdir is a run of text, which matches no captions"):
        RunEvaluator(scored, images, placement)
    bare = tiny("dfgan.py", eval__metrics="r_precision", eval__split="", eval__ema=False)
    with pytest.raises(UserError, match="needs a judge that training has not used; --config.eval.ranker_workdir=RUN"):
        RunEvaluator(Plan(bare, noise_features(bare), frozen_of(bare)), images, placement)


def test_mistakes():
    config = tiny("dfgan.py")
    features = noise_features(config)
    with pytest.raises(UserError, match="task.name=text needs a frozen network 'damsm'"):
        Plan(config, features)
    with pytest.raises(UserError, match="frozen.damsm knows 4 words, and the captions of these data have others"):
        Plan(config, features, frozen_of(config, ("", "<unknown>", "x", "y")))
    frozen = frozen_of(config)
    with pytest.raises(UserError, match="task.name=text starts from 'tokens', which the data set shapes/32 has not"):
        Plan(config, {name: x for name, x in features.items() if name != "tokens"}, frozen)
    with pytest.raises(UserError, match="a pack of images has no caption of its own"):
        Plan(tiny("dfgan.py", critic__pack=2), features, frozen)
    with pytest.raises(
        UserError, match="3 stages make pictures whose sides are multiples of 4, 16 or more, not 12x12; --con"
    ):
        plan_of("attngan.py", nets__gen__stages=3)
    with pytest.raises(UserError, match="a term needs 'log_variance' of what the generator returns"):
        of_one = plan_of(objective__terms__condition__weight=1)
        jax.eval_shape(
            lambda: of_one.task().loss(
                "gen",
                of_one.init(jax.random.key(0)),
                {"image": jnp.zeros((4, 12, 12, 1)), "tokens": jnp.ones((4, 5), int)},
                Keys(jax.random.key(0), 0, 0, 0, 4),
                None,
            )
        )
    plain = tiny("dcgan.py", objective__terms__matching_gp__weight=1)
    with pytest.raises(UserError, match="terms.matching_gp needs 'judged.caption', which task latent does not have"):
        Plan(plain, noise_features(plain))
