"""Networks that compute again, for gradients, what lies within their parts."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers import arrays, devices, plan_of, run

from jaxgan.nets.resnet import Discriminator
from jaxgan.placement import Placement
from jaxgan.remat import recomputed


def kept(net: nn.Module, x: jax.Array, train: bool) -> tuple[int, int]:
    """Bytes that wait for the gradient of a network's params, without and with `recomputed`."""
    variables = net.init(jax.random.key(0), x, train=train)

    def loss(params):
        return net.apply({**variables, "params": params}, x, train=train).logits.sum()  # pyright: ignore

    def waiting() -> int:
        _, back = jax.eval_shape(lambda p: jax.vjp(loss, p), variables["params"])
        return sum(x.size * x.dtype.itemsize for x in jax.tree.leaves(back))

    plain = waiting()
    with recomputed():
        return plain, waiting()


def test_only_what_enters_a_block_is_kept():
    net = Discriminator(dtype=jnp.float32, num_classes=0, width=16)
    plain, with_remat = kept(net, jnp.zeros((8, 16, 16, 3)), train=True)
    assert with_remat < plain / 2, (plain, with_remat)


@pytest.mark.slow
@pytest.mark.parametrize(
    "spec, overrides",
    [
        ("dcgan.py", {"task__unroll": 1, "optim__disc__eps_root": 1e-16}),
        ("hinge.py", {"objective__terms__r1__weight": 1.0, "accumulate": 2, "nets__gen__norm": "layer"}),
        ("wgan.py", {}),
        ("biggan.py", {}),
        ("stylegan_lite.py", {}),
        ("pix2pix.py", {}),
    ],
)
def test_it_changes_no_gradient(spec, overrides):
    """In float64, on two devices: BatchNorm's statistics, spectral norms, dropout, slopes of slopes, steps within a loss."""
    with jax.enable_x64(True):
        plan, other = (plan_of(spec, dtype="float64", remat=remat, **overrides) for remat in (False, True))
        one, two = (arrays(run(x, Placement("shard_map", devices(2)), steps=2)[0]) for x in (plan, other))
    for name, x in one.items():
        np.testing.assert_allclose(two[name], x, rtol=0, atol=1e-9, err_msg=name)
