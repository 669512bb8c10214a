"""Terms of labels, against references by hand in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.nets.layers import Out
from jaxgan.objectives.context import Context, Judged
from jaxgan.objectives.labels import AcGan, Contrast, Orthogonal

LABEL = np.array([0, 2, 1, 2, 0])


def normal(seed, *shape):
    return jax.random.normal(jax.random.key(seed), shape, jnp.float64)


def context(real, fake, side, label=LABEL):
    """Of a critic that returned `real` and `fake` in `Out.aux`."""
    shown = {"image": jnp.zeros((len(label), 1)), "cond": label, "label": jnp.asarray(label)}
    outs = [Out(jnp.zeros(len(label)), jnp.zeros((len(label), 1)), aux) for aux in (real, fake)]
    return Context("disc" if side == "critic" else "gen", side, judged=Judged(shown, shown, *outs, lambda x: outs[0]))


def entropy(logits, label):
    logits = np.asarray(logits)
    return np.mean([np.log(np.exp(row).sum()) - row[y] for row, y in zip(logits, label)])


def test_both_forms_of_acgan_are_the_references():
    with jax.enable_x64(True):
        real, fake = {"classes": normal(0, 5, 3)}, {"classes": normal(1, 5, 3)}
        of_real, of_fake = entropy(real["classes"], LABEL), entropy(fake["classes"], LABEL)
        for fakes in (True, False):
            term = AcGan(fakes=fakes)
            critic, maker = (term(context(real, fake, side)) for side in ("critic", "maker"))
            assert float(critic[0]) == pytest.approx(of_real + of_fake * fakes, abs=1e-9)
            assert float(maker[0]) == pytest.approx(of_fake, abs=1e-9)
            right = np.mean(np.argmax(fake["classes"], -1) == LABEL)
            assert float(maker[1]["accuracy"]) == pytest.approx(right)


def test_acgan_of_attributes_is_binary():
    with jax.enable_x64(True):
        logits, label = normal(0, 4, 3), np.array([[0, 1, 1], [1, 1, 0], [0, 0, 0], [1, 0, 1]])
        value, metrics, _ = AcGan()(context({"classes": logits}, {"classes": logits}, "maker", label))
        p = 1 / (1 + np.exp(-np.asarray(logits)))
        want = -np.mean(label * np.log(p) + (1 - label) * np.log(1 - p))
        assert float(value) == pytest.approx(want, abs=1e-9)
        assert float(metrics["accuracy"]) == pytest.approx(np.mean((p > 0.5) == label))


@pytest.mark.parametrize("side", ["critic", "maker"])
def test_contrast_is_the_reference(side):
    with jax.enable_x64(True):

        def unit(x):
            return x / jnp.linalg.norm(x, axis=-1, keepdims=True)

        real, fake = ({"embedding": unit(normal(i, 5, 4)), "proxy": unit(normal(i + 9, 5, 4))} for i in (0, 1))
        e, v = (np.asarray((real if side == "critic" else fake)[name]) for name in ("embedding", "proxy"))
        margin, temperature, losses = 0.7, 0.4, []
        for i in range(5):
            a = max(0, (margin - e[i] @ v[i]) / temperature)
            others = [j for j in range(5) if LABEL[j] != LABEL[i]]
            s = [max(0, (e[i] @ e[j] + margin - 1) / temperature) for j in others]
            losses.append(a + np.log(np.exp(-a) + np.exp(s).sum()))
        value, metrics, _ = Contrast(margin=margin, temperature=temperature)(context(real, fake, side))
        assert float(value) == pytest.approx(np.mean(losses), abs=1e-9)
        assert float(metrics["nearest"]) == pytest.approx(np.mean(np.sum(e * v, -1)), abs=1e-9)
        attributes = np.array([[0, 0, 1], [0, 1, 1], [1, 0, 0]])[LABEL]  # which differ as the classes do
        vectors = Contrast(margin=margin, temperature=temperature)(context(real, fake, side, attributes))
        assert float(vectors[0]) == pytest.approx(np.mean(losses), abs=1e-9)
        alone = Contrast()(context(real, fake, side, np.zeros(5, int)))[0]  # nobody of another class
        assert np.isfinite(float(alone))


def test_contrast_has_a_gradient_where_an_embedding_meets_others_of_its_class_alone():
    def value(x):
        aux = {"embedding": x, "proxy": jnp.ones((5, 4)) / 2}
        return Contrast()(context(aux, aux, "maker", np.zeros(5, int)))[0]

    assert np.isfinite(np.asarray(jax.grad(value)(jnp.ones((5, 4)) / 2))).all()


def test_orthogonal_regularisation_is_the_reference():
    with jax.enable_x64(True):
        kernel, dense = normal(0, 3, 3, 2, 4), normal(1, 6, 5)
        params = {"Conv_0": {"kernel": kernel, "bias": normal(2, 4)}, "Dense_0": {"kernel": dense}, "embed": normal(3, 7, 8)}
        value, _, _ = Orthogonal()(Context("gen", "maker", params=params))
        want = 0.0
        for w in (np.asarray(kernel).reshape(-1, 4), np.asarray(dense)):
            n = w.shape[1]
            want += sum((w[:, i] @ w[:, j]) ** 2 for i in range(n) for j in range(n) if i != j)
        assert float(value) == pytest.approx(want, rel=1e-12)
