"""Labels in networks, against references by hand in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxgan.errors import UserError
from jaxgan.nets import DISCRIMINATORS, GENERATORS, labels, layers
from jaxgan.nets.resnet import Block

SHAPE, CLASSES = (12, 12, 1), 3
LABEL = jnp.array([0, 2, 1, 2])
TELLING = sorted(GENERATORS.keys() - {"dirac"})


def made(table, name, **fields):
    """A tiny network of `CLASSES` classes."""
    first = (SHAPE,) if table is GENERATORS else ()
    return table[name](*first, jnp.float64, num_classes=CLASSES, **{**table[name].tiny, **fields})


def normal(seed, *shape):
    return jax.random.normal(jax.random.key(seed), shape, jnp.float64)


def stirred(variables):
    """Variables none of whose params are at their start, where some are 0."""
    leaves, tree = jax.tree.flatten(variables["params"])
    return {**variables, "params": tree.unflatten([x + 0.3 * normal(i, *x.shape) for i, x in enumerate(leaves)])}


@pytest.mark.parametrize("name", TELLING)
def test_a_generator_draws_other_images_for_other_labels_and_each_by_its_own(name):
    with jax.enable_x64(True):
        for cond in GENERATORS[name].__dataclass_fields__["cond"].metadata["choices"]:
            norm = {"norm": "batch"} if name == "mlp" and cond == "norm" else {}
            net = made(GENERATORS, name, cond=cond, **norm)
            z = jnp.repeat(normal(1, 1, 6), 4, 0)
            variables = stirred(net.init(jax.random.key(0), z, LABEL, train=False))
            images = np.asarray(net.apply(variables, z, LABEL, train=False))
            assert images.shape == (4, *SHAPE) and np.abs(images[0] - images[1]).max() > 1e-3, cond
            np.testing.assert_allclose(images[1], images[3], atol=1e-12)
            one = np.asarray(net.apply(variables, z[:1], LABEL[1:2], train=False))
            np.testing.assert_allclose(one[0], images[1], atol=1e-9)
            several = net.apply(variables, z, jax.nn.one_hot(LABEL, CLASSES, dtype=jnp.int32), train=False)
            np.testing.assert_allclose(several, images, atol=1e-9)  # a vector of one attribute is a class


@pytest.mark.parametrize("name", TELLING)
@pytest.mark.parametrize("head", labels.HEADS)
def test_heads_of_discriminators(name, head):
    with jax.enable_x64(True):
        net, image = made(DISCRIMINATORS, name, head=head), normal(1, 4, *SHAPE)
        variables = stirred(net.init(jax.random.key(0), image, LABEL, train=False))
        out = net.apply(variables, image, LABEL, train=False)
        other = net.apply(variables, image, (LABEL + 1) % CLASSES, train=False)
        told = float(jnp.abs(out.logits - other.logits).max()) > 1e-6
        assert out.logits.shape == (4,) and told == (head in ("projection", "concat"))
        shapes = {name: x.shape for name, x in (out.aux or {}).items()}
        dims = out.features.shape[-1]
        assert shapes == {
            "auxiliary": {"classes": (4, CLASSES)},
            "contrast": {"embedding": (4, dims), "proxy": (4, dims)},
        }.get(head, {})
        for x in (out.aux or {}).values() if head == "contrast" else ():
            np.testing.assert_allclose(jnp.sum(x**2, -1), 1, atol=1e-9)


def test_without_labels_no_head_adds_a_param():
    image = jnp.zeros((2, *SHAPE))
    for name in TELLING:
        kept = []
        for head in labels.HEADS:
            net = DISCRIMINATORS[name](jnp.float32, num_classes=0, head=head, **DISCRIMINATORS[name].tiny)
            kept.append(jax.eval_shape(lambda net=net: net.init(jax.random.key(0), image, train=False))["params"])
        assert all(one == kept[0] for one in kept)


def test_conditional_batch_norm_is_the_reference():
    """gain 1 + W c, shift V c, of values with mean 0 and variance 1 over the batch and its pixels."""
    with jax.enable_x64(True):
        x, c = normal(1, 5, 4, 4, 3) * 2 + 1, normal(2, 5, 7)
        net = layers.Norm("batch", jnp.float64, kernel_init=jax.nn.initializers.normal(1.0))
        variables = net.init(jax.random.key(0), x, True, c)
        out, after = net.apply(variables, x, True, c, mutable=["batch_stats"])
        w, v = (np.asarray(variables["params"][name]["kernel"]) for name in ("gain", "shift"))
        mean, variance = np.mean(x, (0, 1, 2)), np.var(x, (0, 1, 2))
        flat = (np.asarray(x) - mean) / np.sqrt(variance + 1e-5)
        want = flat * (1 + np.asarray(c) @ w)[:, None, None] + (np.asarray(c) @ v)[:, None, None]
        np.testing.assert_allclose(out, want, atol=1e-9)
        assert set(variables["params"]) == {"gain", "shift"}
        running = net.apply({**variables, **after}, x, False, c)
        stats = after["batch_stats"]["BatchNorm_0"]
        np.testing.assert_allclose(stats["mean"], 0.1 * mean, atol=1e-9)
        flat = (np.asarray(x) - stats["mean"]) / np.sqrt(stats["var"] + 1e-5)
        want = flat * (1 + np.asarray(c) @ w)[:, None, None] + (np.asarray(c) @ v)[:, None, None]
        np.testing.assert_allclose(running, want, atol=1e-9)


@pytest.mark.parametrize("spectral", [False, True])
def test_a_projection_is_the_reference(spectral):
    """w . h + b + v_y . h, with both kernels over their largest singular values under spectral norm."""
    with jax.enable_x64(True):
        net = made(DISCRIMINATORS, "dcgan", norm="spectral" if spectral else "none")
        image = normal(1, 4, *SHAPE)
        variables = stirred(net.init(jax.random.key(0), image, LABEL, train=False))
        out, own = net.apply(variables, image, LABEL, train=False), variables["params"]

        def kernel(name):
            w = np.asarray(own[name]["kernel"])
            if spectral:
                u = np.asarray(variables["spectral"][name]["u"])
                v = w @ u
                w = w / ((v / np.linalg.norm(v)) @ w @ u)
            return w

        h = np.asarray(out.features)
        plain = h @ kernel("Dense_0")[:, 0] + np.asarray(own["Dense_0"]["bias"])
        want = plain + np.sum(h * kernel("embed")[np.asarray(LABEL)], -1)
        np.testing.assert_allclose(out.logits, want, atol=1e-9)


@pytest.mark.parametrize(("name", "fields"), [("biggan", {}), ("resnet", {"pool": "sum"})])
def test_features_that_are_projected_are_sums_over_pixels(name, fields):
    """As those of Miyato and Koyama 2018 and Brock et al. 2019: the last ReLU's pixels are added."""
    with jax.enable_x64(True):
        net, image = made(DISCRIMINATORS, name, **fields), normal(1, 4, *SHAPE)
        variables = stirred(net.init(jax.random.key(0), image, LABEL, train=False))
        out, seen = net.apply(
            variables,
            image,
            LABEL,
            train=False,
            mutable=["intermediates"],
            capture_intermediates=lambda m, _: type(m) is Block,
        )
        last = [*seen["intermediates"].values()][-1]["__call__"][0]
        assert last.shape[1:3] != (1, 1)
        np.testing.assert_allclose(out.features, np.maximum(last, 0).sum((1, 2)), atol=1e-9)


def test_norms_that_are_not_there_cannot_be_told():
    net = made(GENERATORS, "dcgan", norm="none")
    with pytest.raises(UserError, match=r"nets.gen.norm=none; choose nets.gen.cond=concat"):
        net.init(jax.random.key(0), jnp.zeros((2, 6)), jnp.zeros(2, int), train=False)
