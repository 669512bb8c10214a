"""DAMSM: its scores and losses against a loop over pairs, words and regions, and what it is trained and scored on."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import arrays, noise_features, noise_images, plan_of, tiny

from jaxgan import program
from jaxgan.errors import UserError
from jaxgan.generate import trained
from jaxgan.metrics.retrieval import OTHERS, enough, r_precision
from jaxgan.nets.matching import Lstm
from jaxgan.objectives import matching
from jaxgan.objectives.matching import Gammas
from jaxgan.placement import Placement
from jaxgan.plan import Plan
from jaxgan.scores.of_run import RunEvaluator
from jaxgan.tasks.protocols import Matches

RNG = np.random.default_rng(0)
N, T, R, D = 3, 4, 5, 6
GAMMAS = Gammas(4.0, 5.0, 10.0)


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def by_loops(words, lengths, regions):
    """Equations 7 to 10 of the paper, word by word, without the words that are not there."""
    out = np.zeros((len(regions), len(words)))
    for i, v in enumerate(regions):
        for j, n in enumerate(lengths):
            e = words[j][:n]
            s = e @ v.T
            s = np.stack([softmax(column) for column in s.T], 1)
            cosines = []
            for word, row in zip(e, s):
                c = softmax(GAMMAS.attend * row) @ v
                cosines.append(c @ word / np.linalg.norm(c) / np.linalg.norm(word))
            out[i, j] = np.log(np.sum(np.exp(GAMMAS.words * np.array(cosines))))
    return out


def test_scores_are_the_papers():
    words, regions, lengths = RNG.normal(size=(N, T, D)), RNG.normal(size=(N, R, D)), np.array([4, 1, 3])
    mask = np.arange(T) < lengths[:, None]
    with jax.enable_x64(True):
        found = matching.word_scores(jnp.asarray(words), jnp.asarray(mask), jnp.asarray(regions), GAMMAS)
        np.testing.assert_allclose(found, by_loops(words, lengths, regions), rtol=1e-9)
        looks = matching.attention(jnp.asarray(words), jnp.asarray(mask), jnp.asarray(regions), 4.0)
        np.testing.assert_allclose(looks.sum(-1), 1, rtol=1e-12)
        # What stands behind a caption's last word changes nothing, and no derivative is lost.
        other = np.where(mask[..., None], words, 1e3)
        again = matching.word_scores(jnp.asarray(other), jnp.asarray(mask), jnp.asarray(regions), GAMMAS)
        np.testing.assert_array_equal(found, again)
        slope = jax.grad(lambda w: matching.word_scores(w, jnp.asarray(mask), jnp.asarray(regions), GAMMAS).sum())
        slope = np.asarray(slope(jnp.asarray(words)))
    assert np.isfinite(slope).all() and (slope[~mask] == 0).all() and (slope[mask] != 0).all()


def test_the_contrast_leaves_out_what_is_no_mistake():
    scores, tokens = RNG.normal(size=(3, 3)), jnp.array([[2, 3, 0], [2, 4, 0], [2, 3, 0]])
    twins = matching.no_mistakes(tokens, True)
    np.testing.assert_array_equal(twins, [[0, 0, 1], [0, 0, 0], [1, 0, 0]])
    kept = np.where(twins, -np.inf, scores)
    rows = -np.mean([np.log(softmax(kept[i])[i]) for i in range(3)])
    columns = -np.mean([np.log(softmax(kept[:, i])[i]) for i in range(3)])
    with jax.enable_x64(True):
        np.testing.assert_allclose(matching.contrast(jnp.asarray(scores), twins), rows + columns, rtol=1e-9)


def test_the_text_encoder_reads_words_alone():
    """A caption's code depends on its words and their order, and not on how far it is padded."""
    net = Lstm(dims=6, vocabulary=9, dtype=jnp.float32)
    tokens = jnp.array([[2, 3, 4, 0, 0], [2, 3, 4, 0, 0], [4, 3, 2, 0, 0]])
    variables = net.init(jax.random.key(0), tokens, train=False)
    words, sentence = net.apply(variables, tokens, train=False)
    short_words, short = net.apply(variables, tokens[:, :3], train=False)
    assert words.shape == (3, 5, 6) and sentence.shape == (3, 6)
    np.testing.assert_allclose(sentence, short, rtol=1e-6)
    np.testing.assert_allclose(words[:, :3], short_words, rtol=1e-6)
    assert not np.allclose(sentence[0], sentence[2])
    np.testing.assert_allclose(sentence[0, :3], words[0, 2, :3], rtol=1e-6)  # forwards, the last word's state
    np.testing.assert_allclose(sentence[0, 3:], words[0, 0, 3:], rtol=1e-6)  # backwards, the first one's


def test_r_precision():
    codes = RNG.normal(size=(150, 8))
    kinds = np.arange(150)
    assert r_precision(codes, codes, kinds) == 1
    assert r_precision(codes, -codes, kinds) == 0
    chance = np.mean([r_precision(RNG.normal(size=(150, 8)), codes, kinds, seed) for seed in range(20)])
    assert 0.004 < chance < 0.017  # of 3,000 guesses among 100
    assert r_precision(codes, np.ones_like(codes), kinds) == 0, "equal cosines are no success"
    twins = np.arange(150) // 2
    doubled = np.repeat(codes[:75], 2, 0)
    assert r_precision(doubled, doubled, twins) == 1, "an equal caption is no mistake"
    assert enough(np.arange(OTHERS + 1)) and not enough(np.arange(OTHERS)) and not enough(np.zeros(200, int))


@pytest.mark.slow
def test_a_run_learns_and_is_scored(monkeypatch):
    """Pictures whose brightness says the caption; a retrieval far above chance."""
    plan = plan_of("damsm.py", task__dims=8, nets__text__embedding=8, nets__image__width=8, nets__text__dropout=0,
                   batch_size=16, optim__match__lr=0.01, eval__batch_size=32, eval__split="")  # fmt: skip
    assert plan.can(Matches) and plan.players == ("match",)
    images = noise_images(plan=plan)
    told = images.examples.tokens[:, :1].repeat(2, 1)
    code = np.eye(8, dtype=np.uint8)[told[:, 0]].reshape(48, 40)
    images.examples.tokens = told
    images.examples.examples._images = np.pad(code * 255, ((0, 0), (0, 104))).reshape(48, 12, 12, 1)
    placement = Placement()
    step = placement.wrap(program.make_program(plan, images), batch_is_split=False)
    state = placement.init(lambda seed: plan.init(jax.random.key(seed)), np.uint32(0))
    before = arrays(state)
    held, inputs = placement.replicate(images.load()), placement.replicate(plan.inputs)
    state, report = step(state, inputs, held, np.int32(80))
    means = jax.device_get(program.means(report["totals"]))
    assert all(np.isfinite(x) for x in means.values()) and means["match/right"] > 0.3  # chance is 1/16
    after = arrays(state)
    assert all(np.any(before[name] != after[name]) for name in before if name.startswith("params"))
    monkeypatch.setattr("jaxgan.metrics.retrieval.OTHERS", 20)
    monkeypatch.setattr("jaxgan.scores.retrieval.OTHERS", 20)
    score = RunEvaluator(plan, images, placement)(state, 80)["scores"]["retrieval"]["value"]
    assert score > 0.5  # chance is 1/21
    task, nets = plan.task(), trained(plan, placement.local(state), True)
    codes = task.text_codes(nets.players, jnp.asarray(told[:2, 0]))
    assert codes.words.shape == (2, 5, 8) and codes.sentence.shape == (2, 8)
    np.testing.assert_array_equal(codes.mask, told[:2, 0] > 0)


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        ({"task__dims": 5}, "task.dims=5 is odd, and each direction of the text encoder has half of it"),
        ({"without": "tokens"}, "task.name=damsm learns captions, and the data have none; --config.data.captions=FEATURE"),
    ],
)
def test_mistakes(overrides, told):
    without = overrides.pop("without", "")
    config = tiny("damsm.py", **overrides)
    features = {name: x for name, x in noise_features(config).items() if name != without}
    with pytest.raises(UserError, match=told):
        Plan(config, features)
