"""FID's network against PyTorch's layers, with random weights: as they answer, and as golden.npz remembers."""

import hashlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from extractors import reference_torch as reference
from helpers import assert_near
from helpers import network_answers as answers

from jaxgan.errors import UserError
from jaxgan.extractors import inception
from jaxgan.extractors.inception import Inception

SHAPE = (40, 56, 3)


@pytest.fixture(scope="module")
def weights():
    return reference.random_weights(1, inception.shapes())


@pytest.fixture(scope="module")
def file(weights, tmp_path_factory):
    path = tmp_path_factory.mktemp("inception") / "weights.npz"
    np.savez(path, **weights)
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Writes a file with single weights as given and the others zero, which compresses well; returns its path."""
    folder = tmp_path_factory.mktemp("small")

    def write(without="", **changed):
        state = {name: np.zeros(shape, np.float32) for name, shape in inception.shapes().items() if name != without}
        np.savez_compressed(folder / "weights.npz", **(state | changed))
        return str(folder / "weights.npz")

    return write


@pytest.mark.slow
def test_answers_are_the_golden_ones(file):
    golden = np.load(reference.GOLDEN)
    features, logits = answers(Inception(str(file)).load(SHAPE), reference.pictures(*reference.INCEPTION_INPUT))
    assert features.shape == (1, 2048) and logits.shape == (1, 1008)
    kept = [x[:, : reference.KEPT] for x in (features, logits)]
    assert_near(kept, [golden["inception/features"], golden["inception/logits"]])


@pytest.mark.slow
def test_answers_are_torchs(weights, file, tmp_path):
    torch = pytest.importorskip("torch")
    net = reference.inception()
    assert reference.shapes_of(net) == inception.shapes()
    images = reference.pictures(21, 2, 61, 32, 3)
    theirs = reference.answers(net, weights, images)
    torch.save(net.state_dict(), tmp_path / "weights.pth")
    ours = Inception(str(tmp_path / "weights.pth")).load((61, 32, 3))
    assert_near(answers(ours, images), theirs)
    assert ours[:3] == Inception(str(file)).load(SHAPE)[:3]  # by either kind of file


def test_answers_are_float32_where_float64_is_on(file):
    with jax.enable_x64(True):
        network = Inception(str(file)).load(SHAPE)
        parts = jax.eval_shape(network.apply, network.variables, reference.pictures(0, 1, *SHAPE))
    assert [(x.shape, x.dtype) for x in parts] == [((1, 2048), np.float32), ((1, 1008), np.float32)]


@pytest.mark.parametrize("size", [(32, 32), (299, 299), (400, 310), (1, 7)])
def test_resize_is_tensorflows(size):
    images = reference.pictures(3, 2, *size, 3)
    ours = jax.jit(inception.resize, static_argnums=1)(jnp.asarray(images, jnp.float32), 299)
    np.testing.assert_allclose(ours, reference.resize_tf1(images, 299), rtol=0, atol=1e-4)


def test_resize_keeps_the_first_pixel_and_repeats_the_last():
    ours = inception.resize(jnp.arange(4.0)[None, None, :, None], 8)[0, :, :, 0]
    np.testing.assert_array_equal(ours, np.tile([0, 0.5, 1, 1.5, 2, 2.5, 3, 3], (8, 1)))


def test_only_the_well_known_file_is_called_inception(weights, file, monkeypatch):
    sha = hashlib.sha256(b"".join(name.encode() + weights[name].tobytes() for name in sorted(weights))).hexdigest()[:16]
    network = Inception(str(file)).load(SHAPE)
    assert (network.name, network.hash) == (f"inception_{sha[:8]}", sha)
    monkeypatch.setattr(inception, "FID_FILE", hashlib.sha256(file.read_bytes()).hexdigest()[:8])
    assert Inception(str(file)).load(SHAPE).name == "inception"


@pytest.mark.slow
def test_refused_weights(small, tmp_path):
    key = "Mixed_6c.branch7x7_2.conv.weight"
    (tmp_path / "torn.npz").write_bytes(b"PK\3\4 and no more")
    np.savez(tmp_path / "objects.npz", **{key: np.array([{}], object)})
    mistakes = {
        "": "no weights: --config.eval.features.weights=FILE names pt_inception-2015-12-05-6726825d.pth",
        str(tmp_path / "absent.pth"): "absent.pth cannot be read: No such file",
        str(tmp_path / "absent.npz"): "absent.npz cannot be read: No such file",
        str(tmp_path): "cannot be read: Is a directory",
        str(tmp_path / "torn.npz"): "torn.npz is damaged",
        str(tmp_path / "objects.npz"): "objects.npz is damaged, or no .npz of numpy.savez",
    }
    for weights, message in mistakes.items():
        refused(weights, message)
    refused(small(without=key), f"for another network: it has no '{key}'")
    torchvisions = {"fc.weight": np.zeros((1000, 2048), np.float32)}
    refused(small(**torchvisions), "its 'fc.weight' is float32 (1000, 2048), not float (1008, 2048)")
    refused(small(**{"fc.bias": np.zeros(1008, int)}), "its 'fc.bias' is int64 (1008,), not float (1008,)")


def refused(weights, message, shape=SHAPE):
    with pytest.raises(UserError) as caught:
        Inception(weights).load(shape)
    assert message in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("shape", [(32, 32, 4), (32, 32, 2), (2,)])
def test_refused_images(shape):
    refused("", "takes pictures of 1 or 3 channels, not " + "x".join(map(str, shape)), shape)
